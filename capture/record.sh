# shellcheck shell=sh disable=SC2154
# The run: what is started, what is done each second, how it stops.

FILES='manifest.json events.bin events.jsonl packets.pcap counters.jsonl sockets.jsonl sysctl.txt names.txt reasons.json'

# Sets `other`, the process that writes into FOLDER. After a restart of the host or its container the number may be our own.
writer_of() { # FOLDER
  other=$(cat "$1/.work/pid" 2>/dev/null)
  [ -n "$other" ] && [ "$other" != $$ ] && grep -q tcpautopsy-capture "/proc/$other/cmdline" 2>/dev/null
}

prepare_bundle() {
  if [ -n "$ring" ]; then prepare_ring
  elif [ -e "$dir" ]; then
    [ -d "$dir" ] || fail "$dir is not a folder"
    ! writer_of "$dir" || fail "a capture is running in $dir already (process $other)"
    if grep -q '"schema": "tcpautopsy-capture/' "$dir/manifest.json" 2>/dev/null; then
      for name in $FILES; do rm -f "$dir/$name"; done
      rm -rf "$dir/.work"
    fi
    [ -z "$(ls -A "$dir")" ] || fail "$dir is not empty and not a bundle of ours"
  fi
  mkdir -p "$dir" && chmod 700 "$dir" && mkdir "$dir/.work" || fail "cannot write to $dir"
  work=$dir/.work
  echo $$ > "$work/pid"
  echo "${segment:-}" > "$work/segment"
  : > "$work/anchors"
  problems='' used='' recorder_job='' packets_job='' keeper_job='' started='' start_real=''
}

# Kept in memory: the disk may be full.
problem() {
  problems="$problems${problems:+, }$(json "$*")"
  say "$*"
}

nap() { sleep 0.1 2>/dev/null || sleep 1; }

# Seconds since boot in hundredths: CLOCK_BOOTTIME without starting a process.
uptime_cs() {
  read -r up rest < /proc/uptime
  now=${up%.*}${up#*.}
}

# Runs "$@" in the background, its output into FILE (no longer than BYTES), its errors into $work/NAME.err, its process id into $work/NAME.pid.
run_under_limits() { # NAME FILE BYTES COMMAND...
  run_name=$1 run_file=$2 run_blocks=$(($3 / 512 + 1))
  shift 3
  rm -f "$work/$run_name.pid"
  (
    ulimit -c 0 2>/dev/null
    ulimit -f $run_blocks 2>/dev/null
    # shellcheck disable=SC2016
    exec timeout $((duration + 60)) sh -c 'echo $$ > "$0"; exec "$@"' "$work/$run_name.pid" "$@"
  ) > "$run_file" 2> "$work/$run_name.err" 8>&- 9>&- &
}

pid_of() { cat "$work/$1.pid" 2>/dev/null; }
signal() { # SIGNAL NAME...
  signal_name=$1
  shift
  for signal_to; do
    signal_pid=$(pid_of "$signal_to")
    [ -z "$signal_pid" ] || kill "-$signal_name" "$signal_pid" 2>/dev/null
  done
}

# Either half may be missing; a word of the command line that it refuses ends the capture.
start_recording() {
  start_keeper
  if [ -z "$no_tcpdump" ]; then
    packet_filter > "$work/filter"
    set -- tcpdump -n -i "$interface" -s $snaplen -B 8192 --time-stamp-precision=nano -F "$work/filter"
    if [ -n "$ring" ]; then run_under_limits packets /dev/null "$max_bytes" "$@" -Z root -G "$segment" -C $((max_bytes / 8000000 + 1)) -w "$(printf %s "$dir" | sed 's/%/%%/g')/packets.%s.pcap"
    else run_under_limits packets "$dir/packets.pcap" $((max_bytes * 2 / 5)) "$@" -w -; fi
    packets_job=$!
  else problem "no packets: $no_tcpdump"; fi
  command -v ss >/dev/null || problem 'no socket tables: no ss on this host'
  if [ -n "$recorder" ]; then
    part=$((max_bytes * 2 / 5)) && [ -z "$ring" ] || part=$((max_bytes / 8))
    [ $part -ge 1048576 ] || part=1048576
    # shellcheck disable=SC2046
    run_under_limits recorder /dev/null $((part + 1048576)) "$recorder" -o "$dir/events.bin" --duration 0 --max-size $part $(recorder_options)
    recorder_job=$!
  fi
  while [ -z "$how" ] && [ -n "$recorder_job" ] && ! grep -q '^ready$' "$work/recorder.err" 2>/dev/null; do
    if kill -0 "$recorder_job" 2>/dev/null; then nap; continue; fi
    wait "$recorder_job"
    # a word of the command line that it refuses
    [ $? -ne 1 ] || how=failed by=tcpautopsy-record
    recorder_job='' no_recorder=$(sed -n 's/^tcpautopsy-record: //p' "$work/recorder.err" | tail -n 1)
    [ -n "$no_recorder" ] || no_recorder=$(tail -n 1 "$work/recorder.err")
  done
  while [ -z "$how" ] && [ -n "$packets_job" ] && ! grep -q 'listening on' "$work/packets.err" 2>/dev/null; do
    kill -0 "$packets_job" 2>/dev/null || { how=failed by=tcpdump; problem "$(grep -m 1 "^tcpdump: [^l]" "$work/packets.err" || tail -n 1 "$work/packets.err")"; }
    [ -n "$how" ] || nap
  done
  if [ -n "$no_recorder" ]; then
    problem "no events of the kernel: $no_recorder"
    [ -n "$packets_job" ] || how=${how:-failed} by=${by:-tcpautopsy-record}
  fi
  uptime_cs
  started=$now last_tick=$now last_long=$now last_segment=$now
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
    export BUNDLE="$dir" TRIGGERS="$triggers"
    exec timeout $((duration + 60)) awk -v every="$sockets_every" -v filter="$(socket_filter)" -f "$here/keeper.awk"
  ) < "$work/seconds" 2> "$work/keeper.err" 8>&- 9>&- &
  keeper_job=$!
  exec 8> "$work/seconds"
  rm -f "$work/seconds"
}

