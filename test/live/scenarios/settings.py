"""Small limits, odd settings of hosts and sockets, and what the kernel can do besides."""
import os, random, socket, struct, subprocess, threading, time
from lab import *
from processes import LATE, UNREAD

GIVEN_UP = ['retransmission-timeout', 'peer-silent', 'idle-mapping-expired']
UNANSWERED = ['unanswered-syn', 'connect-abandoned', 'netfilter-drop', 'syn-lost-on-path']


@scenario(alone=True)
def few_retries(t):
    """tcp_retries2=2: the router eats the client's data, which is given up after three tries"""
    with sysctl(CLI, net__ipv4__tcp_retries2=2):
        l, c, a = pair(t.port)
        talk(c, a)
        t.say(c, 'close', GIVEN_UP, 'client')
        with Firewall(MID, 'forward', to_server(t.port, 'drop')):
            c.sendall(b'lost')
            quiet(c.recv, 1)
            time.sleep(.1)
            close(c, a, l)
            time.sleep(.1)


@scenario(alone=True)
def few_syn_retries(t):
    """tcp_syn_retries=1, no linear timeouts: connect() fails after 3 s, the router ate it"""
    with sysctl(CLI, net__ipv4__tcp_syn_retries=1, net__ipv4__tcp_syn_linear_timeouts=0):
        l = listener(t.port)
        c = client()
        t.say(c, 'syn', UNANSWERED)
        with Firewall(MID, 'forward', to_server(t.port, 'drop')):
            quiet(c.connect, (S4, t.port))
        close(c, l)


@scenario(alone=True)
def short_fin_timeout(t):
    """tcp_fin_timeout=1: the server closes, FIN_WAIT2 ends after a second; the client speaks after 2.5 and meets the listener"""
    with sysctl(SRV, net__ipv4__tcp_fin_timeout=1):
        l, c, a = pair(t.port)
        talk(c, a)
        a.close()
        time.sleep(2.5)
        t.say(c, 'close', ['fin-wait2-expired-reset', 'stray-ack-reset'], 'server')
        quiet(c.send, b'late')
        time.sleep(.2)
        close(c, l)


@scenario(alone=True)
def somaxconn_changed(t):
    """somaxconn=1 when the listener starts: it takes two; then somaxconn=64 and listen() anew: all are taken"""
    with sysctl(SRV, net__core__somaxconn=1):
        l = listener(t.port, backlog=64)
        first = [connect(t.port) for _ in range(2)]
        late = [client() for _ in range(2)]
        for c in late:
            c.setblocking(False)
            c.connect_ex((S4, t.port))
        time.sleep(.5)
    l.listen(64)
    time.sleep(1.5)
    for c in late:
        t.say(c, 'syn', ['accept-queue-overflow-syn', 'unanswered-syn', '-'])
    for c in first + late:
        t.say(c, 'close', 'listener-closed-reset', 'server')
    l.close()
    time.sleep(.2)
    close(*first, *late)


@scenario(alone=True)
def request_expires(t):
    """tcp_synack_retries=1 and the last ACK swallowed for 5 s: the request expires; the client's data then meet the listener"""
    with sysctl(SRV, net__ipv4__tcp_synack_retries=1):
        l = listener(t.port)
        with Firewall(MID, 'forward', to_server(t.port, 'tcp flags & (syn|ack) == ack drop')):
            c = connect(t.port)
            time.sleep(5)
        t.say(c, 'syn', ['handshake-unfinished', 'netfilter-drop', 'request-expired-reset', '-'])
        t.say(c, 'close', ['request-expired-reset', 'stray-ack-reset'], 'server')
        quiet(c.send, b'hello')
        time.sleep(.3)
        close(c, l)


@scenario(alone=True)
def deferred_silent_client(t):
    """TCP_DEFER_ACCEPT of 1 s and a client that says nothing for 5 s, then speaks: what becomes of it the client sees"""
    with sysctl(SRV, net__ipv4__tcp_synack_retries=1):
        l = listener(t.port, options=[option(DEFER_ACCEPT, 1)])
        c = connect(t.port)
        time.sleep(5)
        quiet(c.send, b'hello')
        time.sleep(.3)
        gone = isinstance(quiet(c.send, b'hello'), OSError)
        t.say(c, 'syn', ['deferred-accept', '-'])
        if gone:
            t.say(c, 'close', ['request-expired-reset', 'stray-ack-reset'], 'server')
        else:
            t.say(c, 'close', 'listener-closed-reset', 'server')
        l.close()
        time.sleep(.2)
        c.close()


