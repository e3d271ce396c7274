"""A path that delays, overtakes, doubles, loses, damages, cuts, and routes of which one way is missing."""
import fcntl, heapq, os, random, socket, struct, threading, time
from lab import *

UNREAD = 'unread-data-reset'
LATE = ['data-after-close-reset', 'time-wait-data-reset', 'keep-alive-race']
STRAY = ['stray-ack-reset', 'no-socket-reset']


class Relay:
    """The router gives the segments of one port (IPv4) to `judge(segment)`, which says after how many seconds each copy goes on: () loses it."""

    def __init__(self, port, judge):
        self.judge, self.mark, self.name = judge, port, f'tun{port}'
        with within(MID):
            self.tun = os.open('/dev/net/tun', os.O_RDWR)
            fcntl.ioctl(self.tun, 0x400454ca, struct.pack('16sH', self.name.encode(), 0x1001))
        must(f'ip link set {self.name} up; sysctl -qw net.ipv4.conf.{self.name}.rp_filter=0; ip route add default dev {self.name} table {port}; ip rule add fwmark {port} lookup {port}', MID)
        self.rule = Firewall(MID, 'prerouting', f'iifname {{ "client", "server" }} tcp dport {port} meta mark set {port}',
                             f'iifname {{ "client", "server" }} tcp sport {port} meta mark set {port}', priority=-150).put()
        self.queue, self.changed, self.number = [], threading.Condition(), 0
        for work in (self.take, self.give):
            threading.Thread(target=work, daemon=True).start()

    def take(self):
        while True:
            data = os.read(self.tun, 70000)
            if data[0] >> 4 != 4 or data[9] != 6:
                continue
            after = self.judge(Segment(data, self.mark))
            with self.changed:
                for seconds, *other in (x if isinstance(x, tuple) else (x,) for x in after):
                    self.number += 1
                    heapq.heappush(self.queue, (time.monotonic() + seconds, self.number, other[0] if other else data))
                self.changed.notify()

    def give(self):
        while True:
            with self.changed:
                while not self.queue or self.queue[0][0] > time.monotonic():
                    self.changed.wait(self.queue[0][0] - time.monotonic() if self.queue else None)
                data = heapq.heappop(self.queue)[2]
            quiet(os.write, self.tun, data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.rule.off()
        sh(f'ip rule del fwmark {self.mark}', MID)


class Segment:
    def __init__(self, data, port):
        self.data = data
        tcp = data[20:]
        self.sport, self.dport, self.seq, self.ack, offset, self.flags = struct.unpack('>HHIIBB', tcp[:14])
        self.up = self.dport == port
        self.length = len(tcp) - (offset >> 4) * 4

    def damaged(self):
        return self.data[:-1] + bytes([self.data[-1] ^ 0x55])


@scenario()
def lossy_transfer(t):
    """one segment in ten is lost, both ways; data, then an orderly end"""
    chance = random.Random(4)
    with Relay(t.port, lambda s: () if s.length and chance.random() < .1 else (.005,)):
        l, c, a = pair(t.port)
        for _ in range(10):
            talk(c, a, b'q' * 3000, b'a' * 6000)
        t.say(c, 'close', 'graceful-close')
        close(c, a)
        time.sleep(.3)
        l.close()


@scenario()
def doubled_path(t):
    """the path doubles everything, RSTs too: one end in order, one over unread data, one by linger 0"""
    with Relay(t.port, lambda s: (.002, .0025)):
        l = listener(t.port)
        three_ends(t, l)
        l.close()


@scenario()
def fin_overtakes_data(t):
    """the client's FIN arrives before its last data; the server reads all"""
    with Relay(t.port, lambda s: (.08,) if s.up and s.length == 777 else (.002,)):
        l, c, a = pair(t.port)
        talk(c, a)
        c.sendall(b'x' * 777)
        time.sleep(.01)
        t.say(c, 'close', 'graceful-close')
        c.close()
        take(a, 777)
        a.recv(1)
        a.close()
        time.sleep(.2)
        l.close()


@scenario()
def reset_overtakes_data(t):
    """the client's RST (linger 0) overtakes its last data: those then meet no socket"""
    with Relay(t.port, lambda s: (.1,) if s.up and s.length == 777 else (.002,)):
        l, c, a = pair(t.port)
        talk(c, a)
        c.setsockopt(*LINGER0)
        c.sendall(b'x' * 777)
        time.sleep(.01)
        t.say(c, 'close', ['linger-zero-reset', 'disconnect-reset'], 'client')
        c.close()
        time.sleep(.4)
        close(a, l)


@scenario()
def data_overtake_third_ack(t):
    """the client's request arrives before the bare ACK of its handshake"""
    seen = []

    def slow_first_ack(s):
        bare = s.up and s.flags == ACK and not s.length and not seen
        if bare:
            seen.append(1)
        return (.1,) if bare else (.002,)
    with Relay(t.port, slow_first_ack):
        l = listener(t.port)
        c = connect(t.port)
        c.sendall(b'question')
        a = l.accept()[0]
        take(a, 8)
        a.sendall(b'answer')
        take(c, 6)
        t.say(c, 'close', 'graceful-close')
        time.sleep(.15)
        close(a, c)
        time.sleep(.1)
        l.close()


@scenario()
def old_syn_again(t):
    """a copy of the SYN comes when all is over: it meets TIME_WAIT of the client's closing, or opens a request that the client refuses"""
    with Relay(t.port, lambda s: (.002, .6) if s.flags == SYN else (.002,)):
        l, c, a = pair(t.port)
        talk(c, a)
        t.say(c, 'close', ['graceful-close', 'no-socket-reset', 'bad-syn-ack-reset'])
        t.say(c, 'syn', ['-', 'syn-on-time-wait', 'syn-on-stale-connection', 'handshake-unfinished'])
        close(c, a)
        time.sleep(1)
        l.close()


@scenario()
def old_syn_into_established(t):
    """a copy of the SYN comes while the connection lives: a challenge ACK, nothing else; an orderly end"""
    with Relay(t.port, lambda s: (.002, .3) if s.flags == SYN else (.002,)):
        l, c, a = pair(t.port)
        talk(c, a)
        time.sleep(.6)
        talk(c, a)
        t.say(c, 'close', 'graceful-close')
        close(c, a)
        time.sleep(.1)
        l.close()


@scenario()
def late_reset(t):
    """the server closes over unread data; its RST takes 0.7 s, and the client sends on meanwhile"""
    with Relay(t.port, lambda s: (.7,) if s.flags & RST and not s.up else (.002,)):
        l, c, a = pair(t.port)
        talk(c, a)
        c.sendall(b'never read')
        time.sleep(.1)
        t.say(c, 'close', UNREAD, 'server')
        a.close()
        time.sleep(.1)
        quiet(c.send, b'more')
        time.sleep(1)
        close(c, l)


@scenario()
def damaged_segments(t):
    """the path damages the first copy of each request: the server drops it for its checksum, the next one arrives"""
    seen = set()

    def damage(s):
        if s.up and s.length and s.seq not in seen:
            seen.add(s.seq)
            return ((.002, s.damaged()),)
        return (.002,)
    with Relay(t.port, damage):
        l, c, a = pair(t.port)
        talk(c, a)
        talk(c, a)
        t.say(c, 'close', 'graceful-close')
        close(c, a)
        time.sleep(.2)
        l.close()


@scenario()
def damaged_syn(t):
    """the path damages every SYN: the server's kernel drops them, the client gives up"""
    with Relay(t.port, lambda s: ((.002, s.damaged()),) if s.flags == SYN else (.002,)):
        l = listener(t.port)
        c = client(timeout=2.4)
        t.say(c, 'syn', ['checksum-drop', 'unanswered-syn', 'connect-abandoned'])
        quiet(c.connect, (S4, t.port))
        close(c, l)


@scenario()
def slow_path_keepalive_race(t):
    """0.1 s each way; the server closes its idle connection while the client's next request is under way"""
    with Relay(t.port, lambda s: (.1,)):
        l, c, a = pair(t.port)
        talk(c, a)
        time.sleep(1)
        t.say(c, 'close', LATE, 'server')
        a.close()
        time.sleep(.03)
        quiet(c.send, b'request')
        time.sleep(.5)
        close(c, l)


@scenario()
def crossing_unread_and_fin(t):
    """0.1 s each way: the client closes in order while the server closes over unread data: FIN and RST cross"""
    with Relay(t.port, lambda s: (.1,)):
        l, c, a = pair(t.port)
        talk(c, a)
        c.sendall(b'never read')
        time.sleep(.2)
        t.say(c, 'close', UNREAD, 'server')
        c.close()
        a.close()
        time.sleep(.5)
        l.close()


@scenario()
def listener_gone_before_third_ack(t):
    """the last ACK is slow, the listener closes before it comes: it meets no socket"""
    with Relay(t.port, lambda s: (.4,) if s.up and s.flags & ACK else (.002,)):
        l = listener(t.port)
        c = connect(t.port)
        t.say(c, 'close', 'no-socket-reset', 'server')
        l.close()
        time.sleep(.8)
        c.close()


@scenario()
def listener_replaced_before_third_ack(t):
    """the last ACK is slow; meanwhile the listener restarts: the new one does not know the handshake"""
    with Relay(t.port, lambda s: (.5,) if s.up and s.flags & ACK else (.002,)):
        l = listener(t.port)
        c = connect(t.port)
        t.say(c, 'close', ['stray-ack-reset', 'no-socket-reset'], 'server')
        l.close()
        l = listener(t.port)
        time.sleep(.9)
        close(c, l)


@scenario()
def client_dies_before_syn_ack(t):
    """the SYN-ACK takes 0.5 s; the client has closed by then and answers it with a RST"""
    with Relay(t.port, lambda s: (.5,) if not s.up else (.002,)):
        l = listener(t.port)
        c = client()
        c.setblocking(False)
        c.connect_ex((S4, t.port))
        time.sleep(.1)
        t.say(c, 'close', ['no-socket-reset'], 'client')
        t.say(c, 'syn', ['connect-abandoned', '-'])
        c.close()
        time.sleep(.8)
        l.close()


@scenario()
def simultaneous_close_with_data(t):
    """0.1 s each way: both send their last words and their FIN at once, both read everything"""
    with Relay(t.port, lambda s: (.1,)):
        l, c, a = pair(t.port)
        talk(c, a)
        c.sendall(b'last')
        a.sendall(b'words')
        c.shutdown(socket.SHUT_WR)
        a.shutdown(socket.SHUT_WR)
        t.say(c, 'close', ['graceful-close', 'simultaneous-close'])
        take(c, 5)
        take(a, 4)
        c.recv(1), a.recv(1)
        close(c, a)
        time.sleep(.4)
        l.close()


@scenario()
def simultaneous_open_one_lingers(t):
    """two sockets connect to each other at the same time (0.1 s each way); one then resets by linger 0"""
    with Relay(t.port, lambda s: (.1,)):
        c = client(own_port=t.port + 1)
        with within(SRV):
            a = socket.socket()
        a.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        a.bind((S4, t.port))
        for s, to in ((c, (S4, t.port)), (a, (C4, t.port + 1))):
            s.setblocking(False)
            s.connect_ex(to)
        time.sleep(.5)
        c.settimeout(3), a.settimeout(3)
        talk(c, a)
        t.say(c, 'close', 'linger-zero-reset')
        t.say(c, 'syn', ['simultaneous-open', '-'])
        c.setsockopt(*LINGER0)
        c.close()
        time.sleep(.4)
        a.close()


@scenario(alone=True)
def mtu_black_hole(t):
    """the router's way to the server takes 1280 bytes, and its ICMP is lost: full segments never arrive, the client gives up"""
    must('ip link set server mtu 1280', MID)
    try:
        with Firewall(MID, 'output', 'icmp type destination-unreachable drop'):
            l, c, a = pair(t.port)
            talk(c, a)
            c.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, 2500)
            t.say(c, 'stuck', ['path-mtu-black-hole', 'data-lost-on-path', 'peer-silent', '-'])
            t.say(c, 'close', ['path-mtu-black-hole', 'retransmission-timeout', 'peer-silent'])
            quiet(c.sendall, b'x' * 5000)
            quiet(c.recv, 1)
            time.sleep(.2)
            close(c, a, l)
    finally:
        must('ip link set server mtu 1500', MID)


