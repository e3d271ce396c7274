#!/bin/bash
# Takes every sample of this folder in one run, between two network namespaces. As root: take.sh DIRECTORY
# Needs iproute2, net-tools, tcpdump, libbpf-tools, bpftrace and a mounted tracefs.
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"

ip netns add lab-a
ip netns add lab-b
trap 'ip netns del lab-a; ip netns del lab-b' EXIT
ip link add va netns lab-a type veth peer name vb netns lab-b
for n in a b; do
  ip -n lab-$n link set lo up
  ip -n lab-$n link set v$n up
done
ip -n lab-a addr add 10.9.0.1/24 dev va
ip -n lab-b addr add 10.9.0.2/24 dev vb
ip -n lab-a addr add fd09::1/64 dev va nodad
ip -n lab-b addr add fd09::2/64 dev vb nodad
sleep 1
server="ip netns exec lab-a"
client="ip netns exec lab-b"
# the tracers see every namespace: keep the lines of this lab
mine='SKADDR|RX_KB|10\.9\.0|fd09|:: +9090|0\.0\.0\.0 +8080'

stop=""
tcpstates >tcpstates.all & stop="$stop $!"
tcpstates -T >tcpstates-T.all & stop="$stop $!"
tcpstates -w -T >tcpstates-wT.all & stop="$stop $!"
tcplife -T >tcplife-T.all & stop="$stop $!"
bpftrace /usr/sbin/tcpdrop.bt >tcpdrop-bt.all & stop="$stop $!"
$server tcpdump -i any -nn -l --immediate-mode tcp >tcpdump-any.txt 2>tcpdump-any.err & stop="$stop $!"
$server tcpdump -i va -U --immediate-mode -w server.pcap tcp 2>tcpdump-va.err & stop="$stop $!"
sleep 5
$server nstat -n
$server python3 "$here/server.py" 12 & run=$!
sleep 0.5
$client python3 "$here/client.py" &
sleep 3

for options in tanpieoOm tanpieom anp tan ltnp tanH at; do $server ss -$options >ss-$options.txt 2>/dev/null; done
$server ss -tan state close-wait >ss-state-close-wait.txt
for options in anp ant tnpo anpte at; do $server netstat -$options >netstat-$options.txt; done
$client netstat -anp >client-netstat-anp.txt
$server netstat -s >netstat-s.txt
$server nstat >nstat.txt
$server nstat -az >nstat-az.txt
$server nstat -a --json >nstat-a.json
$server cat /proc/net/netstat /proc/net/snmp >proc-net.txt
wait $run
sleep 1
$server netstat -s >netstat-s-later.txt
$server nstat -az >nstat-az-later.txt
$server sysctl -a 2>/dev/null | grep -E '^net\.(core\.somaxconn|ipv4\.tcp_)' >sysctl.txt
kill -INT $stop
wait $stop || true

for log in tcpstates tcpstates-T tcpstates-wT tcplife-T; do grep -E "$mine" $log.all >$log.txt; done
awk -v RS= -v ORS='\n\n' '/^Attaching/ || /10\.9\.0|fd09/ { keep = 1 } /^[0-9:]{8} / && !/10\.9\.0|fd09/ { keep = 0 } keep' tcpdrop-bt.all >tcpdrop-bt.txt
rm -- *.all

for options in nn nnS; do tcpdump -$options -r server.pcap >tcpdump-$options.txt 2>/dev/null; done
for options in nnt nntt nnttt nntttt nnttttt nnv nne nnvve; do
  tcpdump -$options -c 24 -r server.pcap >tcpdump-$options.txt 2>/dev/null
done
tcpdump -nn# -c 24 -r server.pcap >tcpdump-nn-number.txt 2>/dev/null
tcpdump -c 24 -r server.pcap >tcpdump.txt 2>/dev/null
