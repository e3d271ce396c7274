"""What a router with connection tracking does: entries that expire, collide, are in the wrong zone; rejects in every hook; synproxy; hairpins."""
import os, socket, time
from lab import *

UNREAD = 'unread-data-reset'
GIVEN_UP = ['retransmission-timeout', 'peer-silent', 'idle-mapping-expired']
FORGED = ['middlebox-reset', 'unexplained-reset', 'no-socket-reset', 'stray-ack-reset', 'idle-mapping-expired', 'untranslated-packet-reset']
UNANSWERED = ['unanswered-syn', 'connect-abandoned', 'netfilter-drop', 'syn-lost-on-path']


def masquerade(port, to=''):
    return Firewall(MID, 'postrouting', f'oifname "server" tcp dport {port} masquerade {to}', kind='nat', priority=100)


STRICT = 'ct state invalid drop'


@scenario(alone=True)
def half_closed_entry_expires(t):
    """the client half-closes and waits; the router forgets half-closed connections after a second; the server's answer after two is dropped as invalid; the server gives up"""
    with sysctl(MID, net__netfilter__nf_conntrack_tcp_timeout_close_wait=1, net__netfilter__nf_conntrack_tcp_timeout_fin_wait=1), \
         Firewall(MID, 'forward', f'tcp sport {t.port} {STRICT}', f'tcp dport {t.port} {STRICT}'):
        l, c, a = pair(t.port)
        c.sendall(b'question')
        c.shutdown(socket.SHUT_WR)
        take(a, 8)
        time.sleep(2.5)
        a.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, 1500)
        t.say(c, 'close', GIVEN_UP)
        a.sendall(b'the late answer')
        quiet(a.recv, 1)
        time.sleep(2)
        close(a, c, l)
        time.sleep(.2)


@scenario(alone=True, at='router')
def masqueraded_entry_expires_server_speaks(t):
    """a masqueraded connection idles beyond the router's timeout; then the server speaks: the router itself answers with a RST, it has no such socket"""
    with masquerade(t.port), sysctl(MID, net__netfilter__nf_conntrack_tcp_timeout_established=1):
        l, c, a = pair(t.port)
        talk(c, a)
        time.sleep(2.5)
        cp = a.getpeername()[1]
        t.say(cp, 'close', FORGED)
        quiet(a.send, b'still there?')
        time.sleep(.3)
        quiet(c.send, b'and you?')
        time.sleep(.3)
        close(c, a, l)


@scenario(at='router')
def source_port_collision(t):
    """masquerade to one single port: the SYN of the second connection meets the first one at the server (challenge ACK, RST), the next find no free tuple and are dropped"""
    with masquerade(t.port, 'to :41000-41000'):
        l, c, a = pair(t.port)
        talk(c, a)
        d = client(timeout=2.3)
        t.say(d, 'syn', [*UNANSWERED, 'syn-on-stale-connection'])
        t.say(41000, 'syn', ['netfilter-drop', 'syn-on-stale-connection', '-'])
        quiet(d.connect, (S4, t.port))
        for port in (c, 41000):
            t.say(port, 'close', ['listener-closed-reset', 'bad-syn-ack-reset', 'no-socket-reset', 'stray-ack-reset', 'middlebox-reset', 'unexplained-reset'])
        close(c, a, d, l)
        time.sleep(.1)