@scenario(alone=True)
def fast_open_stale_cookie(t):
    """the server's Fast Open key changes: the cookie is wrong, the data in the SYN are not taken, and are sent again"""
    l = listener(t.port, options=[option(FASTOPEN, 10)])

    def dial():
        c = make(CLI)
        c.settimeout(None)
        c.sendto(b'question', socket.MSG_FASTOPEN, (S4, t.port))
        a = l.accept()[0]
        take(a, 8)
        a.sendall(b'answer')
        take(c, 6)
        return c, a
    with sysctl(SRV, net__ipv4__tcp_fastopen_key='1-2-3-4'):
        c, a = dial()
        t.say(c, 'close', 'graceful-close')
        close(c, a)
    with sysctl(SRV, net__ipv4__tcp_fastopen_key='5-6-7-8'):
        c, a = dial()
        t.say(c, 'close', 'graceful-close')
        close(c, a)
    time.sleep(.1)
    l.close()


@scenario()
def fast_open_not_offered(t):
    """the client asks for a Fast Open cookie of a listener without it; its data come later; closed over unread"""
    l = listener(t.port)
    c = make(CLI)
    c.settimeout(None)
    c.sendto(b'question', socket.MSG_FASTOPEN, (S4, t.port))
    a = l.accept()[0]
    time.sleep(.2)
    t.say(c, 'close', UNREAD, 'server')
    a.close()
    time.sleep(.2)
    close(c, l)


@scenario(alone=True)
def no_timestamps(t):
    """tcp_timestamps=0, no SACK, no window scale: unread, linger 0, listener closed, closed port"""
    with sysctl(SRV, net__ipv4__tcp_timestamps=0, net__ipv4__tcp_sack=0, net__ipv4__tcp_window_scaling=0), sysctl(CLI, net__ipv4__tcp_timestamps=0):
        l = listener(t.port)
        for rule in (UNREAD, 'linger-zero-reset', 'graceful-close'):
            c = connect(t.port)
            a = l.accept()[0]
            talk(c, a)
            t.say(c, 'close', rule, None if rule == 'graceful-close' else 'server')
            if rule == UNREAD:
                c.sendall(b'never read')
                time.sleep(.1)
            if rule == 'linger-zero-reset':
                a.setsockopt(*LINGER0)
            a.close()
            time.sleep(.2)
            c.close()
        c = connect(t.port)
        t.say(c, 'close', 'listener-closed-reset', 'server')
        time.sleep(.1)
        l.close()
        time.sleep(.2)
        c.close()
        d = client()
        t.say(d, 'close', 'connection-refused', 'server')
        quiet(d.connect, (S4, t.port))
        time.sleep(.1)
        d.close()


@scenario()
def sockets_own_ttl(t):
    """the accepted sockets have an IP_TTL of 128 (and a TOS) of their own, the kernel's answers without a socket have 64: late data, unread data, linger 0"""
    l = listener(t.port)
    for rule in (LATE, [UNREAD], ['linger-zero-reset']):
        c = connect(t.port)
        a = l.accept()[0]
        a.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 128)
        a.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x28)
        talk(c, a)
        t.say(c, 'close', rule, 'server')
        if rule == [UNREAD]:
            c.sendall(b'never read')
            time.sleep(.1)
        if rule == ['linger-zero-reset']:
            a.setsockopt(*LINGER0)
        a.close()
        time.sleep(.1)
        quiet(c.send, b'late')
        time.sleep(.2)
        c.close()
    l.close()


@scenario(alone=True)
def ttl_changed_at_run_time(t):
    """ip_default_ttl of the server changes while connections live: the kernel's RST for late data has another TTL than its data"""
    l, c, a = pair(t.port)
    talk(c, a)
    with sysctl(SRV, net__ipv4__ip_default_ttl=200):
        t.say(c, 'close', LATE, 'server')
        a.close()
        time.sleep(.1)
        quiet(c.send, b'late')
        time.sleep(.3)
    close(c, l)


@scenario()
def minimal_ttl(t):
    """the listener asks for an IP_MINTTL of 255: SYNs over a router are dropped without a word"""
    l = listener(t.port, options=[(socket.IPPROTO_IP, 21, 255)])
    c = client(timeout=2.4)
    t.say(c, 'syn', ['other-ingress-drop', *UNANSWERED])
    quiet(c.connect, (S4, t.port))
    close(c, l)


def filtering(program):
    """Attaches a classic BPF program."""
    code = b''.join(struct.pack('HBBI', *line) for line in program)
    buffer = ctypes.create_string_buffer(code)
    filtering.kept = getattr(filtering, 'kept', []) + [buffer]
    return struct.pack('HxxxxxxP', len(program), ctypes.addressof(buffer))


