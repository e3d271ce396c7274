# shellcheck shell=sh disable=SC2154
# The run: what is started, what is done each second, how it stops.

FILES='manifest.json events.jsonl packets.pcap counters.jsonl sockets.jsonl sysctl.txt reasons.json'

prepare_bundle() {
  if [ -e "$dir" ]; then
    [ -d "$dir" ] || fail "$dir is not a folder"
    if grep -q '"schema": "tcpautopsy-capture/' "$dir/manifest.json" 2>/dev/null; then
      for name in $FILES; do rm -f "$dir/$name"; done
      rm -rf "$dir/.work"
    fi
    [ -z "$(ls -A "$dir")" ] || fail "$dir is not empty and not a bundle of ours"
  fi
  mkdir -p "$dir" && chmod 700 "$dir" && mkdir "$dir/.work" || fail "cannot write to $dir"
  work=$dir/.work
  : > "$work/anchors"
  problems=''
  lost=0 emitted=0 read_to=0 misses_counted=false used='' clock=unknown tracer_job='' packets_job='' keeper_job='' started='' start_real=''
}

# Kept in memory: the disk may be full.
problem() { problems="$problems${problems:+, }$(json "$*")"; }

# Keys (tcp_fastopen_key) are secrets and stay out.
settings() {
  grep -s '' /proc/sys/net/ipv4/tcp_* /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/ip_local_reserved_ports /proc/sys/net/ipv4/conf/*/rp_filter \
    /proc/sys/net/ipv4/conf/*/log_martians /proc/sys/net/ipv4/conf/*/accept_local /proc/sys/net/ipv4/conf/*/route_localnet /proc/sys/net/ipv4/ip_forward \
    /proc/sys/net/core/somaxconn /proc/sys/net/core/netdev_max_backlog /proc/sys/net/netfilter/nf_conntrack_max /proc/sys/net/netfilter/nf_conntrack_count |
    awk '!/tcp_fastopen_key/ { k = index($0, ":"); name = substr($0, 11, k - 11); gsub(/\./, "\001", name); gsub(/\//, ".", name); gsub(/\001/, "/", name); value = substr($0, k + 1); gsub(/\t/, " ", value); print name " = " value }'
}

# Those that someone changed since the start, behind those of the start. The number of conntrack entries changes by itself.
settings_changed() {
  settings | grep -v nf_conntrack_count > "$work/settings" || return 0
  awk 'NR == FNR { known[$0]; next } !($0 in known)' "$dir/sysctl.txt" "$work/settings" > "$work/changed"
  cat "$work/changed" >> "$dir/sysctl.txt"
}

record_once() {
  settings > "$dir/sysctl.txt"
  reasons > "$dir/reasons.json"
  ! in_tracefs bpftrace -lv 'struct bpf_link_info' 2>/dev/null | grep -q ' missed;' || misses_counted=true
}

