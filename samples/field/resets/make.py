#!/usr/bin/env python3
"""Writes the captures beside it: resets as other systems, devices and taps show them. Usage: make.py [FOLDER]

Each is a list of segments (time in seconds, sender, receiver, flags, numbers); client and server are 192.0.2.10:40000 and
198.51.100.9:8080 where nothing else is said. IPv4 in Ethernet, no checksums, classic pcap in nanoseconds."""
import os, struct, sys

C, S = ('192.0.2.10', 40000), ('198.51.100.9', 8080)
LINUX = ('mss', 'sack', 'ts', 'nop', 'ws')
WINDOWS = ('mss', 'nop', 'ws', 'nop', 'nop', 'sack')
BSD = ('mss', 'nop', 'ws', 'nop', 'nop', 'ts', 'sack', 'eol')
STAMP = ('nop', 'nop', 'ts')
BITS = dict(F=1, S=2, R=4, P=8, A=16, E=64, W=128)


def options(kinds, ts, mss, ws):
    kind = {'mss': struct.pack('>BBH', 2, 4, mss), 'nop': b'\1', 'eol': b'\0', 'sack': b'\4\2', 'ws': struct.pack('BBB', 3, 3, ws),
            'ts': struct.pack('>BBII', 8, 10, *ts)}
    raw = b''.join(kind[k] for k in kinds)
    return raw + b'\0' * (-len(raw) % 4)