@scenario()
def socket_filter_on_listener(t):
    """a socket filter (SO_ATTACH_FILTER) on the listener refuses everything"""
    l = listener(t.port)
    l.setsockopt(socket.SOL_SOCKET, 26, filtering([(6, 0, 0, 0)]))
    c = client(timeout=2.4)
    t.say(c, 'syn', ['other-ingress-drop', *UNANSWERED])
    quiet(c.connect, (S4, t.port))
    close(c, l)


@scenario()
def socket_filter_on_accepted(t):
    """a socket filter on the accepted socket refuses everything from now on: the client gives up"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.setsockopt(socket.SOL_SOCKET, 26, filtering([(6, 0, 0, 0)]))
    c.setsockopt(*option(USER_TIMEOUT, 1500))
    t.say(c, 'close', [*GIVEN_UP, 'no-socket-reset', 'stray-ack-reset'])
    c.sendall(b'lost')
    quiet(c.recv, 1)
    time.sleep(.1)
    c.close()
    a.close()
    time.sleep(.5)
    l.close()


def md5_key(family_address, key=b'secret'):
    storage = struct.pack('HH', socket.AF_INET, 0) + socket.inet_aton(family_address)
    return (socket.IPPROTO_TCP, 14, storage.ljust(128, b'\0') + struct.pack('BBHI', 0, 0, len(key), 0) + key.ljust(80, b'\0'))


@scenario()
def md5_without_key(t):
    """the listener wants signatures (TCP MD5), the client has none: its SYNs are dropped"""
    l = listener(t.port, options=[md5_key(C4)])
    c = client(timeout=2.4)
    t.say(c, 'syn', ['other-ingress-drop', *UNANSWERED])
    quiet(c.connect, (S4, t.port))
    close(c, l)


@scenario()
def md5_signed(t):
    """both sign: one in order, one over unread data; then a forged RST without a signature is ignored"""
    l = listener(t.port, options=[md5_key(C4)])
    for rule, side in (('graceful-close', None), (UNREAD, 'server')):
        c = connect(t.port, options=[md5_key(S4)])
        a = l.accept()[0]
        talk(c, a)
        t.say(c, 'close', rule, side)
        if side:
            c.sendall(b'never read')
            time.sleep(.1)
        else:
            w = Wire(t.port)
            talk(c, a)
            forged_reset(w, c, t.port, 'client', ttl=64)
            time.sleep(.2)
            talk(c, a)
        a.close()
        time.sleep(.2)
        c.close()
    time.sleep(.1)
    l.close()


@scenario()
def repair_vanishes(t):
    """a socket in TCP_REPAIR is closed: neither FIN nor RST; the client's next data meet the listener"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.setsockopt(*option(19, 1))
    a.close()
    time.sleep(.3)
    t.say(c, 'close', ['stray-ack-reset', 'no-socket-reset'], 'server')
    quiet(c.send, b'anyone?')
    time.sleep(.2)
    close(c, l)


@scenario()
def repair_made_up(t):
    """a socket that TCP_REPAIR makes established without a handshake: its data meet a listener that knows nothing"""
    l = listener(t.port)
    c = client()
    c.setsockopt(*option(19, 1))
    c.connect((S4, t.port))
    c.setsockopt(*option(19, 0))
    t.say(c, 'close', ['stray-ack-reset'], 'server')
    quiet(c.send, b'hello')
    time.sleep(.3)
    close(c, l)


@scenario()
def v6_extension_headers(t):
    """IPv6 with destination options on every segment: in order, unread, closed port"""
    header = (socket.IPPROTO_IPV6, 59, bytes([0, 0, 1, 4, 0, 0, 0, 0]))
    l = listener(t.port, v6=True)
    for rule, side in (('graceful-close', None), (UNREAD, 'server')):
        c = connect(t.port, v6=True, options=[header])
        a = l.accept()[0]
        talk(c, a)
        t.say(c, 'close', rule, side)
        if side:
            c.sendall(b'never read')
            time.sleep(.1)
        a.close()
        time.sleep(.2)
        c.close()
    l.close()
    c = client(v6=True, options=[header])
    t.say(c, 'close', 'connection-refused', 'server', port=t.port + 1)
    quiet(c.connect, (S6, t.port + 1))
    time.sleep(.1)
    c.close()


