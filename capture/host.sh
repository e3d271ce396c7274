# shellcheck shell=sh disable=SC2154
# What this host has. What is missing costs its half of the evidence, and the manifest says so; nothing is derived from a version.

# Sets `recorder` and `no_recorder`, `no_tcpdump` (why there is none; empty: there is).
find_tools() {
  for tool in awk timeout; do
    command -v $tool >/dev/null || fail "no $tool on this host"
  done
  loopback='' recorder='' no_recorder="no tcpautopsy-record for $(uname -m) beside the folder capture/ (npm run build:recorder)" no_tcpdump='no tcpdump on this host'
  for folder in "$here/../recorder" "$here/../dist/recorder"; do
    [ ! -x "$folder/$(uname -m)/tcpautopsy-record" ] || { recorder=$folder/$(uname -m)/tcpautopsy-record no_recorder=''; break; }
  done
  ! command -v tcpdump >/dev/null || no_tcpdump=''
  [ -z "$no_recorder" ] || [ -z "$no_tcpdump" ] || fail "nothing to record with: $no_recorder; $no_tcpdump"
  if [ "$(id -u)" -ne 0 ] && ! awk '/^CapEff:/ { exit substr($2, length($2) - 3, 1) !~ /[2367aAbBeEfF]/ }' /proc/self/status; then
    fail "not root: run it with sudo, or give it CAP_BPF, CAP_PERFMON and CAP_NET_RAW"
  fi
  recorder_version=$([ -z "$recorder" ] || "$recorder" --version 2>/dev/null)
  [ -n "$no_tcpdump" ] || ask_tcpdump
  tcpdump_version=$([ -n "$no_tcpdump" ] || tcpdump --version 2>&1 | head -n 2 | paste -s -d , - | sed 's/,/, /')
  ss_version=$(ss -V 2>/dev/null)
}

packet_filter() { PORTS=$ports HOSTS=$hosts LOOPBACK=$loopback awk -f "$here/packets.awk"; }

# Sets `loopback`: a packet of the loopback interface passes it twice, and libpcap throws the first away when it was copied already. With lo alone
# it has to: it filters the first blocks of its ring itself, knows no direction there without a header of `any`, and would lose all of them.
ask_tcpdump() {
  case $interface in
    any) loopback="ifindex 1 and outbound" ;; # LOOPBACK_IFINDEX
    *) return ;;
  esac
  tcpdump -i "$interface" -d "$loopback" > /dev/null 2>&1 || loopback=''
}

socket_filter() {
  joint=''
  for port in $ports; do printf '%ssport = :%s or dport = :%s' "$joint" "$port" "$port"; joint=' or '; done
}

# The words of the recorder's command line that say what is recorded, one a line.
recorder_options() {
  for port in $ports; do printf -- '--port\n%s\n' "$port"; done
  for host in $hosts; do printf -- '--host\n%s\n' "$host"; done
  for piece in $probes; do printf -- '--probe\n%s\n' "$piece"; done
  [ -z "$netns" ] || echo --netns
  [ -z "$walk" ] || echo --walk
  [ -z "$ring" ] || echo --segments
}

# Keys (tcp_fastopen_key) are secrets and stay out.
settings() {
  grep -s '' /proc/sys/net/ipv4/tcp_* /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/ip_local_reserved_ports /proc/sys/net/ipv4/conf/*/rp_filter \
    /proc/sys/net/ipv4/conf/*/log_martians /proc/sys/net/ipv4/conf/*/accept_local /proc/sys/net/ipv4/conf/*/route_localnet /proc/sys/net/ipv4/ip_forward \
    /proc/sys/net/core/somaxconn /proc/sys/net/core/netdev_max_backlog /proc/sys/net/netfilter/nf_conntrack_max /proc/sys/net/netfilter/nf_conntrack_count |
    awk '!/tcp_fastopen_key/ { k = index($0, ":"); name = substr($0, 11, k - 11); gsub(/\./, "\001", name); gsub(/\//, ".", name); gsub(/\001/, "/", name); value = substr($0, k + 1); gsub(/\t/, " ", value); print name " = " value }'
}

# Names of this host's pods and containers by uid and id, where kubelet keeps their logs under them.
pod_names() {
  for folder in /var/log/pods/*_*_*/; do
    folder=${folder%/} && folder=${folder##*/}
    [ "$folder" = '*_*_*' ] || { rest=${folder#*_}; echo "${rest#*_} ${folder%%_*}/${rest%%_*}"; }
  done
  for file in /var/log/containers/*_*_*-*.log; do
    file=${file##*/} && file=${file%.log}
    [ "$file" = '*_*_*-*' ] || { rest=${file#*_}; rest=${rest#*_}; echo "${rest##*-} ${rest%-*}"; }
  done
}

# Those that someone changed since they were last looked at, behind those of the start. The number of conntrack entries changes by itself.
settings_changed() {
  settings | grep -v nf_conntrack_count > "$work/settings" || return 0
  awk 'NR == FNR { last[$1] = $0; next } last[$1] != $0' "$dir/sysctl.txt" "$work/settings" > "$work/changed"
  cat "$work/changed" >> "$dir/sysctl.txt"
}

dry_run_report() { # COMMAND...
  echo '# what the recorder attaches here, and what it cannot'
  # shellcheck disable=SC2046
  if [ -z "$recorder" ]; then echo "$no_recorder"
  else "$recorder" --dry-run $(recorder_options | grep -vx -e --segments) | sed -n 's/.*"probes":\({.*}\),"reasons":.*/\1/p' | sed 's/},{/},\
{/g'; fi
  echo
  echo '# what would run'
  [ -z "$recorder" ] || echo "tcpautopsy-record -o ${dir:-DIR}/events.bin" $(recorder_options)
  [ -n "$no_tcpdump" ] || echo "tcpdump -n -i $interface -s $snaplen -B 8192 --time-stamp-precision=nano -w ${dir:-DIR}/packets.pcap '$(packet_filter)'"
  echo "ss -tanpiem $(socket_filter)"
  echo 'cat /proc/net/netstat /proc/net/snmp (each second); net.* values (once)'
  [ $# -eq 0 ] || echo "$*"
}
