"""Limits and options of the kernel: queues, cookies, TIME_WAIT, timers, fast open; many connections with mixed causes."""
import os, random, socket, subprocess, time
from lab import *

LATE = ['data-after-close-reset', 'time-wait-data-reset', 'keep-alive-race']
OVERFLOW = ['accept-queue-overflow-ack', 'accept-queue-overflow-syn']


@scenario()
def defer_accept_closes(t):
    """TCP_DEFER_ACCEPT: the client says nothing and closes"""
    l = listener(t.port, options=[option(DEFER_ACCEPT, 5)])
    c = connect(t.port)
    time.sleep(1.5)
    t.say(c, 'syn', ['deferred-accept', '-'])
    t.say(c, 'close', ['graceful-close', '-'])
    t.say(c, 'stuck', ['close-wait-unaccepted', '-'])
    c.close()
    time.sleep(.2)
    l.settimeout(1)
    a = quiet(l.accept)
    if not isinstance(a, OSError):
        a[0].close()
    time.sleep(.1)
    l.close()


@scenario()
def defer_accept_listener_closed(t):
    """TCP_DEFER_ACCEPT: the listener is closed while the client has said nothing; its data meet no socket"""
    l = listener(t.port, options=[option(DEFER_ACCEPT, 5)])
    c = connect(t.port)
    time.sleep(.4)
    t.say(c, 'syn', ['deferred-accept', '-'])
    t.say(c, 'close', ['no-socket-reset', 'listener-closed-reset'], 'server')
    l.close()
    quiet(c.send, b'hello')
    time.sleep(.2)
    c.close()


@scenario()
def zero_window_user_timeout(t):
    """the peer does not read; TCP_USER_TIMEOUT ends the zero-window probing, in silence; then the peer closes over what it has not read"""
    l, c, a = pair(t.port, options=[SMALL])
    c.setsockopt(*option(USER_TIMEOUT, 1500))
    c.settimeout(1.2)
    t.say(c, 'close', ['retransmission-timeout', 'peer-window-closed', 'peer-silent'], 'client')
    t.say(c, 'close', 'unread-data-reset', 'server')
    while not isinstance(quiet(c.send, b'x' * 50000), OSError):
        pass
    c.settimeout(6)
    while not isinstance(quiet(c.send, b'x' * 50000), OSError):
        pass
    time.sleep(.2)
    close(c, a, l)


@scenario()
def linger2_expired(t):
    """TCP_LINGER2 of 1 s: FIN_WAIT2 ends in silence; then the client sends and meets nobody"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.setsockopt(*option(LINGER2, 1))
    l.close()
    a.close()
    time.sleep(2.6)
    t.say(c, 'close', ['fin-wait2-expired-reset', 'no-socket-reset'], 'server')
    quiet(c.send, b'late')
    time.sleep(.2)
    c.close()


@scenario()
def linger2_within(t):
    """TCP_LINGER2 of 5 s, and the client sends within it: the minisock resets"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.setsockopt(*option(LINGER2, 5))
    a.close()
    time.sleep(.4)
    t.say(c, 'close', LATE, 'server')
    quiet(c.send, b'late')
    time.sleep(.2)
    close(c, l)


@scenario()
def fast_open(t):
    """TCP Fast Open: cookie, then data in the SYN; then the same with the data unread"""
    l = listener(t.port, options=[option(FASTOPEN, 5)])
    for n in range(3):
        c = client(options=[option(FASTOPEN_CONNECT, 1)])
        c.connect((S4, t.port))
        c.sendall(b'in the SYN')
        a = l.accept()[0]
        if n < 2:
            take(a, 10)
        t.say(c, 'close', 'graceful-close' if n < 2 else 'unread-data-reset', None if n < 2 else 'server')
        time.sleep(.1)
        a.close()
        time.sleep(.1)
        c.close()
    l.close()


@scenario()
def fast_open_dropped(t):
    """the SYN with data is eaten, the bare one after it is not"""
    l = listener(t.port, options=[option(FASTOPEN, 5)])
    for n in range(2):
        c = client(options=[option(FASTOPEN_CONNECT, 1)])
        f = Firewall(MID, 'forward', to_server(t.port, 'tcp flags syn ip length > 70 drop'))
        if n:
            f.put()
            t.say(c, 'syn', ['netfilter-drop', 'syn-lost-on-path', 'unanswered-syn', '-'])
        c.connect((S4, t.port))
        c.sendall(b'in the SYN')
        a = l.accept()[0]
        take(a, 10)
        t.say(c, 'close', 'graceful-close')
        c.close()
        time.sleep(.1)
        a.close()
        if n:
            f.off()
    l.close()