@scenario()
def v4_mapped(t):
    """an IPv6 socket connects to ::ffff:a.b.c.d: linger 0 of the client, refusal, late data"""
    l = listener(t.port, v6=True)
    for rule in (['linger-zero-reset'], LATE):
        c = make(CLI, v6=True)
        c.connect(('::ffff:' + S4, t.port))
        a = l.accept()[0]
        talk(c, a)
        t.say(c, 'close', rule, 'client')
        if rule == ['linger-zero-reset']:
            c.setsockopt(*LINGER0)
        c.close()
        time.sleep(.1)
        quiet(a.send, b'late')
        time.sleep(.1)
        a.close()
    l.close()
    c = make(CLI, v6=True)
    c.bind(('::ffff:' + C4, 0))
    t.say(c, 'close', 'connection-refused', 'server')
    quiet(c.connect, ('::ffff:' + S4, t.port))
    time.sleep(.1)
    c.close()


@scenario()
def forged_icmp_soft(t):
    """somebody sends ICMP port unreachable and source quench about an established connection: it goes on, and ends in order"""
    w = Wire(t.port)
    l, c, a = pair(t.port)
    talk(c, a)
    cp = c.getsockname()[1]
    seq, ack = w.numbers(cp, t.port)
    quoted = struct.pack('>BBHHHBBH', 0x45, 0, 60, 1, 0x4000, 64, 6, 0) + socket.inet_aton(C4) + socket.inet_aton(S4) + struct.pack('>HHI', cp, t.port, (seq - 1) % 2**32)
    for kind, code in ((3, 3), (3, 1), (4, 0)):
        body = struct.pack('>BBHI', kind, code, 0, 0) + quoted
        body = body[:2] + struct.pack('>H', checksum(body)) + body[4:]
        with within(MID):
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
        raw.sendto(body, (C4, 0))
        raw.close()
    time.sleep(.3)
    talk(c, a)
    t.say(c, 'close', 'graceful-close')
    close(c, a)
    time.sleep(.1)
    l.close()


@scenario()
def forged_resets_outside(t):
    """RSTs with numbers inside the window but not exact, and a SYN: challenge ACKs; the connection goes on, and ends in order"""
    w = Wire(t.port)
    l, c, a = pair(t.port)
    talk(c, a)
    cp = c.getsockname()[1]
    seq, ack = w.numbers(cp, t.port)
    for shift, flags in ((100, RST), (5000, RST | ACK), (-1, RST), (300, SYN)):
        forge(MID, (C4, cp), (S4, t.port), seq + shift, ack, flags, ttl=63)
        time.sleep(.7)
    talk(c, a)
    t.say(c, 'close', 'graceful-close')
    close(c, a)
    time.sleep(.1)
    l.close()


@scenario()
def injected_data(t):
    """the router injects data in the client's name; the numbers part: both acknowledge what the other does not know; the client ends it by linger 0, with numbers that the server no longer takes"""
    w = Wire(t.port)
    l, c, a = pair(t.port)
    talk(c, a)
    cp = c.getsockname()[1]
    seq, ack = w.numbers(cp, t.port)
    forge(MID, (C4, cp), (S4, t.port), seq, ack, PSH | ACK, b'INJECTED', ttl=63, window=502)
    time.sleep(.3)
    take(a, 8)
    t.say(c, 'close', ['linger-zero-reset', 'unread-data-reset', 'disconnect-reset', 'middlebox-reset', 'unexplained-reset', 'no-socket-reset', 'stray-ack-reset'])
    c.setsockopt(*LINGER0)
    c.close()
    time.sleep(.3)
    quiet(a.send, b'are you there?')
    time.sleep(.3)
    close(a, l)


@scenario()
def half_open_scan(t):
    """a scanner: SYN by a raw socket, its kernel refuses the SYN-ACK; of two ports one is closed"""
    l = listener(t.port)
    for n, (port, rule, side) in enumerate(((t.port, ['no-socket-reset'], 'client'), (t.port + 1, ['connection-refused'], 'server'))):
        t.say(33333 + t.port % 1000 + n, 'close', rule, side, port=port)
        forge(CLI, (C4, 33333 + t.port % 1000 + n), (S4, port), 1000000, 0, SYN, window=1024, options=b'\x02\x04\x05\xb4')
        time.sleep(.2)
    l.close()


@scenario()
def syn_with_payload(t):
    """a SYN with data but without Fast Open, by a raw socket; the client's host drops its own kernel's RST"""
    l = listener(t.port)
    cp = 34333 + t.port % 1000
    t.say(cp, 'syn', ['handshake-unfinished', '-'])
    with Firewall(CLI, 'output', to_server(t.port, 'tcp flags & rst == rst drop')):
        forge(CLI, (C4, cp), (S4, t.port), 1000000, 0, SYN, b'data in a SYN', window=1024, options=b'\x02\x04\x05\xb4')
        time.sleep(2)
    l.close()
    time.sleep(.1)


