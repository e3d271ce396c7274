"""Three namespaces, client - router - server, and what a scenario needs to make traffic between them and to write down what is true.

A scenario is a function of one argument, `t`: its own ports (t.port … t.port + 9) and its truth (t.say). One process plays both ends:
a socket belongs to the namespace that its thread was in when it was made."""
import ctypes, contextlib, os, signal, socket, struct, subprocess, threading, time

TAG = os.environ.get('LAB_TAG', 'lab')
CLI, MID, SRV = f'{TAG}-cli', f'{TAG}-mid', f'{TAG}-srv'
C4, C4R, S4, S4R = '10.78.1.2', '10.78.1.1', '10.78.2.2', '10.78.2.1'
C6, C6R, S6, S6R = 'fd78:1::2', 'fd78:1::1', 'fd78:2::2', 'fd78:2::1'
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MPTCP = 262
DEFER_ACCEPT, USER_TIMEOUT, LINGER2, FASTOPEN, FASTOPEN_CONNECT = 9, 18, 8, 23, 30
libc = ctypes.CDLL(None, use_errno=True)

ALL = {}


def scenario(*, alone=False, at='server', quick=False):
    """alone: changes what others would feel (sysctls); at: whose bundle is taken; quick: one of those that the tests run."""
    def keep(f):
        f.alone, f.at, f.quick = alone, at, quick
        ALL[f.__name__] = f
        return f
    return keep


def sh(command, ns=None, **kw):
    kw.setdefault('stdout', subprocess.DEVNULL)
    return subprocess.run((['ip', 'netns', 'exec', ns] if ns else []) + ['bash', '-c', command], stderr=subprocess.PIPE, text=True, **kw)


def must(command, ns=None):
    done = sh(command, ns)
    if done.returncode:
        raise RuntimeError(f'{command}: {done.stderr}')


def up():
    down()
    must(f'''set -e
for n in {CLI} {MID} {SRV}; do ip netns add $n; ip -n $n link set lo up; done
ip link add eth0 netns {CLI} type veth peer name client netns {MID}
ip link add eth0 netns {SRV} type veth peer name server netns {MID}
ip netns exec {MID} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip netns exec {MID} sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
ip -n {CLI} addr add {C4}/24 dev eth0; ip -n {CLI} addr add {C6}/64 dev eth0 nodad
ip -n {SRV} addr add {S4}/24 dev eth0; ip -n {SRV} addr add {S6}/64 dev eth0 nodad
ip -n {MID} addr add {C4R}/24 dev client; ip -n {MID} addr add {C6R}/64 dev client nodad
ip -n {MID} addr add {S4R}/24 dev server; ip -n {MID} addr add {S6R}/64 dev server nodad
ip -n {CLI} link set eth0 up; ip -n {SRV} link set eth0 up; ip -n {MID} link set client up; ip -n {MID} link set server up
ip -n {CLI} route add default via {C4R}; ip -n {SRV} route add default via {S4R}
ip -6 -n {CLI} route add default via {C6R}; ip -6 -n {SRV} route add default via {S6R}
for n in {CLI} {SRV}; do ip netns exec $n sysctl -qw net.ipv4.tcp_fastopen=3 net.mptcp.enabled=1; done
ip netns exec {CLI} bash -c 'echo > /dev/udp/{S4}/9; echo > /dev/udp/{S6}/9'; sleep .3
''')


def down():
    for ns in (CLI, MID, SRV):
        for pid in sh(f'ip netns pids {ns}', stdout=subprocess.PIPE).stdout.split():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)
        sh(f'ip netns del {ns}')


# ---- namespaces and sockets -----------------------------------------------------------------------------------------------------

def enter(ns):
    with open(f'/run/netns/{ns}') as file:
        if libc.setns(file.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), 'setns')


@contextlib.contextmanager
def within(ns):
    with open('/proc/thread-self/ns/net') as before:
        enter(ns)
        try:
            yield
        finally:
            libc.setns(before.fileno(), 0x40000000)


def make(ns, v6=False, proto=0, options=(), kind=socket.SOCK_STREAM):
    with within(ns):
        s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, kind, proto)
    s.settimeout(6)
    for option in options:
        s.setsockopt(*option)
    return s


def option(number, value):
    return (socket.IPPROTO_TCP, number, value)


LINGER0 = (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
SMALL = (socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)


def listener(port, backlog=64, v6=False, proto=0, options=(), address=None, ns=SRV):
    s = make(ns, v6, proto, options)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address or ('::' if v6 else '0.0.0.0'), port))
    s.listen(backlog)
    return s


def client(v6=False, proto=0, options=(), own_port=0, timeout=6, ns=CLI):
    """A socket with a port, not connected yet."""
    s = make(ns, v6, proto, options)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((C6 if v6 else C4, own_port) if ns == CLI else ('::' if v6 else '0.0.0.0', own_port))
    s.settimeout(timeout)
    return s


def connect(port, v6=False, to=None, **kw):
    s = client(v6, **kw)
    s.connect((to or (S6 if v6 else S4), port))
    return s


def pair(port, options=(), client_options=(), v6=False, proto=0, backlog=64, **kw):
    """A listener, and both ends of a connection that was accepted."""
    l = listener(port, backlog, v6, proto, options)
    c = connect(port, v6, proto=proto, options=client_options, **kw)
    a = l.accept()[0]
    a.settimeout(6)
    return l, c, a


def talk(c, a, question=b'question', answer=b'answer'):
    c.sendall(question)
    take(a, len(question))
    a.sendall(answer)
    take(c, len(answer))


def take(s, count):
    got = b''
    while len(got) < count:
        more = s.recv(count - len(got))
        if not more:
            break
        got += more
    return got


def quiet(call, *arguments):
    try:
        return call(*arguments)
    except OSError as e:
        return e


