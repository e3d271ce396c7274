#!/usr/bin/env python3
"""Records the captures beside it: what stands between a client and a server, in three namespaces (test/live/scenarios/lab.py),
taken at the client, on all interfaces of the router, and at the server. Usage, as root: record.py [NAME...]

NAME-client.pcap, NAME-router.pcap and NAME-server.pcap are of one run. Those of idle connections take five minutes.
$LAB_SAMPLES: another folder for them. $LAB_SLOW: how many times slower the machine is than one without emulation (test/live/scenarios/vm.sh)."""
import contextlib, os, signal, socket, subprocess, sys, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ.setdefault('LAB_TAG', 'between')
sys.path.insert(0, f'{HERE}/../../../test/live/scenarios')
from lab import *

PLACES = (('client', CLI, 'eth0'), ('router', MID, 'any'), ('server', SRV, 'eth0'))
FOLDER = os.environ.get('LAB_SAMPLES', HERE)
SLOW = float(os.environ.get('LAB_SLOW', 1))
FILE_HEADER = 24
IDLE = 305
RUN = {}


def record(f):
    RUN[f.__name__] = f
    return f


@contextlib.contextmanager
def captured(name, port):
    """A connection of that port, at either end of a NAT, and ICMP that quotes it."""
    quoted = f'icmp[28:2] = {port} or icmp[30:2] = {port} or (icmp6 and (ip6[88:2] = {port} or ip6[90:2] = {port}))'
    dumps = [subprocess.Popen(['ip', 'netns', 'exec', ns, 'tcpdump', '-Z', 'root', '-U', '--immediate-mode', '-i', interface, '-s', '128', '--time-stamp-precision=nano',
                               '-w', f'{FOLDER}/{name}-{place}.pcap', f'tcp port {port} or {quoted}'], stderr=subprocess.PIPE) for place, ns, interface in PLACES]
    for d in dumps:
        d.stderr.readline()
    time.sleep(.5)
    try:
        yield
    finally:
        time.sleep(.4 * SLOW)
        for d in dumps:
            d.send_signal(signal.SIGINT)
            d.wait()
        for place, _, _ in PLACES:
            file = f'{FOLDER}/{name}-{place}.pcap'
            if os.path.getsize(file) == FILE_HEADER:
                os.remove(file)


def refused(name, port, ns, hook, rule, v6=False):
    with captured(name, port), Firewall(ns, hook, rule):
        l = listener(port, v6=v6)
        quiet(connect, port, v6)
        l.close()


@record
def icmp_admin(port):
    """the router rejects the SYN: administratively prohibited"""
    refused('icmp_admin', port, MID, 'forward', to_server(port, 'reject with icmp admin-prohibited'))


@record
def icmp6_admin(port):
    refused('icmp6_admin', port, MID, 'forward', to_server(port, 'reject with icmpv6 admin-prohibited'), v6=True)


@record
def icmp_port(port):
    """the server's own firewall: port unreachable"""
    refused('icmp_port', port, SRV, 'input', to_server(port, 'reject'))


@record
def icmp_data(port):
    """data of an established connection are rejected by the router until the client gives up"""
    with captured('icmp_data', port):
        l, c, a = pair(port, client_options=[option(USER_TIMEOUT, 1500)])
        talk(c, a)
        with Firewall(MID, 'forward', to_server(port, 'reject with icmp host-unreachable')):
            c.sendall(b'lost')
            quiet(c.recv, 1)
            time.sleep(.2)
            close(c, a, l)


@record
def icmp_passing(port):
    """the same for 0.5 s: then it gets through"""
    with captured('icmp_passing', port):
        l, c, a = pair(port)
        talk(c, a)
        with Firewall(MID, 'forward', to_server(port, 'reject with icmp host-unreachable')):
            c.sendall(b'late')
            time.sleep(.5)
        take(a, 4)
        time.sleep(.2)
        close(c, a, l)
        time.sleep(.2)


