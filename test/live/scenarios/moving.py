"""What changes while connections live: routes, path MTU, order of segments; proxies that splice or pass on a half-close; idle servers that say goodbye."""
import os, random, socket, threading, time
from lab import *
from relayed import LATE, Relay, UNREAD

# the kernel keeps trying: nothing is wrong in the end
HELD_UP = ['icmp-rejected', '-']


@scenario(alone=True)
def route_unreachable_then_back(t):
    """the router's route to the server is `unreachable` for a second (ICMP host unreachable), then as before: the connection goes on"""
    l, c, a = pair(t.port)
    talk(c, a)
    must(f'ip route add unreachable {S4}/32', MID)
    c.sendall(b'held up')
    time.sleep(1)
    must(f'ip route del unreachable {S4}/32', MID)
    take(a, 7)
    t.say(c, 'close', 'graceful-close')
    t.say(c, 'syn', HELD_UP)
    c.close()
    a.recv(1)
    close(a, l)
    time.sleep(.2)


@scenario(alone=True)
def route_swallows_then_back(t):
    """the same with a `blackhole` for 1.2 s; the answer comes, and the server closes over what it has not read"""
    l, c, a = pair(t.port)
    talk(c, a)
    must(f'ip route add blackhole {S4}/32', MID)
    c.sendall(b'held up')
    time.sleep(1.2)
    must(f'ip route del blackhole {S4}/32', MID)
    wait(lambda: a.recv(1, socket.MSG_PEEK))
    time.sleep(.1)
    t.say(c, 'close', UNREAD, 'server')
    close(a)
    time.sleep(.2)
    close(c, l)


@scenario(alone=True)
def path_mtu_lowered(t):
    """the link behind the router takes 1,280 bytes from now on: the server learns it by ICMP and sends smaller ones; in order"""
    l, c, a = pair(t.port)
    talk(c, a, answer=b'a' * 20000)
    must('ip link set client mtu 1280', MID)
    try:
        talk(c, a, answer=b'a' * 60000)
        t.say(c, 'close', 'graceful-close')
        t.say(c, 'stuck', '-')
        close(a)
        c.recv(1)
        close(c, l)
        time.sleep(.2)
    finally:
        must('ip link set client mtu 1500', MID)


def spliced(t, serve):
    """A proxy in the router's namespace that moves bytes by splice() and passes on ends of file. Gives listener and the client's socket."""
    l = listener(t.port + 1)
    front = listener(t.port, ns=MID)

    def move(one, other):
        r, w = os.pipe()
        try:
            while n := os.splice(one.fileno(), w, 65536):
                os.splice(r, other.fileno(), n)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            serve(one, other)

    def run():
        near = front.accept()[0]
        far = make(MID)
        far.connect((S4, t.port + 1))
        near.settimeout(None), far.settimeout(None)
        both = [threading.Thread(target=move, args=way) for way in ((near, far), (far, near))]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        close(near, far)
    threading.Thread(target=run, daemon=True).start()
    c = connect(t.port, to=C4R)
    a = l.accept()[0]
    a.settimeout(6)
    return l, front, c, a


@scenario()
def half_close_passed_on(t):
    """the client half-closes, a splicing proxy passes that on, the server answers after it; both connections end in order"""
    l, front, c, a = spliced(t, lambda *_: None)
    talk(c, a)
    c.shutdown(socket.SHUT_WR)
    a.recv(1)
    time.sleep(.15)
    a.sendall(b'late answer')
    take(c, 11)
    t.say(c, 'close', 'graceful-close')
    t.say(a.getpeername()[1], 'close', 'graceful-close', port=t.port + 1)
    close(a)
    c.recv(1)
    time.sleep(.2)
    close(c, l, front)


