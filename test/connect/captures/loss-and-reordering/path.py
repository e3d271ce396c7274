"""path.py SEED: forwards frames between `ma` and `mb`; as chance has it some are lost, doubled, or overtaken by others."""
import heapq, random, select, socket, sys, time

LOST, DOUBLED, LATE, DELAY = .03, .01, .05, .01
PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 15, 23   # virtio_net_hdr: an unfinished checksum stays right
rng = random.Random(int(sys.argv[1]))


def interface(name):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.setsockopt(263, PACKET_VNET_HDR, 1)
    sock.setsockopt(263, PACKET_IGNORE_OUTGOING, 1)
    sock.bind((name, 0))
    return sock


ends = {}
ends['a'], ends['b'] = interface('ma'), interface('mb')
queue, count = [], 0
while True:
    wait = max(0, queue[0][0] - time.monotonic()) if queue else None
    ready, _, _ = select.select(list(ends.values()), [], [], wait)
    for sock in ready:
        frame = sock.recv(70000)
        for _ in range(2 if rng.random() < DOUBLED else 1):
            if rng.random() < LOST:
                continue
            late = rng.choice([.001, .005, .03]) if rng.random() < LATE else 0
            count += 1
            heapq.heappush(queue, (time.monotonic() + DELAY + late, count, ends['b' if sock is ends['a'] else 'a'], frame))
    while queue and queue[0][0] <= time.monotonic():
        _, _, sock, frame = heapq.heappop(queue)
        sock.send(frame)