@scenario(alone=True)
def mtu_learned(t):
    """the same, but the ICMP arrives: the client sends smaller ones, and all ends in order"""
    must('ip link set server mtu 1300', MID)
    try:
        l, c, a = pair(t.port)
        talk(c, a, b'q' * 5000)
        t.say(c, 'close', 'graceful-close')
        t.say(c, 'stuck', '-')
        close(c, a)
        time.sleep(.1)
        l.close()
    finally:
        must('ip link set server mtu 1500', MID)
        sh('ip route flush cache', CLI)


@scenario(alone=True)
def fragments(t):
    """path MTU discovery is off and the router fragments the client's segments; the server closes over what it has not read"""
    must('ip link set server mtu 1280', MID)
    try:
        l, c, a = pair(t.port, client_options=[(socket.IPPROTO_IP, 10, 0)])
        talk(c, a, b'q' * 4000)
        c.sendall(b'n' * 3000)
        time.sleep(.2)
        t.say(c, 'close', UNREAD, 'server')
        a.close()
        time.sleep(.2)
        close(c, l)
    finally:
        must('ip link set server mtu 1500', MID)


@contextlib.contextmanager
def second_address(address):
    must(f'ip addr add {address}/32 dev lo', CLI)
    try:
        yield
    finally:
        sh(f'ip addr del {address}/32 dev lo', CLI)


