"""Sockets that somebody else destroys (ss -K, SOCK_DESTROY by another program), in every state."""
import socket, struct, time
from lab import *

DESTROYED = ['socket-destroy-reset']


def destroy(ns, local, remote):
    """SOCK_DESTROY by this process: no `ss` anywhere. IPv4."""
    with within(ns):
        nl = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4)
    ident = struct.pack('>HH', local[1], remote[1]) + socket.inet_aton(local[0]).ljust(16, b'\0') + socket.inet_aton(remote[0]).ljust(16, b'\0') + struct.pack('I', 0) + b'\xff' * 8
    body = struct.pack('BBBBI', socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xfff) + ident
    nl.send(struct.pack('IHHII', 16 + len(body), 21, 5, 1, 0) + body)
    nl.recv(1000)
    nl.close()


@scenario()
def kill_server_end(t):
    """ss -K of the accepted socket, data read"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', DESTROYED, 'server')
    ss_kill(SRV, f'sport = {t.port} and dport = {c.getsockname()[1]}')
    time.sleep(.2)
    close(c, a, l)


@scenario()
def kill_client_end_v6(t):
    """ss -K of the client's socket, IPv6, with an answer that it has not read"""
    l, c, a = pair(t.port, v6=True)
    c.sendall(b'q')
    a.recv(1)
    a.sendall(b'unread answer')
    time.sleep(.1)
    t.say(c, 'close', DESTROYED, 'client')
    ss_kill(CLI, f'dport = {t.port}')
    time.sleep(.2)
    close(c, a, l)


@scenario(quick=True)
def kill_by_other_program(t):
    """SOCK_DESTROY through netlink by a program that is not ss"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', DESTROYED, 'server')
    destroy(SRV, (S4, t.port), c.getsockname())
    time.sleep(.2)
    close(c, a, l)


@scenario()
def kill_listener_with_accepted(t):
    """ss -K of the listener: what it had not accepted is reset, what it had accepted lives on"""
    l = listener(t.port)
    c1 = connect(t.port)
    a1 = l.accept()[0]
    c2, c3 = connect(t.port), connect(t.port)
    time.sleep(.1)
    t.say(c2, 'close', 'listener-closed-reset', 'server')
    t.say(c3, 'close', 'listener-closed-reset', 'server')
    ss_kill(SRV, f'-l sport = {t.port}')
    time.sleep(.2)
    talk(c1, a1)
    t.say(c1, 'close', 'graceful-close')
    close(c1, a1, c2, c3, l)


@scenario()
def kill_request(t):
    """ss -K of a request (SYN_RECV) whose last ACK a firewall holds back; then the client's data meet the listener"""
    l = listener(t.port)
    with Firewall(SRV, 'input', to_server(t.port, 'tcp flags & (syn|ack) == ack drop')):
        c = connect(t.port)
        t.say(c, 'syn', ['netfilter-drop', 'handshake-unfinished', '-'])
        ss_kill(SRV, f'state syn-recv sport = {t.port}')
        time.sleep(.1)
    t.say(c, 'close', ['stray-ack-reset', 'socket-destroy-reset'], 'server')
    quiet(c.send, b'hello')
    time.sleep(.3)
    close(c, l)


@scenario()
def kill_time_wait(t):
    """ss -K of a TIME_WAIT minisock: silent; the same client port connects anew"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.close()
    time.sleep(.1)
    c.close()
    time.sleep(.1)
    cp = int(sh(f'ss -Htan state time-wait sport = {t.port}', SRV, stdout=-1).stdout.split()[3].rsplit(':', 1)[1])
    ss_kill(SRV, f'state time-wait sport = {t.port}')
    t.say(cp, 'close', 'graceful-close')
    c = connect(t.port, own_port=cp)
    a = l.accept()[0]
    talk(c, a)
    a.close()
    time.sleep(.1)
    close(c, l)


@scenario()
def kill_fin_wait2(t):
    """ss -K of a server socket that had shut down its sending side"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.shutdown(socket.SHUT_WR)
    time.sleep(.2)
    t.say(c, 'close', DESTROYED, 'server')
    ss_kill(SRV, f'state fin-wait-2 sport = {t.port}')
    time.sleep(.2)
    close(c, a, l)