packet_filter() {
  printf tcp
  for list in "port:$ports" "host:$hosts"; do
    words=${list#*:}
    [ -n "$words" ] || continue
    printf ' and ('
    joint=''
    for word in $words; do printf '%s%s %s' "$joint" "${list%%:*}" "$word"; joint=' or '; done
    printf ')'
  done
}

socket_filter() {
  joint=''
  for port in $ports; do printf '%ssport = :%s or dport = :%s' "$joint" "$port" "$port"; joint=' or '; done
}

# Seconds since boot in hundredths: CLOCK_BOOTTIME without starting a process.
uptime_cs() {
  read -r up rest < /proc/uptime
  now=${up%.*}${up#*.}
}

start_recording() {
  start_keeper
  packet_filter > "$work/filter"
  run_under_limits packets "$dir/packets.pcap" $((max_bytes * 2 / 5)) tcpdump -n -i "$interface" -s $snaplen -B 8192 --time-stamp-precision=nano -w - -F "$work/filter"
  packets_job=$!
  start_tracer
  while [ -z "$how" ] && ! grep -q 'listening on' "$work/packets.err"; do
    kill -0 $packets_job 2>/dev/null || { how=failed by=tcpdump; problem "$(head -n 1 "$work/packets.err")"; sed 's/^/  /' "$work/packets.err" >&2; }
    [ -n "$how" ] || nap
  done
  uptime_cs
  started=$now last_tick=$now last_long=$now
  start_real=$(date +%s)
  echo start >&8
  while [ -z "$how" ] && [ ! -s "$dir/sockets.jsonl" ]; do
    kill -0 $keeper_job 2>/dev/null || { how=failed by=keeper; sed 's/^/  /' "$work/keeper.err" >&2; }
    [ -n "$how" ] || nap
  done
}

# The keeper reads a word each second. First of all, and through a pipe: when this script dies the pipe ends, and the keeper stops the others.
start_keeper() {
  mkfifo "$work/seconds" || fail "cannot write to $work"
  (
    ulimit -c 0 2>/dev/null
    ulimit -f $((max_bytes / 5120 + 1)) 2>/dev/null
    export BUNDLE="$dir"
    exec timeout $((duration + 60)) awk -v every="$sockets_every" -v filter="$(socket_filter)" -f "$here/keeper.awk"
  ) < "$work/seconds" 2> "$work/keeper.err" 8>&- 9>&- &
  keeper_job=$!
  exec 8> "$work/seconds"
  rm -f "$work/seconds"
}

# COMMAND runs with our standard input; a wrapper tells us when it ends.
start_command() {
  exec 9<&0
  (
    trap - INT TERM HUP USR1 PIPE
    caller_environment
    sh -c 'echo $$ > "$0"; exec "$@"' "$work/command.pid" "$@" <&9 8>&- 9<&-
    status=$?
    : > "$work/command.done"
    kill -USR1 $$ 2>/dev/null
    exit $status
  ) 8>&- &
  command_pid=$!
  exec 9<&-
}

caller_environment() {
  umask "$caller_mask"
  PATH=$caller_path
  unset LC_ALL TZ BPFTRACE_PERF_RB_PAGES
  [ -z "$caller_lc" ] || export "$caller_lc"
  [ -z "$caller_tz" ] || export "$caller_tz"
  [ -z "$caller_pages" ] || export "BPFTRACE_PERF_RB_PAGES=$caller_pages"
}

next_second() {
  sleep 1 8>&- &
  nap_pid=$!
  wait $nap_pid
  uptime_cs
  if [ $((now - last_tick)) -ge 95 ]; then
    last_tick=$now
    echo tick 2>/dev/null >&8
    check_limits
    if [ $((now - last_long)) -ge 1000 ]; then
      last_long=$now
      anchor periodic
      sample_misses
      read_new_events
      write_manifest running
    fi
  fi
  if [ -n "$command_pid" ]; then
    if [ -e "$work/command.done" ] || ! kill -0 "$command_pid" 2>/dev/null; then finish_command; fi
  fi
  if kill $nap_pid 2>/dev/null; then wait $nap_pid 2>/dev/null; fi
}

# One of the three has ended before it was told to. At its limit of bytes the kernel ends it with SIGXFSZ (25).
ended_early() { # TOOL JOB NAME
  [ -z "$how" ] || return 0
  wait "$2"
  early_status=$?
  if [ $early_status -eq 153 ]; then how=complete by=max-size; return; fi
  how=failed by=$1
  ! grep -q 'No space left' "$work/$3.err" || by=disk-full
  if [ $early_status -gt 128 ]; then problem "$1 was killed by signal $((early_status - 128))"
  else problem "$1 ended by itself: $(tail -n 1 "$work/$3.err")"; fi
}

# Stops before the next second would go beyond what is allowed, or fill the disk.
check_limits() {
  size=$(du -sk "$dir" | awk '{ print $1 }')
  free=$(df -Pk "$dir" | awk 'NR == 2 { print $4 }')
  growth=$((size - ${used:-$size}))
  used=$size
  if [ $((used + growth)) -ge $((max_bytes / 1024)) ]; then how=${how:-complete} by=${by:-max-size}; fi
  if [ "${free:-9999}" -le 128 ]; then
    [ -n "$how" ] || problem "$free kB were left on the disk"
    how=${how:-failed} by=${by:-disk-full}
  fi
  kill -0 "$tracer_job" 2>/dev/null || ended_early bpftrace "$tracer_job" tracer
  kill -0 "$packets_job" 2>/dev/null || ended_early tcpdump "$packets_job" packets
  kill -0 "$keeper_job" 2>/dev/null || ended_early keeper "$keeper_job" keeper
  if [ $((now - started)) -ge $((duration * 100)) ]; then how=${how:-complete} by=${by:-duration}; fi
}

stop_recording() {
  [ -n "$command_pid" ] && [ "$how" = interrupted ] && stop_command
  anchor stop
  sample_misses
  [ -z "$keeper_job" ] || echo stop 2>/dev/null >&8
  signal TERM packets
  [ -z "$keeper_job" ] || wait "$keeper_job" 2>/dev/null
  signal TERM tracer
  left=150
  for job in $tracer_job $packets_job; do
    while [ $left -gt 0 ] && kill -0 "$job" 2>/dev/null; do nap; left=$((left - 1)); done
    if [ $left -eq 0 ] && kill -0 "$job" 2>/dev/null; then
      problem 'a tool did not end when told to'
      signal KILL tracer packets
      nap
    fi
    # tcpdump gives up root: without CAP_KILL it cannot be told, and ends by itself with the time it was given
    kill -0 "$job" 2>/dev/null || wait "$job" 2>/dev/null
  done
  exec 8>&-
  settings_changed
  uptime_cs
  read_new_events
}

# A signal that we trap ends `wait` early, with the command still there.
wait_for_command() {
  while :; do
    wait "$command_pid"
    command_status=$?
    kill -0 "$command_pid" 2>/dev/null || break
  done
  command_pid=''
}

finish_command() {
  wait_for_command
  # what the command left in flight: last segments, timers, packets still in tcpdump's buffer
  sleep 1 8>&- &
  wait $!
  how=${how:-complete} by=${by:-command}
}

# A signal ends the capture and with it COMMAND: asked first, then made to.
stop_command() {
  signal TERM command
  left=5
  while [ $left -gt 0 ] && [ ! -e "$work/command.done" ]; do nap; left=$((left - 1)); done
  [ $left -gt 0 ] || signal KILL command
  wait_for_command
}

# ---- clock anchors -------------------------------------------------------------------------------------------------------------
size_of() { ls -ln "$1" | awk '{ print $5 }'; }

# Two ways: the tracer converts its own time once at `begin` (to a microsecond); and `date` reads CLOCK_REALTIME between its exec and its
# exit, both of which the tracer sees. The first gives precision, the second shows later steps of the clock.
anchor() { # WHEN
  kill -0 "$tracer_job" 2>/dev/null || return 0
  if [ "$1" = start ]; then
    event_clock
    pair=$(sed -n 's/.*"begin t=\([0-9]*\) real=\([0-9]*\)\.\([0-9]\{6\}\)".*/\1 \2\3000/p' "$dir/events.jsonl" | head -n 1)
    [ -z "$pair" ] || [ "$clock" != CLOCK_BOOTTIME ] || add_anchor start tracer "${pair% *}" "${pair#* }" 10000
  fi
  [ -n "$date_has_ns" ] || return 0
  seen=$(size_of "$dir/events.jsonl")
  # shellcheck disable=SC2016
  answer=$(sh -c 'echo $$; exec date +%s%N' 8>&-)
  date_pid=${answer%%[!0-9]*} real=${answer##*[!0-9]}
  tries=10
  while [ $tries -gt 0 ]; do
    pair=$(tail -c +$((seen + 1)) "$dir/events.jsonl" | awk -v wanted="$date_pid" "$date_times")
    if [ -n "$pair" ]; then
      from=${pair% *} to=${pair#* }
      add_anchor "$1" date $(((from + to) / 2)) "$real" $(((to - from + 1) / 2))
      return 0
    fi
    nap
    tries=$((tries - 1))
  done
  problem "no clock anchor at $1: the tracer did not say when date ran"
}

# `nsecs` is CLOCK_BOOTTIME where kernel and bpftrace can, else CLOCK_MONOTONIC: told by the first event against the time since boot (on a host
# that never slept the two are one). The tracer's own conversion holds for the first only.
event_clock() {
  begun=$(sed -n 's/.*"begin t=\([0-9]*\)[0-9]\{7\} .*/\1/p' "$dir/events.jsonl" | head -n 1)
  uptime_cs
  clock=CLOCK_MONOTONIC
  if [ $((now - begun)) -ge 0 ] && [ $((now - begun)) -le 6000 ]; then clock=CLOCK_BOOTTIME; fi
}

# From the events, when our `date` began and ended. In a pid namespace its number is another: then it must be the only one.
date_times='
  /"data": "date-/ {
    split($0, word, /[ "]+/)
    t = substr(word[9], 3); pid = substr(word[10], 5)
    if (word[8] == "date-exec") { from[pid] = t; n++ } else if (pid in from) to[pid] = t
    last = pid
  }
  END {
    if (!(wanted in to) && n == 1) wanted = last
    if (wanted in to) print from[wanted], to[wanted]
  }'

add_anchor() { # WHEN METHOD EVENT_NS REALTIME_NS UNCERTAINTY_NS
  printf '{ "when": "%s", "method": "%s", "event_ns": "%s", "realtime_ns": "%s", "uncertainty_ns": %s }\n' "$@" >> "$work/anchors"
}

# Counts what the tracer itself says it lost, in what was written since the last time.
read_new_events() {
  from=$read_to
  read_to=$(size_of "$dir/events.jsonl")
  pair=$(tail -c +$((from + 1)) "$dir/events.jsonl" | head -c $((read_to - from)) | awk -v lost="$lost" -v emitted="$emitted" '
    function number_after(key) { match($0, key "[0-9]+"); return substr($0, RSTART + length(key), RLENGTH - length(key)) + 0 }
    /^\{"type": "lost_events"/ { lost += number_after("\"events\": ") }
    /^\{"type": "map", "data": \{"@emitted": / { n = number_after("\"@emitted\": "); if (n > emitted + 0) emitted = n }
    END { printf "%.0f %.0f\n", lost, emitted }')
  lost=${pair% *} emitted=${pair#* }
}
