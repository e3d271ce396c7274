"""nft drops and rejects, in each direction, at each step of a connection, at the router and at the hosts."""
import socket, time
from lab import *

EATEN = ['netfilter-drop', 'syn-lost-on-path', 'unanswered-syn', 'connect-abandoned']
NO_ANSWER = ['netfilter-drop', 'syn-ack-lost-on-path', 'handshake-unfinished', 'unanswered-syn', 'connect-abandoned']
GIVEN_UP = ['retransmission-timeout', 'peer-silent']
REFUSED = dict(closing=['middlebox-reset', 'netfilter-drop'], syn=['netfilter-drop', '-'], maybe=['connection-refused'])
# it stands on the host itself: no device on the path
REFUSED_AT_HOST = dict(closing=['netfilter-drop'], syn=['netfilter-drop', '-'], maybe=['connection-refused', 'middlebox-reset'])
TCP_RESET = 'reject with tcp reset'


def timed_out(c):
    c.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, 1500)


@scenario()
def drop_syn_router(t):
    """the router eats SYNs; the client gives up"""
    with Firewall(MID, 'forward', to_server(t.port, 'tcp flags syn drop')):
        c = client(timeout=3.4)
        t.say(c, 'syn', EATEN)
        quiet(c.connect, (S4, t.port))
        c.close()


@scenario()
def drop_syn_server_then_lifted(t):
    """the server's firewall eats the first SYNs, then is opened"""
    l = listener(t.port)
    c = client()
    t.say(c, 'syn', EATEN)
    t.say(c, 'close', 'graceful-close')
    f = Firewall(SRV, 'input', to_server(t.port, 'drop')).put()
    threading.Timer(1.6, f.off).start()
    c.connect((S4, t.port))
    a = l.accept()[0]
    talk(c, a)
    c.close()
    time.sleep(.1)
    close(a, l)


@scenario()
def drop_syn_ack_router(t):
    """the router eats SYN-ACKs; the client gives up"""
    l = listener(t.port)
    with Firewall(MID, 'forward', to_client(t.port, 'drop')):
        c = client(timeout=3.4)
        t.say(c, 'syn', NO_ANSWER)
        quiet(c.connect, (S4, t.port))
        c.close()
        time.sleep(.2)
    l.close()


@scenario()
def drop_syn_ack_server_output(t):
    """the server's own output chain eats SYN-ACKs for a while"""
    l = listener(t.port)
    c = client()
    t.say(c, 'syn', ['syn-ack-lost-locally', 'netfilter-drop', 'syn-ack-lost-on-path', 'unanswered-syn'])
    t.say(c, 'close', 'graceful-close')
    f = Firewall(SRV, 'output', to_client(t.port, 'tcp flags & (syn|ack) == (syn|ack) drop')).put()
    threading.Timer(1.6, f.off).start()
    c.connect((S4, t.port))
    a = l.accept()[0]
    talk(c, a)
    c.close()
    time.sleep(.1)
    close(a, l)


@scenario()
def drop_syn_ack_client_input(t):
    """the client's input chain eats SYN-ACKs"""
    l = listener(t.port)
    with Firewall(CLI, 'input', to_client(t.port, 'drop')):
        c = client(timeout=3.4)
        t.say(c, 'syn', NO_ANSWER)
        quiet(c.connect, (S4, t.port))
        c.close()
        time.sleep(.2)
    l.close()


@scenario()
def drop_third_ack_router(t):
    """the router eats the last ACK and the data for 1.8 s"""
    l = listener(t.port)
    f = Firewall(MID, 'forward', to_server(t.port, 'tcp flags & (syn|ack) == ack drop')).put()
    threading.Timer(1.8, f.off).start()
    c = connect(t.port)
    t.say(c, 'syn', ['netfilter-drop', 'handshake-unfinished', 'syn-ack-lost-on-path', '-'])
    t.say(c, 'close', 'graceful-close')
    c.sendall(b'hello')
    a = l.accept()[0]
    take(a, 5)
    c.close()
    time.sleep(.1)
    close(a, l)


@scenario()
def drop_third_ack_client_gone(t):
    """the last ACK and everything after it is eaten; the client closes, gets no answer; its process ends"""
    l = listener(t.port)
    with Firewall(MID, 'forward', to_server(t.port, 'tcp flags & (syn|ack) == ack drop')):
        c = connect(t.port)
        t.say(c, 'syn', ['netfilter-drop', 'handshake-unfinished', '-'])
        t.say(c, 'close', [*GIVEN_UP, 'unanswered-syn', '-'])
        timed_out(c)
        c.sendall(b'hello')
        quiet(c.recv, 1)
        close(c)
        time.sleep(.2)
    l.close()