@scenario()
def reset_behind_proxy(t):
    """the server resets (linger 0) behind a splicing proxy, which resets its client in turn (linger 0)"""
    def hurt(one, other):
        for s in (one, other):
            quiet(s.setsockopt, *LINGER0)
            quiet(s.shutdown, socket.SHUT_RDWR)
    l, front, c, a = spliced(t, hurt)
    talk(c, a)
    a.setsockopt(*LINGER0)
    t.say(a.getpeername()[1], 'close', ['linger-zero-reset', 'disconnect-reset'], 'server', port=t.port + 1)
    a.close()
    time.sleep(.3)
    close(c, l, front)


@scenario(alone=True)
def few_ports_reused(t):
    """tcp_tw_reuse=1 and two local ports: six connections that the client closes first, one after the other, in ports of its own TIME_WAIT"""
    with sysctl(CLI, net__ipv4__tcp_tw_reuse=1, net__ipv4__ip_local_port_range='45001 45002'):
        l = listener(t.port)
        for _ in range(6):
            c = make(CLI)
            c.settimeout(3)
            if isinstance(quiet(c.connect, (S4, t.port)), OSError):
                break
            a = l.accept()[0]
            talk(c, a)
            t.say(c, 'close', 'graceful-close')
            c.close()
            a.recv(1)
            a.close()
            time.sleep(1.1)
        l.close()


@scenario()
def goodbye_crosses_request(t):
    """an idle server says goodbye (as HTTP/2 GOAWAY) and closes; the path is slow, and the next request crosses both"""
    with Relay(t.port, lambda s: (.06,)):
        l, c, a = pair(t.port)
        talk(c, a)
        time.sleep(.8)
        a.sendall(b'goodbye')
        a.close()
        time.sleep(.02)
        c.sendall(b'next request')
        t.say(c, 'close', LATE, 'server')
        time.sleep(.4)
        close(c, l)


@scenario()
def reordered_transfer(t):
    """every segment is late by up to 8 ms: much overtakes; then the server closes over unread data"""
    chance = random.Random(7)
    with Relay(t.port, lambda s: (.002 + .008 * chance.random(),)):
        l, c, a = pair(t.port)
        for _ in range(8):
            talk(c, a, b'q' * 5000, b'a' * 9000)
        c.sendall(b'never read')
        time.sleep(.2)
        t.say(c, 'close', UNREAD, 'server')
        a.close()
        time.sleep(.3)
        close(c, l)


@scenario()
def damaged_transfer(t):
    """one data segment in eight has a wrong byte, both ways; all comes in the end, in order"""
    chance = random.Random(9)
    with Relay(t.port, lambda s: ((.003, s.damaged()),) if s.length and chance.random() < .12 else (.003,)):
        l, c, a = pair(t.port)
        for _ in range(8):
            talk(c, a, b'q' * 3000, b'a' * 6000)
        t.say(c, 'close', 'graceful-close')
        c.close()
        a.recv(1)
        close(a, l)
        time.sleep(.3)


@scenario()
def lost_reset_then_data(t):
    """the server closes over unread data and its RST is lost; the client speaks a second later and meets no socket"""
    lost = []

    def swallow(s):
        first = not s.up and s.flags & RST and not lost
        if first:
            lost.append(1)
        return () if first else (.002,)
    with Relay(t.port, swallow):
        l, c, a = pair(t.port)
        talk(c, a)
        c.sendall(b'never read')
        time.sleep(.1)
        t.say(c, 'close', [UNREAD, 'no-socket-reset', 'stray-ack-reset'], 'server')
        a.close()
        time.sleep(1)
        quiet(c.send, b'anybody there?')
        time.sleep(.3)
        close(c, l)


@scenario()
def lost_first_syn_ack(t):
    """the first SYN-ACK is lost, the next comes; in order"""
    lost = []

    def swallow(s):
        first = not s.up and s.flags & SYN and not lost
        if first:
            lost.append(1)
        return () if first else (.002,)
    with Relay(t.port, swallow):
        l, c, a = pair(t.port)
        talk(c, a)
        t.say(c, 'syn', ['syn-ack-lost-on-path', 'unanswered-syn', 'handshake-unfinished', '-'])
        t.say(c, 'close', 'graceful-close')
        c.close()
        a.recv(1)
        close(a, l)
        time.sleep(.2)