# COMMAND runs with our standard input; a file says when it has ended. No signal of ours does: one that comes while bash waits for a process may let it
# wait for ever, for that process has been reaped by then.
start_command() {
  exec 9<&0
  (
    trap - INT TERM HUP USR1 PIPE
    caller_environment
    sh -c 'echo $$ > "$0"; exec "$@"' "$work/command.pid" "$@" <&9 8>&- 9<&-
    status=$?
    : > "$work/command.done"
    exit $status
  ) 8>&- &
  command_pid=$!
  exec 9<&-
}

caller_environment() {
  umask "$caller_mask"
  PATH=$caller_path
  unset LC_ALL TZ
  [ -z "$caller_lc" ] || export "$caller_lc"
  [ -z "$caller_tz" ] || export "$caller_tz"
}

# What a signal asks for is done when the second is over.
next_second() {
  sleep 1 8>&-
  uptime_cs
  if [ $((now - last_tick)) -ge 95 ]; then
    last_tick=$now
    echo tick 2>/dev/null >&8
    check_limits
    [ -z "$ring" ] || ring_second
    if [ $((now - last_long)) -ge 1000 ]; then
      last_long=$now
      [ -n "$ring" ] || anchor periodic
      settings_changed
      write_manifest running
    fi
  fi
  if [ -n "$command_pid" ]; then
    if [ -e "$work/command.done" ] || ! kill -0 "$command_pid" 2>/dev/null; then finish_command; fi
  fi
}

# One of the three has ended before it was told to. At its limit of bytes tcpdump is ended by the kernel with SIGXFSZ (25), the recorder by itself.
ended_early() { # TOOL JOB NAME
  [ -z "$how" ] || return 0
  wait "$2"
  early_status=$?
  if [ $early_status -eq 153 ] || { [ "$3" = recorder ] && [ $early_status -eq 0 ]; }; then how=complete by=max-size; return; fi
  how=failed by=$1
  ! grep -q 'No space left' "$work/$3.err" || by=disk-full
  if [ $early_status -gt 128 ]; then problem "$1 was killed by signal $((early_status - 128))"
  else
    # tcpdump says why before it counts its packets
    said=$(sed -n "s/^$1: //p" "$work/$3.err" | grep -v -e '^listening on' -e '^data link type' | tail -n 1)
    problem "$1 ended by itself: ${said:-$(grep -v '^ready$' "$work/$3.err" | tail -n 1)}"
  fi
}