@scenario()
def drop_data_to_server(t):
    """the router eats the client's data; TCP_USER_TIMEOUT of 1.5 s"""
    l, c, a = pair(t.port)
    talk(c, a)
    timed_out(c)
    t.say(c, 'close', GIVEN_UP, 'client')
    with Firewall(MID, 'forward', to_server(t.port, 'drop')):
        c.sendall(b'lost')
        quiet(c.recv, 1)
        time.sleep(.1)
    close(c, a, l)


@scenario()
def drop_data_to_client_server_gives_up(t):
    """the server's answer is eaten on the way; the server gives up, the client later meets no socket"""
    l, c, a = pair(t.port)
    talk(c, a)
    timed_out(a)
    t.say(c, 'close', [*GIVEN_UP, 'no-socket-reset', 'stray-ack-reset'])
    f = Firewall(MID, 'forward', to_client(t.port, 'drop')).put()
    c.sendall(b'question')
    take(a, 8)
    a.sendall(b'lost answer')
    quiet(a.recv, 1)
    f.off()
    quiet(c.send, b'again')
    time.sleep(.3)
    close(c, a, l)


@scenario(quick=True)
def drop_acks_of_data(t):
    """the server's ACKs are eaten while it reads: the client sends again and gives up; the server has everything"""
    l, c, a = pair(t.port)
    talk(c, a)
    timed_out(c)
    t.say(c, 'close', GIVEN_UP, 'client')
    with Firewall(MID, 'forward', to_client(t.port, 'drop')):
        c.sendall(b'arrives')
        take(a, 7)
        quiet(c.recv, 1)
        time.sleep(.1)
        close(c, a, l)
        time.sleep(.1)


@scenario()
def drop_fin_of_server(t):
    """the server's FIN is eaten for 0.6 s, then arrives"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', 'graceful-close')
    f = Firewall(MID, 'forward', to_client(t.port, 'tcp flags & fin == fin drop')).put()
    a.close()
    time.sleep(.6)
    f.off()
    time.sleep(.8)
    close(c, l)


@scenario()
def drop_fin_client_never(t):
    """the client's FIN is eaten until the client has forgotten: orphan with two retries"""
    l, c, a = pair(t.port)
    talk(c, a)
    timed_out(c)
    t.say(c, 'close', [*GIVEN_UP, 'fin-unacknowledged', '-'], 'client')
    t.say(c, 'fin-wait2', ['fin-unacknowledged', 'fin-wait1-aborted', '-'], 'client')
    with Firewall(MID, 'forward', to_server(t.port, 'drop')):
        c.close()
        time.sleep(3.5)
    close(a, l)


@scenario()
def drop_ack_of_fin(t):
    """the ACKs of the client's FIN are eaten for 0.9 s"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', 'graceful-close')
    f = Firewall(MID, 'forward', to_client(t.port, 'drop')).put()
    c.close()
    time.sleep(.9)
    f.off()
    time.sleep(.8)
    close(a, l)


@scenario()
def drop_reset(t):
    """the RST of unread data is eaten; the client's next data find no socket"""
    l, c, a = pair(t.port)
    c.sendall(b'never read')
    time.sleep(.1)
    t.say(c, 'close', ['unread-data-reset', 'no-socket-reset', 'stray-ack-reset'], 'server')
    with Firewall(MID, 'forward', to_client(t.port, 'tcp flags & rst == rst drop')):
        a.close()
        time.sleep(.2)
    l.close()
    quiet(c.send, b'more')
    time.sleep(.2)
    c.close()


@scenario()
def drop_reset_of_client(t):
    """the client's RST (linger 0) is eaten; the server sends, and meets no socket"""
    l, c, a = pair(t.port, client_options=[LINGER0])
    talk(c, a)
    t.say(c, 'close', ['linger-zero-reset', 'no-socket-reset'], 'client')
    with Firewall(CLI, 'output', to_server(t.port, 'tcp flags & rst == rst drop')):
        c.close()
        time.sleep(.2)
    quiet(a.send, b'news')
    time.sleep(.2)
    close(a, l)