@record
def traceroute(port):
    """SYNs with a TTL of 1, as tcptraceroute sends them: no refusal"""
    with captured('traceroute', port):
        for n in range(3):
            forge(CLI, (C4, 45000 + n), (S4, port), 1000 + n, 0, SYN, ttl=1, window=5840)
            time.sleep(.2)


def narrow(name, port, *rules, at=None):
    """The client sends 17 bytes, which pass, and 6,000, which do not; then nothing for a second and a half."""
    with captured(name, port), contextlib.ExitStack() as stack:
        for ns, hook, rule in rules:
            stack.enter_context(Firewall(ns, hook, rule))
        l, c, a = pair(port, client_options=[option(USER_TIMEOUT, 2500)])
        talk(c, a, b'hello from client')
        c.sendall(b'x' * 6000)
        quiet(c.recv, 1)
        time.sleep(.2)
        close(c, a, l)


@record
def mtu_silent(port):
    """packets above 1,400 bytes vanish in the router"""
    narrow('mtu_silent', port, (MID, 'forward', to_server(port, 'meta length > 1400 drop')))


@record
def mtu_ignored(port):
    """the link to the server takes 1,400 bytes, the router says so, and the client's firewall drops the ICMP"""
    must(f'ip -n {MID} link set server mtu 1400')
    try:
        narrow('mtu_ignored', port, (CLI, 'input', 'icmp type destination-unreachable drop'))
    finally:
        must(f'ip -n {MID} link set server mtu 1500')


@record
def mtu_heeded(port):
    """the same, and the client heeds it"""
    must(f'ip -n {MID} link set server mtu 1400')
    try:
        with captured('mtu_heeded', port):
            l, c, a = pair(port)
            talk(c, a, b'hello from client')
            c.sendall(b'x' * 6000)
            take(a, 6000)
            close(c, a, l)
    finally:
        must(f'ip -n {MID} link set server mtu 1500')
        must(f'ip -n {CLI} route flush cache')


@record
def large_then_gone(port):
    """large packets pass; then the path is cut in the middle of them: no question of size"""
    with captured('large_then_gone', port):
        l, c, a = pair(port, client_options=[option(USER_TIMEOUT, 2500)])
        talk(c, a, b'x' * 6000)
        with Firewall(MID, 'forward', f'tcp dport {port} drop', f'tcp sport {port} drop'):
            c.sendall(b'x' * 6000)
            quiet(c.recv, 1)
            time.sleep(.2)
            close(c, a, l)


ECN = 'tcp flags & (syn | ecn | cwr) == (syn | ecn | cwr) drop'


@record
def ecn_dropped(port):
    """a box drops SYNs that offer ECN; the second SYN offers none (tcp_ecn_fallback)"""
    with captured('ecn_dropped', port), sysctl(CLI, net__ipv4__tcp_ecn=1), Firewall(MID, 'forward', to_server(port, ECN)):
        for _ in range(2):
            l, c, a = pair(port)
            talk(c, a)
            close(c, a, l)
            time.sleep(.1)


@record
def ecn_lost_once(port):
    """the first SYN of one connection is lost, that of the next, which offers ECN as well, is answered"""
    with captured('ecn_lost_once', port), sysctl(CLI, net__ipv4__tcp_ecn=1):
        with Firewall(MID, 'forward', to_server(port, 'drop')) as f:
            threading.Timer(.5, f.off).start()
            l, c, a = pair(port)
            talk(c, a)
            close(c, a, l)
        l, c, a = pair(port)
        talk(c, a)
        close(c, a, l)


V4 = '10.78.9.9'


@contextlib.contextmanager
def virtual(port):
    """The router translates an address that nobody has to the server's; the client reaches it by way of the router."""
    with Firewall(MID, 'prerouting', f'ip daddr {V4} tcp dport {port} dnat ip to {S4}', kind='nat', priority=-100):
        yield