@scenario(quick=True)
def kill_orphan_minisock(t):
    """ss -K of the FIN_WAIT2 minisock after close(): silent; then the client sends and meets nothing, the listener being gone"""
    l, c, a = pair(t.port)
    talk(c, a)
    l.close()
    a.close()
    time.sleep(.1)
    ss_kill(SRV, f'state fin-wait-2 sport = {t.port}')
    time.sleep(.1)
    t.say(c, 'close', 'no-socket-reset', 'server')
    quiet(c.send, b'late')
    time.sleep(.2)
    c.close()


@scenario()
def kill_orphan_minisock_listener(t):
    """the same, and the listener is there: it is what answers"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.close()
    time.sleep(.1)
    ss_kill(SRV, f'state fin-wait-2 sport = {t.port}')
    time.sleep(.1)
    t.say(c, 'close', ['no-socket-reset', 'stray-ack-reset'], 'server')
    quiet(c.send, b'late')
    time.sleep(.2)
    close(c, l)


@scenario()
def kill_close_wait(t):
    """ss -K of a server socket in CLOSE_WAIT, all read"""
    l, c, a = pair(t.port)
    talk(c, a)
    c.shutdown(socket.SHUT_WR)
    take(a, 1)
    time.sleep(.1)
    t.say(c, 'close', DESTROYED, 'server')
    ss_kill(SRV, f'state close-wait sport = {t.port}')
    time.sleep(.2)
    close(c, a, l)


@scenario()
def kill_close_wait_unread(t):
    """ss -K of a server socket in CLOSE_WAIT with unread data: destroyed, not closed over unread data"""
    l, c, a = pair(t.port)
    c.sendall(b'never read')
    c.shutdown(socket.SHUT_WR)
    time.sleep(.1)
    t.say(c, 'close', DESTROYED, 'server')
    ss_kill(SRV, f'state close-wait sport = {t.port}')
    time.sleep(.2)
    close(c, a, l)


@scenario()
def kill_syn_sent(t):
    """ss -K of a client in SYN_SENT whose SYNs the router eats: nothing is sent"""
    with Firewall(MID, 'forward', to_server(t.port, 'drop')):
        c = client()
        c.setblocking(False)
        c.connect_ex((S4, t.port))
        time.sleep(1.3)
        t.say(c, 'syn', ['netfilter-drop', 'syn-lost-on-path', 'unanswered-syn'], maybe=['connect-abandoned'])
        ss_kill(CLI, f'state syn-sent dport = {t.port}')
        time.sleep(.1)
        c.close()


@scenario()
def kill_last_ack(t):
    """ss -K of a server in LAST_ACK whose FIN nobody acknowledges"""
    l, c, a = pair(t.port)
    talk(c, a)
    c.shutdown(socket.SHUT_WR)
    take(a, 1)
    with Firewall(MID, 'forward', to_client(t.port, 'drop')):
        a.shutdown(socket.SHUT_WR)
        time.sleep(.7)
        t.say(c, 'close', DESTROYED, 'server')
        ss_kill(SRV, f'state last-ack sport = {t.port}')
        time.sleep(.3)
    close(c, a, l)


@scenario()
def kill_reset_lost(t):
    """ss -K of the server's socket; the router eats the RST, and the client's next data find no socket"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', ['socket-destroy-reset', 'no-socket-reset', 'stray-ack-reset'], 'server')
    with Firewall(MID, 'forward', to_client(t.port, 'tcp flags & rst == rst drop')):
        ss_kill(SRV, f'sport = {t.port} and dport = {c.getsockname()[1]}')
        time.sleep(.2)
    quiet(c.send, b'more')
    time.sleep(.2)
    close(c, a, l)
