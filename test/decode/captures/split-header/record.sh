#!/bin/sh
# Takes split-header.pcap: a path whose last link carries 68 bytes an IP packet, so that the router before it fragments
# what does not fit, and that drops every third packet on the way back, so that ACKs carry SACK blocks: the TCP header
# of some does not fit in one fragment. Needs root, iproute2, nftables, tcpdump and Python.
set -eu
cd "$(dirname "$0")"
ns() { ip netns exec "tcpa-$1" sh -c "$2"; }
clean() { for n in client router server; do ip netns del "tcpa-$n" 2>/dev/null || true; done; }
trap clean EXIT
clean
for n in client router server; do ip netns add "tcpa-$n"; done
ip link add c0 netns tcpa-client type veth peer name r0 netns tcpa-router
ip link add s0 netns tcpa-server type veth peer name r1 netns tcpa-router
ns client 'ip addr add 10.1.0.1/24 dev c0; ip link set c0 up; ip route add default via 10.1.0.254'
ns router 'ip addr add 10.1.0.254/24 dev r0; ip addr add 10.2.0.254/24 dev r1; ip link set r0 up; ip link set r1 up mtu 68'
ns router 'sysctl -qw net.ipv4.ip_forward=1'
ns router 'nft "table ip t { chain f { type filter hook forward priority 0; oifname r0 ip length > 100 numgen inc mod 3 < 1 drop; }; }"'
ns server 'ip addr add 10.2.0.1/24 dev s0; ip link set s0 up; ip route add default via 10.2.0.254'
# Without path MTU discovery "don't fragment" is not set.
for n in client server; do ns $n 'sysctl -qw net.ipv4.ip_no_pmtu_disc=1'; done
ip netns exec tcpa-server tcpdump -qni s0 -U -s 96 -w split-header.pcap tcp or 'ip[6:2] & 0x1fff != 0' 2>/dev/null &
tcpdump=$!
sleep 1
ns server 'timeout 20 python3 -c "
import socket, time
s = socket.create_server((\"10.2.0.1\", 80)); c, _ = s.accept()
c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
c.recv(2000, socket.MSG_WAITALL)
for i in range(40): c.sendall(b\"x\" * 200); time.sleep(0.002)
c.close()
"' &
sleep 0.5
ns client 'timeout 20 python3 -c "
import socket
c = socket.create_connection((\"10.2.0.1\", 80)); c.sendall(b\"y\" * 2000)
while c.recv(4096): pass
"'
sleep 0.5
kill -INT $tcpdump
wait $tcpdump || true
