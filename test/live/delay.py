"""delay.py MILLISECONDS: the path between interfaces `client` and `server` of a namespace: forwards frames after a while.

Before it forwards a TCP frame it asks the expression in the file $LAB_PATH (see `path` in behaviours/lab.py): 'drop' loses the
frame, 'reset' loses it and sends a RST to both ends in the name of the other, as a firewall between them does."""
import collections, os, select, socket, struct, sys, time

delay = float(sys.argv[1]) / 1000
SOL_PACKET, PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 263, 15, 23
VNET = 10       # virtio_net_hdr: carries the state of the checksum, so that an unfinished one stays right


def interface(name):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    sock.bind((name, 0))
    return sock


def checksum(data):
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def rst(ethernet, source, target, ports, seq, ack):
    ip = struct.pack('>BBHHHBBH', 0x45, 0, 40, 0xbeef, 0, 200, 6, 0) + source + target
    ip = ip[:10] + struct.pack('>H', checksum(ip)) + ip[12:]
    tcp = ports + struct.pack('>IIBBHHH', seq, ack, 5 << 4, 0x14, 0, 0, 0)
    tcp = tcp[:16] + struct.pack('>H', checksum(source + target + struct.pack('>HH', 6, 20) + tcp)) + tcp[18:]
    return bytes(VNET) + ethernet + ip + tcp


def ask(way, frame):
    """What to do with this frame: (verdict, RST onwards, RST back)."""
    rule = open(os.environ['LAB_PATH']).read().strip()
    data = frame[VNET:]
    if not rule or data[12:14] != b'\x08\x00' or data[23] != 6:
        return None, None, None
    tcp = data[14 + (data[14] & 15) * 4:]
    source, target, seq, ack, offset, flags = struct.unpack('>HHIIBB', tcp[:14])
    length = struct.unpack('>H', data[16:18])[0] - (data[14] & 15) * 4 - (offset >> 4) * 4
    verdict = eval(rule, {}, {'way': way, 'flags': flags, 'length': length, 'source': source, 'target': target})
    if verdict != 'reset':
        return verdict, None, None
    macs, addresses = data[:14], (data[26:30], data[30:34])
    onward = rst(macs, addresses[0], addresses[1], tcp[:4], seq, ack)
    back = rst(macs[6:12] + macs[:6] + macs[12:], addresses[1], addresses[0], tcp[2:4] + tcp[:2], ack, seq + length)
    return verdict, onward, back


ends = {'to-server': (interface('client'), interface('server'))}
ends['to-client'] = ends['to-server'][::-1]
queue = collections.deque()
while True:
    wait = max(0, queue[0][0] - time.monotonic()) if queue else None
    ready, _, _ = select.select([pair[0] for pair in ends.values()], [], [], wait)
    for way, (here, there) in ends.items():
        if here in ready:
            try:
                frame = here.recv(70000)
            except OSError:     # the lab is taken down
                sys.exit()
            verdict, onward, back = ask(way, frame)
            if verdict == 'reset':
                queue.append((time.monotonic() + delay, there, onward))
                queue.append((time.monotonic() + delay, here, back))
            elif verdict != 'drop':
                queue.append((time.monotonic() + delay, there, frame))
    while queue and queue[0][0] <= time.monotonic():
        _, there, frame = queue.popleft()
        there.send(frame)
