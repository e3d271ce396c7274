#!/bin/sh
# Takes client.pcap and server.pcap: eight connections over a path that loses, doubles and delays segments (path.py), to
# a server that echoes half of what it reads, some of it slowly; keepalives after a second without data. Needs root,
# iproute2, tcpdump and Python.
set -eu
cd "$(dirname "$0")"
A=tcpa-loss-a M=tcpa-loss-m B=tcpa-loss-b
pids=
clean() {
  kill $pids 2>/dev/null || true
  for n in $A $M $B; do ip netns del $n 2>/dev/null || true; done
}
trap clean EXIT
for n in $A $M $B; do ip netns add $n; done
ip link add va netns $A type veth peer name ma netns $M
ip link add vb netns $B type veth peer name mb netns $M
ip -n $A addr add 10.9.0.1/24 dev va
ip -n $B addr add 10.9.0.2/24 dev vb
for end in "$A va" "$M ma" "$M mb" "$B vb"; do ip -n "${end% *}" link set dev "${end#* }" up; done
ip netns exec $M python3 path.py 1 & pids="$pids $!"
ip netns exec $A tcpdump -qni va -U -s 80 -w client.pcap tcp 2>/dev/null & pids="$pids $!"
ip netns exec $B tcpdump -qni vb -U -s 80 -w server.pcap tcp 2>/dev/null & pids="$pids $!"
sleep 1
ip netns exec $B timeout 40 python3 -c "
import socket, threading, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
s.bind(('10.9.0.2', 80)); s.listen()
def serve(c, i):
    while True:
        if i % 3 == 0: time.sleep(0.05)
        b = c.recv(4096)
        if not b: break
        c.sendall(b[:len(b) // 2])
    c.close()
for i in range(8):
    c, _ = s.accept(); threading.Thread(target=serve, args=(c, i)).start()
" & pids="$pids $!"
sleep 0.5
ip netns exec $A timeout 35 python3 -c "
import socket, threading, time
def talk(i):
    c = socket.create_connection(('10.9.0.2', 80))
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    def read():
        while c.recv(65536): pass
    t = threading.Thread(target=read); t.start()
    for _ in range(10): c.sendall(b'z' * 8000); time.sleep(0.02)
    if i % 2: time.sleep(3)
    c.shutdown(socket.SHUT_WR); t.join(15); c.close()
ts = [threading.Thread(target=talk, args=(i,)) for i in range(8)]
for t in ts: t.start()
for t in ts: t.join()
"
sleep 0.5
