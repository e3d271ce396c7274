
exec 2> $OUT/trace.txt; set -x
export PATH=/usr/bin:/usr/sbin:/bin:/sbin
for m in nf_conntrack_netlink nfnetlink; do [ ! -e modules/$m.ko ] || insmod modules/$m.ko || true; done
for n in c r s; do ip netns add $n; ip -n $n link set lo up; done
ip link add cv0 type veth peer name rv0; ip link set dev cv0 netns c; ip link set dev rv0 netns r
ip link add rv1 type veth peer name sv0; ip link set dev rv1 netns r; ip link set dev sv0 netns s
ip -n c addr add 10.90.1.2/24 dev cv0; ip -n r addr add 10.90.1.1/24 dev rv0
ip -n r addr add 10.90.2.1/24 dev rv1; ip -n s addr add 10.90.2.2/24 dev sv0
for x in "c cv0" "r rv0" "r rv1" "s sv0"; do set -- $x; ip -n $1 link set dev $2 up; done
ip -n c route add default via 10.90.1.1; ip -n s route add default via 10.90.2.1
ip netns exec r sysctl -w net.ipv4.ip_forward=1
ip netns exec r nft add table inet f; ip netns exec r nft add chain inet f fw '{ type filter hook forward priority 0; }'
ip netns exec r nft add rule inet f fw ct state established,related accept
sysctl -w net.netfilter.nf_conntrack_max=24; sysctl net.netfilter.nf_conntrack_max; ip netns exec r sysctl -a 2>/dev/null | grep nf_conntrack_max
cat > srv.py <<X
import socket,time,threading
l=socket.socket(); l.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); l.bind(('0.0.0.0',8080)); l.listen(128)
held=[]
while True:
    held.append(l.accept()[0])
X
cat > cli.py <<X
import socket,time
ok=[];bad=0
for i in range(60):
    s=socket.socket(); s.settimeout(1.5)
    try: s.connect(('10.90.2.2',8080)); s.sendall(b'hello'); ok.append(s)
    except Exception as e: bad+=1; print(i,repr(e)); s.close()
print('established',len(ok),'failed',bad)
time.sleep(3)
X
{ for n in c r s; do ip -n $n addr; ip -n $n route; done; ip netns exec r nft list ruleset; } > $OUT/setup.txt 2>&1; date -u > $OUT/date-start.txt
ip netns exec s python3 srv.py & sleep 3
ip netns exec c tcpdump -Z root -i cv0 -s 128 -w $OUT/client.pcap tcp port 8080 2>/dev/null & sleep 2
ip netns exec s tcpdump -Z root -i sv0 -s 128 -w $OUT/server.pcap tcp port 8080 2>/dev/null & sleep 3
ip netns exec r conntrack -S > $OUT/conntrack-before.txt
ip netns exec c python3 cli.py > $OUT/client.txt 2>&1
ip netns exec r conntrack -S > $OUT/conntrack-after.txt
ip netns exec r conntrack -L > $OUT/conntrack-L.txt 2>&1
ip netns exec r conntrack -C > $OUT/conntrack-C.txt 2>&1
dmesg > $OUT/dmesg.txt; dmesg -r | tail -20 > $OUT/dmesg-r.txt
ip netns exec s ss -tanpo > $OUT/ss-server.txt; ip netns exec c ss -tanpo > $OUT/ss-client.txt
ip netns exec s ss -tinm > $OUT/ss-server-i.txt
cat /proc/net/stat/nf_conntrack > $OUT/proc-stat.txt; ip netns exec r cat /proc/net/stat/nf_conntrack > $OUT/proc-stat-r.txt
ip netns exec c nstat -az > $OUT/nstat-client.txt
sleep 2; kill %2 %3; sleep 2