@scenario(at='router')
def port_reused_behind_nat(t):
    """two addresses share one masqueraded port, one after the other; the server still has TIME_WAIT of the first when the SYN of the second comes with other clocks"""
    must('ip addr add 10.78.1.88/24 dev eth0', CLI)
    with masquerade(t.port, 'to :41001-41001'):
        l, c, a = pair(t.port)
        talk(c, a)
        a.close()
        time.sleep(.1)
        t.say(c, 'close', 'graceful-close')
        t.say(41001, 'close', ['graceful-close', 'bad-syn-ack-reset', 'no-socket-reset'])
        t.say(41001, 'syn', ['syn-on-time-wait', '-', *UNANSWERED])
        c.close()
        time.sleep(.2)
        sh('conntrack -F', MID)
        d = make(CLI)
        d.bind(('10.78.1.88', 0))
        d.settimeout(3)
        t.say(d, 'syn', ['syn-on-time-wait', '-', *UNANSWERED])
        t.say(d, 'close', ['graceful-close', 'bad-syn-ack-reset'])
        if not isinstance(quiet(d.connect, (S4, t.port)), OSError):
            b = l.accept()[0]
            talk(d, b)
            d.close()
            b.close()
        d.close()
        time.sleep(.2)
        l.close()
    sh('ip addr del 10.78.1.88/24 dev eth0', CLI)


@scenario(at='router')
def reply_in_other_zone(t):
    """the two directions are tracked in two zones: the SYN-ACK is nobody's reply and is dropped as invalid"""
    with Firewall(MID, 'prerouting', f'iifname "client" tcp dport {t.port} ct zone set 1', f'iifname "server" tcp sport {t.port} ct zone set 2', priority=-300), \
         Firewall(MID, 'forward', f'tcp sport {t.port} {STRICT}'):
        l = listener(t.port)
        c = client(timeout=2.5)
        t.say(c, 'syn', ['netfilter-drop', 'syn-ack-lost-on-path', 'handshake-unfinished', *UNANSWERED])
        quiet(c.connect, (S4, t.port))
        close(c, l)


@scenario()
def hairpin(t):
    """the server connects to its own published port at the router; the translated SYN has its own source address and is dropped as a martian"""
    with Firewall(MID, 'prerouting', f'tcp dport {t.port} dnat ip to {S4}:{t.port + 1}', kind='nat', priority=-100):
        l = listener(t.port + 1)
        c = make(SRV)
        c.bind((S4, 0))
        c.settimeout(2.4)
        for port in (t.port, t.port + 1):
            t.say(c, 'syn', ['martian-drop', 'untranslated-reply', 'other-ingress-drop', 'reverse-path-drop', *UNANSWERED], port=port)
        quiet(c.connect, (S4R, t.port))
        close(c, l)


def rejecting(t, ns, hook, match, then, priority=0, rules=FORGED, table='filter'):
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', rules)
    with Firewall(ns, hook, f'{match} reject with tcp reset', priority=priority):
        then(c, a)
        time.sleep(.3)
    quiet(a.send, b'and now?')
    quiet(c.send, b'and now?')
    time.sleep(.3)
    close(c, a, l)


@scenario()
def reject_output_server(t):
    """the server's output chain rejects its own answer with a RST, which goes to the server itself"""
    rejecting(t, SRV, 'output', to_client(t.port, 'tcp flags & psh == psh'), lambda c, a: quiet(a.send, b'answer'))


@scenario()
def reject_output_client(t):
    """the client's output chain rejects its own request"""
    rejecting(t, CLI, 'output', to_server(t.port, 'tcp flags & psh == psh'), lambda c, a: quiet(c.send, b'request'))


@scenario()
def reject_prerouting_router(t):
    """the router rejects the request before it routes it"""
    rejecting(t, MID, 'prerouting', f'iifname "client" {to_server(t.port, "tcp flags & psh == psh")}', lambda c, a: quiet(c.send, b'request'), priority=-150)


@scenario()
def reject_input_client(t):
    """the client's input chain rejects the answer: RST to the server"""
    rejecting(t, CLI, 'input', to_client(t.port, 'tcp flags & psh == psh'), lambda c, a: quiet(a.send, b'answer'))


@scenario()
def reject_input_server_ack(t):
    """the server's input chain rejects a bare ACK: that of its answer"""
    rejecting(t, SRV, 'input', to_server(t.port, 'tcp flags == ack'), lambda c, a: (a.send(b'answer'), take(c, 6)))