@record
def reply_around(port):
    """the reply takes a link that goes around the router: the client gets a SYN-ACK of an address that it did not call"""
    must(f'''set -e
ip link add direct netns {CLI} type veth peer name direct netns {SRV}
ip -n {CLI} link set direct up; ip -n {SRV} link set direct up
ip -n {SRV} addr add 10.78.3.2/24 dev direct; ip -n {CLI} addr add 10.78.3.1/24 dev direct
ip -n {SRV} route add {C4}/32 via 10.78.3.1
for n in {CLI} {SRV}; do for i in all eth0 direct; do ip netns exec $n sysctl -qw net.ipv4.conf.$i.rp_filter=0; done; done''')
    before = list(PLACES)
    globals()['PLACES'] = (('client', CLI, 'any'), ('router', MID, 'any'), ('server', SRV, 'any'))
    try:
        with captured('reply_around', port), virtual(port):
            l = listener(port)
            quiet(lambda: connect(port, to=V4, timeout=2.5))
            l.close()
    finally:
        globals()['PLACES'] = before
        must(f'ip -n {CLI} link del direct')


@record
def reply_translated(port):
    """the same without the link: the router translates the reply"""
    with captured('reply_translated', port), virtual(port):
        l = listener(port)
        c = connect(port, to=V4)
        a = l.accept()[0]
        talk(c, a)
        close(c, a, l)


@record
def entry_lost(port):
    """the router forgets the connection; the server's next data reach the client under the server's own address"""
    with captured('entry_lost', port), virtual(port):
        l = listener(port)
        c = connect(port, to=V4)
        a = l.accept()[0]
        a.settimeout(2)
        talk(c, a)
        must('conntrack -D -p tcp --orig-port-dst %d' % port, MID)
        a.sendall(b'untranslated')
        quiet(a.recv, 1)
        quiet(c.sendall, b'late')
        time.sleep(.5)
        close(c, a, l)


@record
def port_reused(port):
    """the client's port serves two servers, and one of them resets: two connections that have nothing to do with each other"""
    with captured('port_reused', port):
        l, c, a = pair(port)
        talk(c, a)
        own = c.getsockname()[1]
        m = listener(port, address=S4R, ns=MID)
        d = connect(port, to=S4R, own_port=own)
        b = m.accept()[0]
        talk(d, b)
        ss_kill(CLI, f'dst {S4R}')
        time.sleep(.1)
        quiet(b.sendall, b'more')
        time.sleep(.2)
        talk(c, a)
        close(c, a, l, d, b, m)


class Delay:
    """Carries frames between the two cables of the router itself, each so many seconds later."""

    def __init__(self, seconds):
        with within(MID):
            self.ends = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) for _ in range(2)]
        for s, name in zip(self.ends, ('client', 'server')):
            s.bind((name, 0))
        for one, two in (self.ends, self.ends[::-1]):
            threading.Thread(target=self.carry, args=(one, two, seconds), daemon=True).start()

    def carry(self, one, two, seconds):
        with contextlib.suppress(OSError):  # the cable goes first
            while True:
                data, (_, _, kind, _, _) = one.recvfrom(2000)
                if kind != socket.PACKET_OUTGOING:
                    threading.Timer(seconds, two.send, (data,)).start()


def kept(name, port, idle, late, again=False):
    """Request and answer; after `idle` seconds the server closes, and the client asks again `late` seconds after that."""
    with captured(name, port):
        l, c, a = pair(port)
        talk(c, a)
        time.sleep(idle)
        a.close()
        time.sleep(late)
        quiet(c.sendall, b'question')
        time.sleep(.3 * SLOW)
        close(c, l)


@record
def keep_alive_race(port):
    """10 ms of cable: the request crosses the FIN"""
    kept('keep_alive_race', port, 5, .003 * SLOW)


@record
def request_after_fin(port):
    """the FIN had come when the client asked"""
    kept('request_after_fin', port, 5, .3 * SLOW)