def segment(time, src, dst, flags, seq=0, ack=0, data=0, win=502, opt=(), ts=(0, 0), mss=1460, ws=7, ttl=64, id=0):
    raw = options(opt, ts, mss, ws)
    tcp = struct.pack('>HHIIBBHHH', src[1], dst[1], seq, ack, (5 + len(raw) // 4) << 4, sum(BITS[f] for f in flags), win, 0, 0)
    tcp += raw + b'x' * data
    address = lambda a: bytes(int(n) for n in a.split('.'))
    ip = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(tcp), id, 0x4000, ttl, 6, 0) + address(src[0]) + address(dst[0])
    return time, bytes(12) + b'\x08\0' + ip + tcp


def write(name, *segments):
    with open(os.path.join(FOLDER, name + '.pcap'), 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
        for time, frame in segments:
            ns = 1_700_000_000_000_000_000 + round(time * 1e9)
            f.write(struct.pack('<IIII', ns // 10**9, ns % 10**9, len(frame), len(frame)) + frame)


FOLDER = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))


def port(n):
    return C[0], C[1] + n


def opened(at, c=C, s=S, rtt=.001, isn=(1000, 5000), **more):
    """A handshake of two Linux hosts: three segments; `more` is of the server's."""
    return [segment(at, c, s, 'S', isn[0], win=64240, opt=LINUX, ts=(10, 0)),
            segment(at + rtt, s, c, 'SA', isn[1], isn[0] + 1, win=65160, opt=LINUX, ts=(90, 10), **more),
            segment(at + rtt + 1e-4, c, s, 'A', isn[0] + 1, isn[1] + 1, opt=STAMP, ts=(11, 90))]


# --- refused: a SYN of the other side, its number + 1 acknowledged
syn = lambda at, **more: segment(at, C, S, 'S', 1000, win=64240, opt=LINUX, ts=(10, 0), **more)
write('refused-seq', syn(0), segment(.12, S, C, 'RA', 2462244745, 1001, win=0))
write('refused-window', syn(0), segment(.12, S, C, 'RA', 0, 1001, win=8192, ttl=113, id=7))
# not refused
write('handshake-not-captured', syn(0), segment(.1, C, S, 'A', 1001, 5001, opt=STAMP, ts=(11, 90)),
      segment(.2, S, C, 'RA', 5001, 1001, win=0))
write('wrong-ack', syn(0), segment(.12, S, C, 'RA', 0, 1777, win=0))
write('backscatter', segment(0, S, C, 'RA', 0, 1298760120, win=0, ttl=58))
write('rst-of-the-syn-sender', segment(0, C, S, 'S', 1000, win=65535, ttl=244), segment(.02, C, S, 'RA', 0, 1144761888, win=0, ttl=57))
write('reset-after-syn-ack', *opened(0)[:2], segment(.0012, S, C, 'RA', 5001, 1001, win=502, opt=STAMP, ts=(91, 10)))


# --- RSTs at one moment
def by_time(*connections):
    return sorted((s for c in connections for s in c), key=lambda s: s[0])


def without_data(n, start, end):
    c = port(n)
    own, theirs = 1000 + n * 7919, 5000 + n * 104729
    return [*opened(start, c, isn=(own, theirs)), segment(end, S, c, 'RA', theirs + 1, own + 1, win=502, opt=STAMP, ts=(99, 12))]


write('burst', *by_time(*(without_data(n, n * .01, 2 + n * 4e-5) for n in range(3))), *opened(8, port(9), isn=(77000, 99000)))
# pairs 5 ms apart among 100 resets of two seconds
write('burst-among-many', *by_time(*(without_data(n, n * .01, 2 + n * .02 + (.015 if n % 7 == 0 else 0)) for n in range(100))))
# the same without the handshakes: that the server never sent a byte is not known
write('burst-midstream', *by_time(*([segment(n * 1e-5, port(n), S, 'FA', 1000 + n * 7919, 9000, opt=STAMP, ts=(11, 90)),
                                     segment(.04 + n * 1e-5, S, port(n), 'RA', 9000, 1001 + n * 7919, win=0)] for n in range(3))))

# --- after its own FIN
def served(data=4000, answer=199):
    """Request and answer; the server's next number is 5001 + answer."""
    return [*opened(0), segment(.1, C, S, 'PA', 1001, 5001, data, opt=STAMP, ts=(12, 90)),
            segment(.1001, S, C, 'A', 5001, 1001 + data, opt=STAMP, ts=(92, 12)),
            segment(.105, S, C, 'PA', 5001, 1001 + data, answer, opt=STAMP, ts=(95, 12))]


write('unread-after-shutdown', *served(), segment(.1051, S, C, 'FA', 5200, 5001, opt=STAMP, ts=(95, 12)),
      segment(.1053, S, C, 'RA', 5201, 5001, win=561, opt=STAMP, ts=(96, 12)))
# nothing received: nothing can be unread
write('reset-after-shutdown', *opened(0), segment(.1051, S, C, 'FA', 5001, 1001, opt=STAMP, ts=(95, 12)),
      segment(.1053, S, C, 'RA', 5002, 1001, win=561, opt=STAMP, ts=(96, 12)))


def windows(*segments):
    """A handshake of a client with options and TTL as Windows has them; no timestamps follow."""
    return [segment(0, C, S, 'S', 1000, win=64240, opt=WINDOWS, ws=8, ttl=128), segment(.02, S, C, 'SA', 5000, 1001, win=65160, opt=('mss', 'nop', 'nop', 'sack', 'nop', 'ws')),
            segment(.0201, C, S, 'A', 1001, 5001, win=1026, ttl=128), *segments]


again = [10, 10.3, 10.9, 12.1, 14.5, 19.3]
write('fin-given-up', *windows(*(segment(t, C, S, 'FA', 1001, 5001, win=255, ttl=128, id=9 + i) for i, t in enumerate(again)),
                              segment(28.9, C, S, 'RA', 1002, 5001, win=0, ttl=128, id=20)))
# its FIN was acknowledged, and what it sent again as well: nothing was given up
write('fin-answered-then-reset', *windows(*(segment(t, C, S, 'FA', 1001, 5001, win=255, ttl=128, id=9 + i) for i, t in enumerate(again)),
                                         segment(19.4, S, C, 'A', 5001, 1002), segment(28.9, C, S, 'RA', 1002, 5001, win=0, ttl=128, id=20)))

# --- which segment a RST answers
# the request crossed the FIN: the RST's number is what the request acknowledged, not what the ACK of the FIN did
crossed = [*opened(0), segment(.1, C, S, 'PA', 1001, 5001, 10, opt=STAMP, ts=(12, 90)),
           segment(.14, S, C, 'PA', 5001, 1011, 100, opt=STAMP, ts=(92, 12)), segment(.1401, C, S, 'A', 1011, 5101, opt=STAMP, ts=(13, 92)),
           segment(60, C, S, 'PA', 1011, 5101, 72, opt=STAMP, ts=(600, 92)), segment(60.014, S, C, 'FA', 5101, 1011, opt=STAMP, ts=(690, 13)),
           segment(60.0155, C, S, 'A', 1083, 5102, opt=STAMP, ts=(601, 690))]
write('data-crossed-fin', *crossed, segment(60.0395, S, C, 'R', 5101, win=0))
write('ack-of-fin-reset', *crossed[:-3], segment(60.014, S, C, 'FA', 5101, 1011, opt=STAMP, ts=(690, 13)),
      segment(60.0155, C, S, 'A', 1011, 5102, opt=STAMP, ts=(601, 690)), segment(60.0160, S, C, 'R', 5102, win=0))
# no packet of the client has this number
write('answers-nothing', *crossed[:-3], segment(60.014, S, C, 'R', 777777, win=0))

# --- a SYN that meets an older connection of its ports: the old ACK, the RST to that, and the SYN taken when it comes again
def reuse(old, isn, ack, ts=None):
    """`old`: what the file has of the older connection, which ends at `ack` (seq, ack of the server); stamps of SYN and old ACK."""
    stamp = lambda n: dict(opt=STAMP, ts=n) if ts else {}
    first = dict(opt=LINUX, ts=(ts[0], 0)) if ts else {}
    return [*old, segment(5, C, S, 'S', isn, win=64240, **first), segment(5.001, S, C, 'A', *ack, **stamp((9000, ts[1]) if ts else None)),
            segment(5.002, C, S, 'R', ack[1], win=0), segment(6.03, C, S, 'S', isn, win=64240, **first),
            segment(6.031, S, C, 'SA', 90000, isn + 1, win=65160, **(dict(opt=LINUX, ts=(9100, ts[0])) if ts else {})), segment(6.032, C, S, 'A', isn + 1, 90001, **stamp((ts[0], 9100) if ts else None))]


def bare(first, second):
    """A connection without timestamps; `first` closes it."""
    a, b = (5001, 1001), (1001, 5001)
    one, two = (a, b) if first == S else (b, a)
    return [segment(0, C, S, 'S', 1000, win=64240), segment(.001, S, C, 'SA', 5000, 1001, win=65160), segment(.002, C, S, 'A', 1001, 5001),
            segment(.3, first, second, 'FA', *one), segment(.302, second, first, 'FA', two[0], two[1] + 1), segment(.303, first, second, 'A', one[0] + 1, one[1] + 1)]


write('reuse-time-wait', *reuse(bare(S, C), 700, (5002, 1002)))
write('reuse-client-closed-first', *reuse(bare(C, S), 700, (5002, 1002)))
write('reuse-open', *reuse(bare(S, C)[:3], 700, (5001, 1001)))
write('reuse-older-number', *reuse([], 700, (5002, 1002)))
write('reuse-newer-number', *reuse([], 2000, (5002, 1002)))
write('reuse-newer-timestamp', *reuse([], 700, (5002, 1002), (400, 300)))
write('reuse-older-timestamp', *reuse([], 2000, (5002, 1002), (200, 300)))
# the SYN-ACK is not in the file: the connection itself is acknowledged, and then reset
write('reuse-none', *bare(S, C)[:1], *bare(S, C)[2:3], segment(.1, C, S, 'PA', 1001, 5001, 100), segment(.101, S, C, 'A', 5001, 1101), segment(.2, C, S, 'R', 1101, win=0))

# --- the SYN had its SYN-ACK at once; the ACK of the handshake and the data were not taken
write('ack-refused', *opened(0), *(segment(t, C, S, 'PA', 1001, 5001, 100, opt=STAMP, ts=(10 + round(t * 1000), 90)) for t in (.01, .21, .63)),
      *(x for t in (1, 3, 7) for x in (segment(t, S, C, 'SA', 5000, 1001, win=65160, opt=LINUX, ts=(90 + t * 1000, 10)),
                                       segment(t + .0002, C, S, 'A', 1101, 5001, opt=STAMP, ts=(10 + t * 1000, 90)))))

# --- whose stack: the ACK of the FIN is answered with a RST, of a server that is Windows, and midstream
fin_reset = lambda **ip: [segment(.1, S, C, 'FA', 5001, 1001, **ip), segment(.12, C, S, 'A', 1001, 5002), segment(.1205, S, C, 'R', 5002, win=0, **ip)]
write('ack-of-fin-reset-windows', segment(0, C, S, 'S', 1000, win=64240, opt=LINUX, ts=(10, 0)),
      segment(.02, S, C, 'SA', 5000, 1001, win=65535, opt=WINDOWS, ws=8, ttl=117), segment(.0201, C, S, 'A', 1001, 5001), *fin_reset(ttl=117))
write('ack-of-fin-reset-midstream', segment(0, C, S, 'PA', 991, 5001, 10), segment(.02, S, C, 'A', 5001, 1001), *fin_reset())


def syns(name, *stacks):
    write(name, *(segment(i, port(i), S, 'S', 1000 + i * 7919, ts=(10 + i, 0), **more) for i, more in enumerate(stacks)))


syns('stacks-linux', dict(opt=LINUX, win=64240), dict(opt=LINUX, win=29200, ttl=50), dict(opt=LINUX, win=64240, mss=1360), dict(opt=LINUX, win=62727, mss=8961, ttl=64),
     dict(opt=('mss', 'nop', 'nop', 'sack', 'nop', 'ws'), win=64240), dict(opt=('mss', 'nop', 'nop', 'ts', 'nop', 'ws'), win=64240), dict(opt=LINUX, win=65535))
syns('stacks-others', dict(opt=WINDOWS, win=64240, ttl=128), dict(opt=BSD, win=65535), dict(opt=('mss', 'nop', 'ws', 'sack', 'ts'), win=65535),
     dict(opt=('mss', 'nop', 'nop', 'sack', 'nop', 'ws', 'nop', 'nop', 'ts'), win=16384), dict(opt=('mss', 'nop', 'nop', 'sack'), win=65535, ttl=120))
# raw sockets of scanners, Linux behind a device that sets the TTL, a window that Linux does not make, options cut out
syns('stacks-unknown', dict(opt=('mss',), win=1024, ttl=40), dict(win=1024, ttl=250), dict(opt=LINUX, win=64240, ttl=255), dict(opt=LINUX, win=12345),
     dict(opt=('mss', 'nop', 'nop', 'nop', 'nop', 'sack'), win=64240))

# --- two captures: a device reset the connection in the server's name, the server goes on; and the server did so itself
def of_both(name, *segments):
    """At the client and, without what is made on the way, at the server: (sent by the device, segment maker)."""
    write(name + '-client', *(make(.0003 if x else 0, 62) for x, make in segments if x is not None))
    write(name + '-server', *(make(0, 64) for x, make in segments if not x))


S_AT = lambda t, flags, seq, ack, data=0, **more: (False, lambda d, ttl: segment(t + d, S, C, flags, seq, ack, data, ttl=ttl, opt=more.get('opt', STAMP), ts=(9000 + round(t * 1000), 10), win=502))
C_AT = lambda t, flags, seq, ack, data=0, **more: (False, lambda d, ttl: segment(t - d, C, S, flags, seq, ack, data, ttl=126 - ttl, opt=more.get('opt', STAMP), ts=(10 + round(t * 1000), 9000), win=502))
start = [C_AT(0, 'S', 1000, 0, opt=LINUX), S_AT(.001, 'SA', 5000, 1001, opt=LINUX), C_AT(.002, 'A', 1001, 5001), C_AT(.003, 'PA', 1001, 5001, 100), S_AT(.004, 'A', 5001, 1101)]
rst = lambda x: (x, S_AT(10, 'RA', 5001, 1101)[1])
of_both('made-between', *start, rst(True), (None, S_AT(10.5, 'PA', 5001, 1101, 10)[1]))
of_both('made-by-server', *start, rst(False), C_AT(20, 'S', 900000, 0, opt=LINUX))