def from_address(address, timeout):
    c = make(CLI)
    c.bind((address, 0))
    c.settimeout(timeout)
    return c


@scenario()
def no_way_back(t):
    """the client's address is one that the router has no route for: SYNs arrive, SYN-ACKs end at the router (ICMP to the server)"""
    with second_address('10.78.9.9'):
        l = listener(t.port)
        c = from_address('10.78.9.9', 2.5)
        t.say(c, 'syn', ['handshake-unfinished', 'syn-ack-lost-on-path', 'unanswered-syn', 'connect-abandoned', 'icmp-rejected', 'no-reply-route-drop', 'reverse-path-drop'])
        quiet(c.connect, (S4, t.port))
        close(c, l)


@scenario(alone=True)
def reverse_path_strict(t):
    """the server routes the client's address elsewhere and checks the reverse path strictly"""
    with second_address('10.78.9.10'), sysctl(SRV, net__ipv4__conf__all__rp_filter=1):
        must('ip link add other type veth peer name other2; ip link set other up; ip link set other2 up; ip route add 10.78.9.10 dev other', SRV)
        try:
            l = listener(t.port)
            c = from_address('10.78.9.10', 2.5)
            t.say(c, 'syn', ['reverse-path-drop', 'unanswered-syn', 'connect-abandoned'])
            quiet(c.connect, (S4, t.port))
            close(c, l)
        finally:
            sh('ip link del other', SRV)


