#!/usr/bin/env bash
# Runs a command with two network namespaces joined by a veth pair, and removes them afterwards.
#
#   lab.sh COMMAND [ARGUMENT ...]
#
# The command finds $LAB_CLI and $LAB_SRV (names for `ip netns exec`); in each the interface is eth0.
# Addresses: client 10.77.0.1, fd77::1; server 10.77.0.2, fd77::2. Needs root, iproute2.
# With LAB_DELAY_MS=N the path is delay.py in a third namespace, which forwards each frame N ms after it came, and drops or
# resets what the file $LAB_PATH says; with LAB_DELAY_WITH=netem a router with netem instead (where the kernel has it), which leaves no
# false drops for tcpdrop to show.
set -euo pipefail
(( $# > 0 )) || { sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 1; }
export LAB_CLI=cli-$$ LAB_SRV=srv-$$ LAB_MID=mid-$$ LAB_CLI_IP=10.77.0.1 LAB_SRV_IP=10.77.0.2

down() {
  trap - EXIT
  for ns in "$LAB_CLI" "$LAB_SRV" "$LAB_MID"; do
    for pid in $(ip netns pids "$ns" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$ns" 2>/dev/null || true
  done
  rm -f "${LAB_PATH:-}"
}
trap down EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ip netns add "$LAB_CLI"
ip netns add "$LAB_SRV"
if [[ -n ${LAB_DELAY_MS:-} ]]; then
  ip netns add "$LAB_MID"
  ip -n "$LAB_MID" link set lo up      # makes the table of local addresses; without it every neighbour is taken for a broadcast
  ip link add eth0 netns "$LAB_CLI" type veth peer name client netns "$LAB_MID"
  ip link add eth0 netns "$LAB_SRV" type veth peer name server netns "$LAB_MID"
  if [[ ${LAB_DELAY_WITH:-} = netem ]]; then
    ip netns exec "$LAB_MID" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.{client,server}.{proxy_arp=1,proxy_arp_pvlan=0,send_redirects=0}
    ip netns exec "$LAB_MID" sysctl -qw net.ipv4.neigh.{client,server}.proxy_delay=0
  else
    LAB_PATH=$(mktemp); export LAB_PATH
    ip netns exec "$LAB_MID" sysctl -qw net.ipv6.conf.{client,server}.disable_ipv6=1
  fi
  for end in client server; do
    ip -n "$LAB_MID" link set $end up
    [[ ${LAB_DELAY_WITH:-} != netem ]] || ip netns exec "$LAB_MID" tc qdisc add dev $end root netem delay "${LAB_DELAY_MS}ms"
  done
  if [[ ${LAB_DELAY_WITH:-} = netem ]]; then
    ip -n "$LAB_MID" route add $LAB_CLI_IP dev client
    ip -n "$LAB_MID" route add $LAB_SRV_IP dev server
  else
    ip netns exec "$LAB_MID" /usr/bin/python3 "$(dirname "$(readlink -f "$0")")/delay.py" "$LAB_DELAY_MS" & disown
  fi
else
  ip link add eth0 netns "$LAB_CLI" type veth peer name eth0 netns "$LAB_SRV"
fi
ip -n "$LAB_CLI" addr add $LAB_CLI_IP/24 dev eth0
ip -n "$LAB_SRV" addr add $LAB_SRV_IP/24 dev eth0
ip -n "$LAB_CLI" addr add fd77::1/64 dev eth0 nodad
ip -n "$LAB_SRV" addr add fd77::2/64 dev eth0 nodad
for ns in "$LAB_CLI" "$LAB_SRV"; do
  ip -n "$ns" link set lo up
  ip -n "$ns" link set eth0 up
done
# a datagram to nobody fills the neighbour tables before the capture begins
for to in $LAB_SRV_IP fd77::2; do ip netns exec "$LAB_CLI" bash -c "echo >/dev/udp/$to/9; sleep 0.1"; done
"$@"