def idle(name, port, *rules, meanwhile=None):
    with captured(name, port), contextlib.ExitStack() as stack:
        for ns, hook, rule in rules:
            stack.enter_context(Firewall(ns, hook, rule))
        l, c, a = pair(port, client_options=[option(USER_TIMEOUT, 3000)])
        talk(c, a)
        if meanwhile:
            meanwhile(c)
        time.sleep(IDLE)
        quiet(c.sendall, b'question')
        quiet(c.recv, 1)
        close(c, a, l)


@record
def idle_reset(port):
    """the router forgets a connection after 300 s and resets what comes then"""
    idle('idle_reset', port, (MID, 'forward', to_server(port, 'ct state invalid reject with tcp reset')))


@record
def idle_silent(port):
    """the router forgets a connection after 300 s and drops what comes then"""
    idle('idle_silent', port, (MID, 'forward', to_server(port, 'ct state invalid drop')))


@record
def idle_server_gone(port):
    """idle as long; the server's socket had gone meanwhile, without a word: its own RST"""
    def gone(c):
        with Firewall(SRV, 'output', to_client(port, 'drop')):
            ss_kill(SRV, f'sport = :{port}')
            time.sleep(.5)
    idle('idle_server_gone', port, meanwhile=gone)


@record
def idle_answered(port):
    """idle as long, and then answered"""
    with captured('idle_answered', port):
        l, c, a = pair(port)
        talk(c, a)
        time.sleep(IDLE)
        talk(c, a)
        close(c, a, l)


HALF = 'tcp flags & syn == 0 drop'


@record
def half_open(port):
    """the router lets the client's SYN and the SYN-ACK pass, and nothing else of the client"""
    with Firewall(MID, 'forward', to_server(port, HALF)), captured('half_open', port):
        l = listener(port)
        c = connect(port)
        time.sleep(3.5)
        close(c, l)


@record
def half_open_listener_gone(port):
    """the same, until the listener is closed: then a RST answers the client, whose request had not expired"""
    with captured('half_open_listener_gone', port):
        with Firewall(MID, 'forward', to_server(port, HALF)):
            l = listener(port)
            c = connect(port)
            time.sleep(3.5)
            close(l)
        quiet(c.sendall, b'question')
        time.sleep(.5)
        close(c)


@record
def ack_late(port):
    """the same for 1.5 s: the ACK of a repeated SYN-ACK gets through"""
    with captured('ack_late', port):
        with Firewall(MID, 'forward', to_server(port, HALF)) as f:
            threading.Timer(1.5, f.off).start()
            l = listener(port)
            c = connect(port)
            a = l.accept()[0]
        talk(c, a)
        close(c, a, l)


@record
def half_open_scan(port):
    """a scanner's SYN with a raw socket: the kernel, which knows of none, resets the SYN-ACK"""
    with captured('half_open_scan', port):
        l = listener(port)
        for n in range(3):
            forge(CLI, (C4, 45000 + n), (S4, port), 1000 + n, 0, SYN, window=1024)
            time.sleep(.3)
        l.close()


@record
def reset_forged(port):
    """the router resets the client in the name of the server, which knows nothing of it"""
    with captured('reset_forged', port):
        wire = Wire(port)
        l, c, a = pair(port)
        talk(c, a)
        forged_reset(wire, c, port, 'client', ttl=200)
        time.sleep(.3)
        quiet(a.sendall, b'more')
        time.sleep(.3)
        close(c, a, l)


@record
def reset_own(port):
    """the server does it itself: SO_LINGER 0"""
    with captured('reset_own', port):
        l, c, a = pair(port)
        talk(c, a)
        a.setsockopt(*LINGER0)
        close(a)
        time.sleep(.3)
        close(c, l)


@record
def stray_elsewhere(port):
    """somebody else's segment, with numbers of its own, reaches the port of a connection: it is reset, and the connection goes on"""
    with captured('stray_elsewhere', port):
        l, c, a = pair(port)
        talk(c, a)
        forge(MID, (S4R, port), c.getsockname(), 123456789, 987654321, PSH | ACK, b'stray')
        time.sleep(.3)
        talk(c, a)
        close(c, a, l)


