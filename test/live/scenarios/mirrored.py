"""Copies that nft makes, a transparent proxy in the router, and timeouts that meet: a user timeout with keepalive."""
import contextlib, socket, time
from lab import *



@contextlib.contextmanager
def mirrored(device, to):
    """Everything that comes in by a device of the router leaves by another as well, as it came."""
    table = f'{TAG}_mirror'
    must(f"nft 'table netdev {table} {{ chain c {{ type filter hook ingress device {device} priority 0; dup to {to}; }}; }}'", MID)
    try:
        yield
    finally:
        sh(f'nft delete table netdev {table}', MID)


@scenario(alone=True)
def mirrored_to_server(t):
    """the router copies what the client sends to the server's link, with the router's address as destination: the capture there has both, the kernel takes one"""
    with mirrored('client', 'server'):
        l = listener(t.port)
        three_ends(t, l)
        l.close()


@scenario(alone=True)
def mirrored_back(t):
    """the router copies what the server sends back to the server's link"""
    with mirrored('server', 'server'):
        l = listener(t.port)
        three_ends(t, l)
        l.close()


@scenario()
def user_timeout_with_keepalive(t):
    """idle, keepalive every second, TCP_USER_TIMEOUT 2 s; the router eats all: the client resets"""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), option(socket.TCP_KEEPIDLE, 1), option(socket.TCP_KEEPINTVL, 1), option(socket.TCP_KEEPCNT, 9), option(USER_TIMEOUT, 2000)]
    l, c, a = pair(t.port, client_options=options)
    talk(c, a)
    t.say(c, 'close', 'keepalive-timeout-reset', 'client')
    with Firewall(MID, 'forward', to_server(t.port, 'drop')):
        quiet(c.recv, 1)
        time.sleep(.3)
        close(c)
    time.sleep(.1)
    close(a, l)


@scenario()
def user_timeout_with_data(t):
    """the same with data on the way: they are given up in silence, no keepalive is due"""
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), option(socket.TCP_KEEPIDLE, 1), option(socket.TCP_KEEPINTVL, 1), option(socket.TCP_KEEPCNT, 9), option(USER_TIMEOUT, 2000)]
    l, c, a = pair(t.port, client_options=options)
    talk(c, a)
    t.say(c, 'close', ['retransmission-timeout', 'peer-silent', 'idle-mapping-expired'], 'client')
    with Firewall(MID, 'forward', to_server(t.port, 'drop')):
        c.sendall(b'lost')
        quiet(c.recv, 1)
        time.sleep(.3)
        close(c)
    time.sleep(.1)
    close(a, l)


@scenario(alone=True)
def transparent_proxy(t):
    """a proxy in the router takes the connection in the server's name (TPROXY): it ends in order, the server never heard of it"""
    with contextlib.ExitStack() as stack:
        must('ip rule add fwmark 7 lookup 77; ip route add local 0.0.0.0/0 dev lo table 77', MID)
        stack.callback(sh, 'ip rule del fwmark 7; ip route flush table 77', MID)
        stack.enter_context(Firewall(MID, 'prerouting', f'meta nfproto ipv4 tcp dport {t.port} tproxy ip to :{t.port + 1} meta mark set 7 accept', priority=-150))
        p = make(MID)
        p.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        p.setsockopt(socket.SOL_IP, 19, 1)
        p.bind(('0.0.0.0', t.port + 1))
        p.listen(8)
        for end, rule, side in (('order', 'graceful-close', None), ('unread', 'unread-data-reset', 'server')):
            c = connect(t.port)
            a = p.accept()[0]
            talk(c, a)
            t.say(c, 'close', rule, side, maybe=['middlebox-reset', 'linger-zero-reset', 'disconnect-reset'])
            if end == 'unread':
                c.sendall(b'never read')
                time.sleep(.1)
            close(a)
            time.sleep(.1)
            close(c)
        p.close()
