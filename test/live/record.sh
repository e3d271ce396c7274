#!/usr/bin/env bash
# Records one sample. Runs inside lab.sh:   lab.sh record.sh OUT_DIR BEHAVIOUR ...
#
# Writes into OUT_DIR: packets.pcap, client.pcap (each end of the veth), tcpstates*.txt, counters of both namespaces before and
# after, expected.json, and what the behaviour itself writes (ss-*, netstat-*). $LAB_TCPSTATES lists the forms of
# tcpstates output to take ("t", "t Tt st wt"); "none" runs none. With LAB_RESETS=1 also kernel-resets.txt. $LAB_TRACERS names more
# tools to run (see `tracer` below), LAB_NETSTAT_S=1 adds `netstat -s` before and after. $LAB_WAIT: seconds that a tool has to attach.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
out=$1; shift
export LAB_OUT=$out PYTHONDONTWRITEBYTECODE=1
temporary=$(mktemp -d)
python=/usr/bin/python3
pids=()
stop() { # SIGTERM to each, and wait: bash starts background jobs with SIGINT ignored
  (( ${#pids[@]} )) && kill "${pids[@]}" 2>/dev/null || true
  (( ${#pids[@]} )) && wait "${pids[@]}" 2>/dev/null || true
  pids=()
}
trap 'stop; rm -rf "$temporary"' EXIT

wait_for() { # FILE PATTERN
  for _ in $(seq $((${LAB_WAIT:-30} * 10))); do grep -q "$2" "$1" 2>/dev/null && return; kill -0 "${pids[-1]}" 2>/dev/null || break; sleep 0.1; done
  echo "record.sh: no '$2' in $1:" >&2; cat "$1" "$temporary"/*.err >&2; exit 1
}
counters() { # before|after
  local ns prefix
  for ns in "$LAB_SRV" "$LAB_CLI"; do
    prefix=; [[ $ns = "$LAB_CLI" ]] && prefix=client-
    ip netns exec "$ns" cat /proc/net/netstat /proc/net/snmp > "$out/${prefix}counters-$1.txt"
    [[ ${LAB_NETSTAT_S:-0} = 0 ]] || ip netns exec "$ns" netstat -s > "$out/${prefix}netstat-s-$1.txt"
    if [[ $1 = before ]]; then NSTAT_HISTORY=$temporary/$ns ip netns exec "$ns" nstat -n
    else NSTAT_HISTORY=$temporary/$ns ip netns exec "$ns" nstat --json > "$out/${prefix}nstat.json"; fi
  done
}

declare -A name=([t]=tcpstates.txt [Tt]=tcpstates-T.txt [st]=tcpstates.csv [wt]=tcpstates-w.txt)
forms=${LAB_TCPSTATES:-t}; [[ $forms = none ]] && forms=
for form in $forms; do
  $python -u /usr/sbin/tcpstates-bpfcc "-$form" > "$temporary/${name[$form]}" 2> "$temporary/$form.err" & pids+=($!)
done
for form in $forms; do wait_for "$temporary/${name[$form]}" SKADDR; done
tracer() { # FILE READY COMMAND ...
  local file=$1 ready=$2; shift 2
  "$@" > "$temporary/$file" 2> "$temporary/$file.err" & pids+=($!)
  wait_for "$temporary/$file" "$ready"
}
for tool in ${LAB_TRACERS:-}; do
  case $tool in
    tcptracer) tracer tcptracer.txt PID $python -u /usr/sbin/tcptracer-bpfcc -t ;;
    tcpdrop) tracer tcpdrop.txt PID $python -u /usr/sbin/tcpdrop-bpfcc ;;
    tcplife) tracer tcplife.csv PID $python -u /usr/sbin/tcplife-bpfcc -s ;;
    libbpf-tcpstates) tracer libbpf-tcpstates.txt SKADDR stdbuf -oL /usr/sbin/tcpstates -T ;;
    libbpf-tcptracer) tracer libbpf-tcptracer.txt PID stdbuf -oL /usr/sbin/tcptracer -t ;;
  esac
done
if [[ ${LAB_RESETS:-0} = 1 ]]; then
  bpftrace -B line "$here/resets.bt" > "$temporary/kernel-resets.txt" 2> "$temporary/resets.err" & pids+=($!)
  wait_for "$temporary/kernel-resets.txt" ready
fi
counters before
for end in packets:$LAB_SRV client:$LAB_CLI; do
  ip netns exec "${end#*:}" tcpdump -Z root -U --immediate-mode -i eth0 --time-stamp-precision=nano -s 128 -w "$out/${end%:*}.pcap" tcp \
    2> "$temporary/${end%:*}.err" & pids+=($!)
  wait_for "$temporary/${end%:*}.err" 'listening on'
done

code=0
(cd "$here/behaviours" && $python run.py "$@") || code=$?
sleep 0.5
counters after
stop

# other programs of this machine are in tcpstates' output too: keep the lab's addresses. (Reason 13, OTHERHOST: the interfaces of delay.py.)
keep='/reason 13 at ip_rcv_core/ { next } NR == 1 || /10\.77\.0\.|10\.99\.0\.|fd77:/ || / ::  *80[89][0-9] |,::,80[89][0-9],/'
for file in "$temporary"/*.{txt,csv}; do
  case $file in
    *\**) ;;
    */tcpstates*|*/kernel-resets.txt) awk "$keep" "$file" > "$out/${file##*/}" ;;
    *) cp "$file" "$out/" ;;
  esac
done
cat "$temporary"/*.err | grep -viE 'listening on|packets? (captured|received|dropped)|modprobe|Unable to find kernel headers|verbose output|RLIMIT_MEMLOCK|^$' >&2 || true
grep -hE 'dropped by kernel' "$temporary"/*.err | grep -v '^0 packets' >&2 && exit 1
exit $code
