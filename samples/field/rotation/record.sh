#!/bin/bash
# usage: lab.sh DIR: traffic between two namespaces, captured by tcpdump whole, -G 1 and -C 1
set -e
D=$1; mkdir -p $D/g $D/c
ip netns add rota; ip netns add rotb
ip link add va netns rota type veth peer name vb netns rotb
ip -n rota addr add 10.99.0.1/24 dev va; ip -n rotb addr add 10.99.0.2/24 dev vb
for n in rota rotb; do ip -n $n link set lo up; done; ip -n rota link set va up; ip -n rotb link set vb up
ip netns exec rota ethtool -K va tso off gso off gro off >/dev/null 2>&1 || true
ip netns exec rotb ethtool -K vb tso off gso off gro off >/dev/null 2>&1 || true
trap 'ip netns del rota; ip netns del rotb' EXIT
ip netns exec rotb tcpdump -Z root -q -i vb -w $D/whole.pcap tcp 2>/dev/null & P1=$!
ip netns exec rotb tcpdump -Z root -q -i vb -G 1 -w "$D/g/r-%H%M%S.pcap" tcp 2>/dev/null & P2=$!
ip netns exec rotb tcpdump -Z root -q -i vb -C 1 -w $D/c/r.pcap tcp 2>/dev/null & P3=$!
sleep 2
cat > $D/server.py <<'P'
import socket, threading, time, struct
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR,1); s.bind(('10.99.0.2',8080)); s.listen(64)
def serve(c):
    try:
        while True:
            d=c.recv(65536)
            if not d: break
            if d.startswith(b'RST'):
                c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii',1,0)); break
            if d.startswith(b'BIG'): c.sendall(b'x'*BIG)
            else: c.sendall(b'ok')
    except OSError: pass
    c.close()
import sys
BIG=int(sys.argv[1])
while True:
    c,_=s.accept(); threading.Thread(target=serve,args=(c,),daemon=True).start()
P
cat > $D/client.py <<'P'
import socket, time, sys
def conn(): return socket.create_connection(('10.99.0.2',8080),5)
long=conn()
end=time.time()+float(sys.argv[1]); i=0
while time.time()<end:
    long.sendall(b'ping'); long.recv(100)
    c=conn(); c.sendall(b'RST' if i%4==3 else b'BIG' if i%4==2 else b'hello')
    try:
        c.settimeout(0.3)
        n=0
        while True:
            d=c.recv(65536)
            n+=len(d)
            if not d or (i%4!=2) : break
    except OSError: pass
    c.close(); i+=1
    try: socket.create_connection(('10.99.0.2',9),1)
    except OSError: pass
    time.sleep(0.12)
long.close()
P
ip netns exec rotb python3 $D/server.py ${BIG:-2000} & P4=$!
sleep 0.5
ip netns exec rota python3 $D/client.py ${SECS:-4}
sleep 1
kill $P4 $P1 $P2 $P3; wait 2>/dev/null || true