@scenario()
def reject_fin_output_client(t):
    """the client's output chain rejects its own FIN: the orphan is reset by its own host, the server never hears of it"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', FORGED)
    with Firewall(CLI, 'output', to_server(t.port, 'tcp flags & fin == fin reject with tcp reset')):
        c.close()
        time.sleep(.3)
    quiet(a.send, b'and now?')
    time.sleep(.3)
    close(a, l)


@scenario()
def reject_third_ack(t):
    """the server's input chain rejects the last ACK of the handshake with a RST"""
    l = listener(t.port)
    with Firewall(SRV, 'input', to_server(t.port, 'tcp flags == ack reject with tcp reset')):
        c = client()
        quiet(c.connect, (S4, t.port))
        t.say(c, 'close', [*FORGED, 'request-expired-reset'], maybe=['abort-on-overflow-reset', 'linger-zero-reset'])
        t.say(c, 'syn', ['netfilter-drop', 'handshake-unfinished', '-'])
        time.sleep(1.5)
    close(c, l)


def synproxy(port):
    """In front of the server, at the router."""
    return (Firewall(MID, 'prerouting', f'tcp dport {port} tcp flags syn notrack', priority=-300),
            Firewall(MID, 'forward', f'tcp dport {port} ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm', f'ct state invalid tcp dport {port} drop', f'ct state invalid tcp sport {port} drop'))


@scenario(at='router')
def synproxy_orderly_and_unread(t):
    """synproxy at the router: one connection in order, one over unread data"""
    one, two = synproxy(t.port)
    with one, two:
        l = listener(t.port)
        for rule in ('graceful-close', UNREAD):
            c = connect(t.port)
            a = l.accept()[0]
            talk(c, a)
            t.say(c, 'close', rule, 'server' if rule == UNREAD else None)
            if rule == UNREAD:
                c.sendall(b'never read')
                time.sleep(.1)
                a.close()
                time.sleep(.1)
            close(c, a)
            time.sleep(.2)
        l.close()


@scenario(at='router')
def synproxy_closed_port(t):
    """synproxy answers for a port where nobody listens: the client connects, then is reset"""
    one, two = synproxy(t.port)
    with one, two:
        c = client()
        t.say(c, 'close', ['connection-refused', *FORGED])
        t.say(c, 'syn', ['-', 'syn-cookie-handshake', 'handshake-unfinished', 'untranslated-reply'])
        quiet(c.connect, (S4, t.port))
        quiet(c.send, b'hello')
        quiet(c.recv, 1)
        time.sleep(.3)
        c.close()


@scenario()
def rate_limited_syns(t):
    """the server's firewall takes two SYNs a second: of six at once four come later"""
    with Firewall(SRV, 'input', to_server(t.port, 'tcp flags & (syn|ack) == syn limit rate over 2/second burst 2 packets drop')):
        l = listener(t.port)
        cs = [client() for _ in range(6)]
        for c in cs:
            c.setblocking(False)
            c.connect_ex((S4, t.port))
        time.sleep(3.5)
        for c in cs:
            t.say(c, 'syn', ['netfilter-drop', 'unanswered-syn', '-'])
            t.say(c, 'close', ['graceful-close', 'listener-closed-reset', '-'])
        close(*cs)
        time.sleep(.1)
        l.close()
        time.sleep(.1)


@scenario()
def server_dead_drop_all(t):
    """all goes dark in both directions; the client's keepalive (with TCP_USER_TIMEOUT) ends it, the server's process sends later and is alone"""
    l, c, a = pair(t.port)
    talk(c, a)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for number, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (USER_TIMEOUT, 1500)):
        c.setsockopt(*option(number, value))
    a.setsockopt(*option(USER_TIMEOUT, 1500))
    t.say(c, 'close', ['keepalive-timeout-reset', *GIVEN_UP])
    with Firewall(MID, 'forward', f'tcp dport {t.port} drop', f'tcp sport {t.port} drop'):
        quiet(c.recv, 1)
        time.sleep(.3)
        a.sendall(b'anyone?')
        quiet(a.recv, 1)
        time.sleep(.1)
    close(c, a, l)