# The word in front of the first percentage: this is done each second, where a process counts.
free_kb() { # FOLDER
  table=$(df -Pk "$1")
  word=''
  for next in ${table%%%*}; do free=$word word=$next; done
  echo "$free"
}

# Stops before the next second would go beyond what is allowed, or fill the disk.
check_limits() {
  if [ -n "$ring" ]; then trim_ring; else
    size=$(du -sk "$dir")
    size=${size%%[!0-9]*}
    growth=$((size - ${used:-$size}))
    used=$size
    if [ $((used + growth)) -ge $((max_bytes / 1024)) ]; then how=${how:-complete} by=${by:-max-size}; fi
  fi
  free=$(free_kb "$dir")
  if [ "${free:-9999}" -le 128 ]; then
    [ -n "$how" ] || problem "$free kB were left on the disk"
    how=${how:-failed} by=${by:-disk-full}
  fi
  [ -z "$recorder_job" ] || kill -0 "$recorder_job" 2>/dev/null || ended_early tcpautopsy-record "$recorder_job" recorder
  [ -z "$packets_job" ] || kill -0 "$packets_job" 2>/dev/null || ended_early tcpdump "$packets_job" packets
  kill -0 "$keeper_job" 2>/dev/null || ended_early keeper "$keeper_job" keeper
  if [ $((now - started)) -ge $((duration * 100)) ]; then how=${how:-complete} by=${by:-duration}; fi
}

# Until `anchor stop` the packets are whole: tcpdump reads its ring a block at a time, which the kernel hands over when it is full or a second old, and
# what it has not read when it ends is lost.
stop_recording() {
  [ -n "$command_pid" ] && [ "$how" = interrupted ] && stop_command
  anchor stop
  if [ -n "$packets_job" ] && kill -0 "$packets_job" 2>/dev/null; then sleep 1 8>&-; fi
  [ -z "$keeper_job" ] || echo stop 2>/dev/null >&8
  signal TERM packets
  [ -z "$keeper_job" ] || wait "$keeper_job" 2>/dev/null
  signal TERM recorder
  left=150
  for job in $recorder_job $packets_job; do
    while [ $left -gt 0 ] && kill -0 "$job" 2>/dev/null; do nap; left=$((left - 1)); done
    if [ $left -eq 0 ] && kill -0 "$job" 2>/dev/null; then
      problem "$([ "$job" = "$packets_job" ] && echo tcpdump || echo tcpautopsy-record) did not end within 15 s of being told to and was killed: what it still held is lost"
      signal KILL recorder packets
      nap
    fi
    # tcpdump gives up root: without CAP_KILL it cannot be told, and ends by itself with the time it was given
    kill -0 "$job" 2>/dev/null || wait "$job" 2>/dev/null
  done
  exec 8>&-
  settings_changed
  record_names
  uptime_cs
}

record_names() {
  pod_names > "$work/names"
  [ ! -s "$work/names" ] || cp "$work/names" "$dir/names.txt"
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
  sleep 1 8>&-
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

# CLOCK_REALTIME at a time since boot: for the tables where there is no recorder, and between when the packets are whole. /proc/uptime has steps of
# 10 ms, a date without %N of a second.
anchor() { # WHEN
  uptime_cs
  anchor_from=$now
  real=$(date +%s%N)
  uptime_cs
  step=0
  case $real in *[!0-9]*) real='' ;; esac
  [ ${#real} -ge 19 ] || real=$(date +%s)500000000 step=500000000
  printf '{ "when": "%s", "method": "uptime", "event_ns": "%s", "realtime_ns": "%s", "uncertainty_ns": %s }\n' \
    "$1" "$(((anchor_from + now + 1) * 5000000))" "$real" $(((now - anchor_from + 1) * 5000000 + 5000000 + step)) >> "$work/anchors"
}
