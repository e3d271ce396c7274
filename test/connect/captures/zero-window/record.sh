#!/bin/sh
# Takes zero-window.pcap: a server that does not read for two seconds, so that its window closes and the client probes
# it, then reads, and drops every fifth packet of the client for a while, so that some are sent again. Needs root,
# iproute2, nftables, tcpdump and Python.
set -eu
cd "$(dirname "$0")"
ns() { ip netns exec tcpa-zero sh -c "$1"; }
clean() { ip netns del tcpa-zero 2>/dev/null || true; }
trap clean EXIT
clean
ip netns add tcpa-zero
ns 'ip link set lo up mtu 1500; ip addr add 10.3.0.1/32 dev lo; ip addr add 10.3.0.2/32 dev lo'
ns 'nft "table ip t { chain i { type filter hook input priority 0; ip daddr 10.3.0.2 ip length > 1000 numgen inc mod 5 < 1 drop; }; }"'
ip netns exec tcpa-zero tcpdump -qni lo -U -s 80 -w zero-window.pcap tcp 2>/dev/null &
tcpdump=$!
sleep 1
ns 'timeout 20 python3 -c "
import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((\"10.3.0.2\", 80)); s.listen()
c, _ = s.accept(); time.sleep(2)
while c.recv(4096): pass
c.close()
"' &
sleep 0.5
ns 'timeout 20 python3 -c "
import socket
c = socket.create_connection((\"10.3.0.2\", 80), source_address=(\"10.3.0.1\", 0))
c.sendall(b\"y\" * 60000); c.shutdown(socket.SHUT_WR); c.recv(1)
"'
sleep 0.5
kill -INT $tcpdump
wait $tcpdump || true