@record
def closed_after_answer(port):
    """10 ms of cable: the server closes with its answer, no timeout, and a second request crosses the FIN"""
    with captured('closed_after_answer', port):
        l, c, a = pair(port)
        talk(c, a)
        a.close()
        time.sleep(.003 * SLOW)
        quiet(c.sendall, b'question')
        time.sleep(.3 * SLOW)
        close(c, l)


@record
def idle_kept_alive(port):
    """nothing asked for as long, but keepalive probes every minute; then the path is cut"""
    with captured('idle_kept_alive', port):
        probes = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), option(socket.TCP_KEEPIDLE, 60), option(USER_TIMEOUT, 3000)]
        l, c, a = pair(port, client_options=probes)
        talk(c, a)
        time.sleep(IDLE)
        with Firewall(MID, 'forward', f'tcp dport {port} drop', f'tcp sport {port} drop'):
            quiet(c.sendall, b'question')
            quiet(c.recv, 1)
            close(c, a, l)


@record
def icmp_forged(port):
    """an ICMP error that quotes a number which the connection never had (RFC 5927): the kernel ignores it, and the connection goes on"""
    with captured('icmp_forged', port):
        l, c, a = pair(port)
        talk(c, a)
        quoted = struct.pack('>BBHHHBBH', 0x45, 0, 60, 1, 0x4000, 63, 6, 0) + socket.inet_aton(C4) + socket.inet_aton(S4)
        quoted += struct.pack('>HHI', c.getsockname()[1], port, 987654321)
        message = struct.pack('>BBHI', 3, 1, 0, 0) + quoted
        raw = make(MID, kind=socket.SOCK_RAW, proto=socket.IPPROTO_ICMP)
        raw.sendto(message[:2] + struct.pack('>H', checksum(message)) + message[4:], (C4, 0))
        time.sleep(.2)
        talk(c, a)
        close(c, a, l, raw)


ONE_CABLE = ('keep_alive_race', 'request_after_fin', 'closed_after_answer')


def play(names):
    up()
    must(f'ip netns exec {MID} sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=300')
    must(f'ip netns exec {MID} sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0')
    if names[0] in ONE_CABLE:
        # of 10 ms
        must(f'ip netns exec {MID} sysctl -qw net.ipv4.ip_forward=0; ip -n {MID} addr flush dev client; ip -n {MID} addr flush dev server')
        must(f'ip -n {CLI} addr add {C4}/16 dev eth0; ip -n {SRV} addr add {S4}/16 dev eth0; ip -n {CLI} addr del {C4}/24 dev eth0; ip -n {SRV} addr del {S4}/24 dev eth0')
        must(f'ip -n {CLI} route replace {S4}/32 dev eth0; ip -n {SRV} route replace {C4}/32 dev eth0')
        # a packet socket reads frames without the checksum that a card would fill in
        must(f'ip netns exec {CLI} ethtool -K eth0 tx off; ip netns exec {SRV} ethtool -K eth0 tx off')
        Delay(.01 * SLOW)
    try:
        threads = [threading.Thread(target=RUN[n], args=(23000 + 10 * list(RUN).index(n),)) for n in names]
        together = names[0].startswith('idle')
        for t in threads:
            t.start()
            if not together:
                t.join()
        for t in threads:
            t.join()
    finally:
        down()


def kind(name):
    return 'cable' if name in ONE_CABLE else 'idle' if name.startswith('idle') else 'router'


def play_all(names):
    """Each kind in namespaces of its own, at the same time."""
    kinds = {}
    for n in names:
        kinds.setdefault(kind(n), []).append(n)
    if len(kinds) == 1:
        return play(names)
    players = [subprocess.Popen([sys.executable, __file__, *some], env={**os.environ, 'LAB_TAG': f"{TAG}-{k}"}) for k, some in kinds.items()]
    sys.exit(max([p.wait() for p in players]))


if __name__ == '__main__':
    play_all(sys.argv[1:] or list(RUN))