@scenario(alone=True)
def cookies_always(t):
    """tcp_syncookies=2: one in order, one over unread data"""
    with sysctl(SRV, net__ipv4__tcp_syncookies=2):
        l = listener(t.port)
        for n in range(2):
            c = connect(t.port)
            a = l.accept()[0]
            talk(c, a)
            t.say(c, 'syn', ['syn-cookie-handshake', '-'])
            t.say(c, 'close', 'unread-data-reset' if n else 'graceful-close', 'server' if n else None)
            if n:
                c.sendall(b'never read')
                time.sleep(.1)
            a.close()
            time.sleep(.1)
            c.close()
        l.close()


@scenario(alone=True)
def cookies_on_flood(t):
    """tcp_syncookies=1, a flood of forged SYNs fills the queue; real clients come in by cookie"""
    with sysctl(SRV, net__ipv4__tcp_syncookies=1):
        l = listener(t.port, backlog=8)
        flood(t, 40)
        for _ in range(3):
            c = connect(t.port)
            a = l.accept()[0]
            talk(c, a)
            t.say(c, 'syn', ['syn-cookie-handshake', 'syn-flood', '-'])
            t.say(c, 'close', 'graceful-close')
            c.close()
            time.sleep(.1)
            a.close()
        l.close()


def flood(t, count):
    for n in range(count):
        forge(CLI, (f'10.78.1.{100 + n % 100}', 1024 + n), (S4, t.port), 1000 * n, 0, SYN, window=1024)
    time.sleep(.1)
    # nobody has these addresses: the router has no neighbour to hand the SYN-ACKs to
    t.say(0, 'syn', ['icmp-rejected', 'syn-ack-lost-on-path', 'syn-flood', 'handshake-unfinished', 'syn-cookie-handshake', 'syn-queue-full-drop', 'syn-backlog-reserve-drop', 'unanswered-syn', '-'])


@scenario(alone=True)
def flood_without_cookies(t):
    """tcp_syncookies=0: the flood keeps a real client out"""
    with sysctl(SRV, net__ipv4__tcp_syncookies=0):
        l = listener(t.port, backlog=8)
        flood(t, 40)
        c = client(timeout=2.4)
        t.say(c, 'syn', ['syn-queue-full-drop', 'syn-backlog-reserve-drop', 'unanswered-syn', 'syn-flood', 'connect-abandoned'])
        quiet(c.connect, (S4, t.port))
        close(c, l)