def unspec(s):
    """connect(AF_UNSPEC): tcp_disconnect; the descriptor stays."""
    return libc.connect(s.fileno(), struct.pack('H14x', socket.AF_UNSPEC), 16)


def wait(condition, seconds=8):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(.02)
    return False


def close(*sockets):
    for s in sockets:
        s.close()


def three_ends(t, l, v6=(False, False, False)):
    """a connection that ends in order, one over unread data, one by linger 0"""
    for over6, rule, side in zip(v6, ('graceful-close', 'unread-data-reset', 'linger-zero-reset'), (None, 'server', 'client')):
        c = connect(t.port, over6)
        a = l.accept()[0]
        talk(c, a)
        t.say(c, 'close', rule, side)
        if side == 'server':
            c.sendall(b'never read')
            time.sleep(.1)
            a.close()
        if side == 'client':
            c.setsockopt(*LINGER0)
        time.sleep(.1)
        close(c, a)
        time.sleep(.2)


def ss_kill(ns, what):
    sh(f"ss -K -tn {what}", ns)


def states(ns, what):
    """The states of the sockets that fit a filter of ss."""
    return [line.split()[0] for line in sh(f"ss -Htan '{what}'", ns, stdout=subprocess.PIPE).stdout.splitlines()]


# ---- what stands between: nft, sysctls, a forger ----------------------------------------------------------------------------------

serial = iter(range(10**6))


class Firewall:
    """One nft rule in a hook of a namespace, put and taken away at once (`with`) or by hand."""

    def __init__(self, ns, hook, *rules, priority=0, kind='filter'):
        self.ns, self.name = ns, f'{TAG}_{os.getpid()}_{next(serial)}'.replace('-', '_')
        self.text = f'table inet {self.name} {{\n chain c {{\n  type {kind} hook {hook} priority {priority};\n' + ''.join(f'  {r}\n' for r in rules) + ' }\n}\n'

    def put(self):
        done = subprocess.run(['ip', 'netns', 'exec', self.ns, 'nft', '-f', '-'], input=self.text, text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return self

    def off(self):
        sh(f'nft delete table inet {self.name}', self.ns)

    __enter__ = put

    def __exit__(self, *_):
        self.off()


def to_server(port, flags=''):
    return f'tcp dport {port} {flags}'


def to_client(port, flags=''):
    return f'tcp sport {port} {flags}'


@contextlib.contextmanager
def sysctl(ns, **values):
    before = {}
    with within(ns):
        for name, value in values.items():
            path = '/proc/sys/' + name.replace('__', '/')
            before[path] = open(path).read()
            open(path, 'w').write(str(value))
    try:
        yield
    finally:
        with within(ns):
            for path, value in before.items():
                open(path, 'w').write(value)


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def forge(ns, source, target, seq, ack, flags, data=b'', ttl=64, window=0, ident=0x1234, options=b''):
    """Sends one IPv4 segment from (address, port) to (address, port) with a raw socket of that namespace."""
    pack = socket.inet_aton
    tcp = struct.pack('>HHIIBBHHH', source[1], target[1], seq % 2**32, ack % 2**32, (5 + len(options) // 4) << 4, flags, window, 0, 0) + options + data
    total = checksum(pack(source[0]) + pack(target[0]) + struct.pack('>HH', 6, len(tcp)) + tcp)
    tcp = tcp[:16] + struct.pack('>H', total) + tcp[18:]
    ip = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(tcp), ident, 0x4000, ttl, 6, 0) + pack(source[0]) + pack(target[0])
    with within(ns):
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.sendto(ip + tcp, (target[0], 0))
    raw.close()


class Wire:
    """What crosses the router on one port: `numbers(way)` are seq and ack that the next segment of that way would have."""

    def __init__(self, port):
        self.port, self.next = port, {}
        with within(MID):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            data = self.socket.recv(70000)
            if len(data) < 40 or data[9] != 6:
                continue
            tcp = data[20:]
            sport, dport, seq, ack, offset, flags = struct.unpack('>HHIIBB', tcp[:14])
            if self.port not in (sport, dport):
                continue
            length = struct.unpack('>H', data[2:4])[0] - 20 - (offset >> 4) * 4 + bool(flags & SYN) + bool(flags & FIN)
            self.next[sport, dport] = (seq + length) % 2**32, ack

    def numbers(self, sport, dport):
        wait(lambda: (sport, dport) in self.next)
        time.sleep(.05)
        return self.next[sport, dport]


def forged_reset(wire, c, port, to, ttl=64, **kw):
    """The router resets one end in the name of the other: right numbers."""
    cp = c.getsockname()[1]
    if to == 'client':
        seq, ack = wire.numbers(port, cp)
        forge(MID, (S4, port), (C4, cp), seq, ack, kw.pop('flags', RST | ACK), ttl=ttl, **kw)
    else:
        seq, ack = wire.numbers(cp, port)
        forge(MID, (C4, cp), (S4, port), seq, ack, kw.pop('flags', RST | ACK), ttl=ttl, **kw)


# ---- truth --------------------------------------------------------------------------------------------------------------------------

class Scenario:
    def __init__(self, name, port):
        self.name, self.port, self.truth = name, port, []

    def say(self, client, group, rules, side=None, port=None, maybe=()):
        """What is true of a connection. client: its socket, or port. rules: any of these names it right; '-' nothing at all is right too.
        maybe: what looks the same from somewhere, and may be claimed, but never as proved."""
        cp = client if isinstance(client, int) else client.getsockname()[1]
        self.truth.append(dict(name=self.name, client_port=cp, server_port=port or self.port, group=group,
                               rule=[rules] if isinstance(rules, str) else list(rules), side=side, maybe=list(maybe)))