@scenario(alone=True)
def server_without_route(t):
    """the server has no route to the client's address: it takes the SYN and cannot answer"""
    with second_address('10.78.9.11'):
        must('ip route add unreachable 10.78.9.11', SRV)
        try:
            l = listener(t.port)
            c = from_address('10.78.9.11', 2.5)
            t.say(c, 'syn', ['no-reply-route-drop', 'unanswered-syn', 'connect-abandoned'])
            quiet(c.connect, (S4, t.port))
            close(c, l)
        finally:
            sh('ip route del unreachable 10.78.9.11', SRV)


@scenario()
def client_address_removed(t):
    """the client's address is taken away under an established connection; the server's answer cannot be delivered, and it gives up"""
    must('ip addr add 10.78.1.77/24 dev eth0', CLI)
    l = listener(t.port)
    c = from_address('10.78.1.77', 4)
    c.connect((S4, t.port))
    a = l.accept()[0]
    talk(c, a)
    a.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, 2000)
    must('ip addr del 10.78.1.77/24 dev eth0; ip neigh flush all', CLI)
    sh('ip neigh flush to 10.78.1.77', MID)
    t.say(c, 'close', ['retransmission-timeout', 'peer-silent', 'idle-mapping-expired', 'icmp-rejected', 'no-socket-reset', 'stray-ack-reset'])
    a.sendall(b'answer')
    quiet(a.recv, 1)
    time.sleep(.5)
    close(a, c, l)
    time.sleep(.3)