@scenario()
def overflow_ab(t):
    """ab at a server that accepts slowly from a queue of 3"""
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self):
            time.sleep(.03)
            self.send_response(200)
            self.send_header('Content-Length', '2')
            self.end_headers()
            self.wfile.write(b'ok')

        def log_message(self, *_):
            pass

    class Server(HTTPServer):
        request_queue_size = 2
        handle_error = lambda *_: None  # noqa: E731

    with within(SRV):
        server = Server(('', t.port), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sh(f'timeout 8 ab -q -n 60 -c 12 -s 5 http://{S4}:{t.port}/', CLI)
    server.shutdown()
    server.server_close()
    t.say(0, 'syn', [*OVERFLOW, 'syn-cookie-handshake', 'deferred-accept', 'unanswered-syn', 'handshake-unfinished', 'connect-abandoned', '-'])
    t.say(0, 'close', ['graceful-close', 'listener-closed-reset', 'request-expired-reset', 'stray-ack-reset', 'no-socket-reset', 'unread-data-reset', 'connection-refused', *LATE, '-'])


@scenario(alone=True)
def overflow_abort_ab(t):
    """the same with tcp_abort_on_overflow"""
    with sysctl(SRV, net__ipv4__tcp_abort_on_overflow=1):
        overflow_ab(t)
        for known in t.truth:
            known['rule'] += ['abort-on-overflow-reset']


@scenario(alone=True)
def time_wait_at_limit(t):
    """tcp_max_tw_buckets=2: of five connections that the server closed first the later three have no minisock"""
    with sysctl(SRV, net__ipv4__tcp_max_tw_buckets=2):
        l = listener(t.port)
        ends = []
        for _ in range(5):
            c = connect(t.port)
            a = l.accept()[0]
            talk(c, a)
            ends.append((c, a))
        for n, (c, a) in enumerate(ends):
            t.say(c, 'close', ['graceful-close', 'stray-ack-reset', 'no-socket-reset'])
            t.say(c, 'fin-wait2', ['time-wait-overflow', 'fin-wait2-in-minisock', 'delayed-ack-of-fin', '-'])
            a.close()
            time.sleep(.1)
        for c, _ in ends:
            c.close()
            time.sleep(.05)
        time.sleep(.2)
        l.close()


@scenario()
def reuse_in_time_wait(t):
    """the client comes again from the same port while the server's TIME_WAIT stands"""
    l, c, a = pair(t.port)
    cp = c.getsockname()[1]
    talk(c, a)
    a.close()
    time.sleep(.1)
    c.close()
    time.sleep(.2)
    t.say(cp, 'close', 'graceful-close')
    t.say(cp, 'syn', ['syn-on-time-wait', '-'])
    c = connect(t.port, own_port=cp)
    a = l.accept()[0]
    talk(c, a)
    a.close()
    time.sleep(.1)
    close(c, l)


@scenario()
def reuse_over_established(t):
    """the client's socket vanished without a word; it comes again from the same port to a server that still has the old one"""
    l, c, a = pair(t.port)
    cp = c.getsockname()[1]
    talk(c, a)
    with Firewall(CLI, 'output', to_server(t.port, 'tcp flags & rst == rst drop')):
        unspec(c)
        c.close()
        time.sleep(.1)
    t.say(cp, 'syn', ['syn-on-stale-connection', '-'])
    t.say(cp, 'close', ['graceful-close', 'disconnect-reset', 'bad-syn-ack-reset'])
    c = connect(t.port, own_port=cp)
    b = l.accept()[0]
    talk(c, b)
    c.close()
    time.sleep(.1)
    close(a, b, l)


@scenario()
def dual_stack_mixed(t):
    """one dual-stack listener: IPv4 in order, IPv6 over unread data, IPv6 linger 0, IPv4 into a closed port beside it"""
    l = listener(t.port, v6=True)
    three_ends(t, l, (False, True, True))
    c = client()
    t.say(c, 'close', 'connection-refused', 'server', port=t.port + 1)
    quiet(c.connect, (S4, t.port + 1))
    time.sleep(.1)
    close(c, l)


@scenario()
def many_mixed(t):
    """180 connections at once to three servers, nine causes mixed"""
    chance = random.Random(13)
    ends = []
    for n in range(3):
        l = listener(t.port + n, backlog=100, v6=n == 2)
        for _ in range(60):
            c = connect(t.port + n, v6=n == 2)
            ends.append((c, l.accept()[0], t.port + n))
        l.close()
    chance.shuffle(ends)
    for n, (c, a, port) in enumerate(ends):
        way = n % 9
        rule, side = [('graceful-close', None), ('graceful-close', None), ('unread-data-reset', 'server'), ('unread-data-reset', 'client'), ('linger-zero-reset', 'client'),
                      ('linger-zero-reset', 'server'), ('disconnect-reset', 'server'), (LATE, 'server'), ('no-socket-reset', 'server')][way]
        t.say(c, 'close', rule, side, port=port)
        if way == 0:
            close(c, a)
        if way == 1:
            talk(c, a)
            close(a, c)
        if way in (2, 3):
            (c if way == 2 else a).sendall(b'never read')
            time.sleep(.004)
            (a if way == 2 else c).close()
        if way in (4, 5):
            (c if way == 4 else a).setsockopt(*LINGER0)
            (c if way == 4 else a).close()
        if way == 6:
            unspec(a)
        if way == 7:
            a.close()
            time.sleep(.004)
            quiet(c.send, b'late')
        if way == 8:
            a.close()
            time.sleep(.004)
            sh(f'ss -K -tn sport = {port} and dport = {c.getsockname()[1]}', SRV)
            quiet(c.send, b'late')
    time.sleep(.3)
    for c, a, _ in ends:
        close(c, a)