@scenario()
def flags_of_scanners(t):
    """no flags, FIN alone, all flags, SYN|FIN, SYN|RST at an open and at a closed port"""
    l = listener(t.port)
    for n, flags in enumerate((0, FIN, FIN | PSH | 0x20, SYN | FIN, SYN | RST, 0x3f)):
        for port in (t.port, t.port + 1):
            forge(CLI, (C4, 35333 + 10 * n + port - t.port), (S4, port), 1000000, 0, flags, window=1024)
            t.say(35333 + 10 * n + port - t.port, 'close', ['connection-refused', 'no-socket-reset', '-'], port=port, maybe=['unexplained-reset'])
            time.sleep(.05)
    l.close()


@scenario()
def mptcp_subflow_killed(t):
    """MPTCP: ss -K of the only subflow at the server"""
    l, c, a = pair(t.port, proto=MPTCP)
    talk(c, a)
    t.say(c, 'close', ['socket-destroy-reset'], 'server')
    ss_kill(SRV, f'sport = {t.port} and dport = {c.getsockname()[1]}')
    time.sleep(.5)
    close(c, a, l)


@scenario()
def mptcp_stripped(t):
    """MPTCP at both ends, but the options are stripped on the way (plain TCP by fallback): in order, then over unread data"""
    with Firewall(MID, 'forward', f'tcp dport {t.port} tcp flags & syn == syn reset tcp option mptcp', f'tcp sport {t.port} tcp flags & syn == syn reset tcp option mptcp'):
        l = listener(t.port, proto=MPTCP)
        for rule, side in (('graceful-close', None), (UNREAD, 'server')):
            c = connect(t.port, proto=MPTCP)
            a = l.accept()[0]
            talk(c, a)
            t.say(c, 'close', rule, side)
            if side:
                c.sendall(b'never read')
                time.sleep(.1)
            a.close()
            time.sleep(.2)
            c.close()
        time.sleep(.1)
        l.close()


@scenario()
def killed_in_syn_recv_and_fin_wait1(t):
    """ss -K while the FIN is unacknowledged (the router eats it)"""
    l, c, a = pair(t.port)
    talk(c, a)
    with Firewall(MID, 'forward', to_client(t.port, 'tcp flags & fin == fin drop')):
        a.shutdown(socket.SHUT_WR)
        time.sleep(.1)
        t.say(c, 'close', 'socket-destroy-reset', 'server')
        ss_kill(SRV, f'state fin-wait-1 sport = {t.port}')
        time.sleep(.2)
    close(c, a, l)


@scenario(alone=True)
def xdp_drops(t):
    """an XDP program (generic) at the server's interface drops the SYNs before any tap sees them"""
    folder = f'/dev/shm/lab-xdp-{os.getpid()}'
    os.makedirs(folder)
    open(f'{folder}/x.c', 'w').write('__attribute__((section("xdp"),used)) int x(void *c) { return 1; }')
    must(f'clang -O2 -target bpf -c {folder}/x.c -o {folder}/x.o; ip link set eth0 xdpgeneric obj {folder}/x.o sec xdp', SRV)
    try:
        l = listener(t.port)
        c = client(timeout=2.4)
        t.say(c, 'syn', ['other-ingress-drop', *UNANSWERED])
        quiet(c.connect, (S4, t.port))
        close(c, l)
    finally:
        sh(f'ip link set eth0 xdpgeneric off; rm -r {folder}', SRV)


@scenario()
def retried_by_others(t):
    """three servers and four clients at once: each client asks each server; one server is closed, one slow to read, one resets"""
    closed, slow, rude = t.port, t.port + 1, t.port + 2
    ls, lr = listener(slow), listener(rude)
    for n in range(4):
        c = client()
        t.say(c, 'close', 'connection-refused', 'server', port=closed)
        quiet(c.connect, (S4, closed))
        c.close()
        c = connect(slow)
        a = ls.accept()[0]
        talk(c, a)
        t.say(c, 'close', 'graceful-close', port=slow)
        c.shutdown(socket.SHUT_WR)
        time.sleep(.1)
        close(a, c)
        c = connect(rude)
        a = lr.accept()[0]
        talk(c, a)
        a.setsockopt(*LINGER0)
        t.say(c, 'close', 'linger-zero-reset', 'server', port=rude)
        a.close()
        time.sleep(.05)
        c.close()
    close(ls, lr)