def rejected(t, ns, hook, rule, syn=None, closing=None, maybe=()):
    with Firewall(ns, hook, rule):
        c = client(timeout=1.8)
        if syn:
            t.say(c, 'syn', syn)
        if closing:
            t.say(c, 'close', closing, maybe=maybe)
        quiet(c.connect, (S4, t.port))
        time.sleep(.1)
        c.close()


@scenario(quick=True)
def reject_syn_router_reset(t):
    """the router answers the SYN with a RST in the server's name; the server listens"""
    l = listener(t.port)
    rejected(t, MID, 'forward', to_server(t.port, TCP_RESET), **REFUSED)
    l.close()


@scenario()
def reject_syn_router_icmp(t):
    """the router answers with ICMP, administratively prohibited: connect() fails at once (tcp_v4_err in SYN_SENT)"""
    l = listener(t.port)
    rejected(t, MID, 'forward', to_server(t.port, 'reject with icmpx admin-prohibited'), syn=['icmp-rejected', 'unanswered-syn', 'netfilter-drop', 'syn-lost-on-path'])
    l.close()


@scenario()
def reject_syn_server_icmp_port(t):
    """the server's firewall answers with ICMP port unreachable: the client's connect fails at once"""
    l = listener(t.port)
    rejected(t, SRV, 'input', to_server(t.port, 'reject with icmp port-unreachable'), syn=['icmp-rejected', 'unanswered-syn', 'netfilter-drop'])
    l.close()


@scenario()
def reject_syn_server_reset(t):
    """the server's own firewall refuses with a RST, although something listens"""
    l = listener(t.port)
    rejected(t, SRV, 'input', to_server(t.port, TCP_RESET), **REFUSED_AT_HOST)
    l.close()


@scenario()
def reject_syn_ack_at_client(t):
    """the client's input chain answers the SYN-ACK with a RST to the server; its own socket stays in SYN_SENT"""
    l = listener(t.port)
    with Firewall(CLI, 'input', to_client(t.port, TCP_RESET)):
        c = client(timeout=1.5)
        t.say(c, 'syn', [*NO_ANSWER, 'untranslated-reply', '-'])
        t.say(c, 'close', ['middlebox-reset', 'unexplained-reset', 'netfilter-drop', 'untranslated-reply', '-'], 'client')
        quiet(c.connect, (S4, t.port))
        c.close()
    l.close()


@scenario()
def reject_data_router_reset(t):
    """the router answers the client's data with a RST to the client alone; the server knows nothing and later sends"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', ['middlebox-reset', 'unexplained-reset', 'no-socket-reset'])
    with Firewall(MID, 'forward', to_server(t.port, TCP_RESET)):
        quiet(c.send, b'rejected')
        time.sleep(.2)
    quiet(a.send, b'still here')
    time.sleep(.2)
    close(c, a, l)


@scenario()
def reject_answer_router_reset(t):
    """the router answers the server's data with a RST to the server alone"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', ['middlebox-reset', 'unexplained-reset', 'no-socket-reset', 'stray-ack-reset'])
    with Firewall(MID, 'forward', to_client(t.port, TCP_RESET)):
        quiet(a.send, b'rejected')
        time.sleep(.2)
    quiet(c.send, b'still here')
    time.sleep(.2)
    close(c, a, l)


@scenario()
def reject_fin_router_reset(t):
    """the router answers the client's FIN with a RST in the server's name"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', ['middlebox-reset', 'unexplained-reset'])
    with Firewall(MID, 'forward', to_server(t.port, TCP_RESET)):
        c.close()
        time.sleep(.3)
    close(a, l)


@scenario()
def reject_data_server_icmp(t):
    """the server's firewall answers data of an established connection with ICMP: only a soft error; the client gives up"""
    l, c, a = pair(t.port)
    talk(c, a)
    timed_out(c)
    t.say(c, 'close', [*GIVEN_UP, 'icmp-rejected'], 'client')
    with Firewall(SRV, 'input', to_server(t.port, 'reject with icmpx admin-prohibited')):
        c.sendall(b'rejected')
        quiet(c.recv, 1)
        time.sleep(.1)
    close(c, a, l)


@scenario()
def reject_syn_router_reset_v6(t):
    """IPv6: the router refuses in the server's name"""
    with Firewall(MID, 'forward', to_server(t.port, TCP_RESET)):
        c = client(v6=True, timeout=1.8)
        t.say(c, 'close', REFUSED['closing'], maybe=REFUSED['maybe'])
        t.say(c, 'syn', REFUSED['syn'])
        quiet(c.connect, (S6, t.port))
        time.sleep(.1)
        c.close()
