# shellcheck shell=sh disable=SC2154
# bpftrace: the program is put together from the pieces of bpf/, and tried; a piece that this kernel or this bpftrace refuses is
# left out, with what it said, and the rest tried again.

# The buffers between kernel and bpftrace: newer ones choose 16 MB by themselves; one without ring buffer takes 256 kB a CPU, which a few thousand
# connections a second overrun: 16 MB for all CPUs together, unless the environment says otherwise. They count as locked memory.
buffer_pages() {
  caller_pages=${BPFTRACE_PERF_RB_PAGES:-}
  pages=$caller_pages
  info=$([ -n "$pages" ] || bpftrace --info 2>&1 | grep -e perf_event_array -e ringbuf)
  if [ "${info#*perf_event_array: yes}" != "$info" ] && [ "${info#*ringbuf: yes}" = "$info" ]; then
    cpus=$(ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l)
    pages=$(awk -v cpus="$cpus" 'BEGIN { pages = 2048; while (pages > 64 && pages * cpus > 4096) pages /= 2; print pages }')
    export BPFTRACE_PERF_RB_PAGES="$pages"
  fi
}

assemble() {
  set -- "$kit"/tracepoints/*.bt
  [ "$functions" = none ] || set -- "$@" "$kit"/functions/*.bt
  [ -z "$walk" ] || set -- "$@" "$kit"/walk/*.bt
  awk -v ports="$ports" -v hosts="$hosts" -f "$kit/assemble.awk" "$work/facts" "$kit/macros.bt" "$@" > "$work/program.bt" || fail 'the bpftrace program could not be assembled'
}

nap() { sleep 0.1 2>/dev/null || sleep 1; }

start_tracer() {
  attempts=0 why=''
  while [ -z "$how" ]; do
    attempts=$((attempts + 1))
    assemble
    run_under_limits tracer "$dir/events.jsonl" $((max_bytes * 2 / 5)) in_tracefs bpftrace -f json -B line "$work/program.bt"
    tracer_job=$!
    while [ -z "$how" ]; do
      ! grep -q '"begin t=' "$dir/events.jsonl" 2>/dev/null || return 0
      kill -0 $tracer_job 2>/dev/null || break
      nap
    done
    [ -z "$how" ] || return 0
    wait $tracer_job
    if grep -q 'open perf buffer' "$work/tracer.err" && [ "${pages:-0}" -gt 64 ]; then
      # not that much locked memory is allowed here
      pages=64 BPFTRACE_PERF_RB_PAGES=64
    else
      leave_out_culprit || break
    fi
    [ $attempts -lt 40 ] || break
  done
  how=failed by=bpftrace
  problem "bpftrace: $why"
  grep -v RLIMIT_MEMLOCK "$work/tracer.err" | grep -e ERROR: -e FATAL: -e error: | cut -c 1-200 | head -n 5 | sed 's/^/  bpftrace: /' >&2
}

# Finds the piece that bpftrace stumbled over and writes the fact that leaves it (or its use of BTF) out.
leave_out_culprit() {
  why=$(said "$work/tracer.err")
  # program.bt:LINE:COLUMNS, or program.bt:FIRST-LAST; a range as long as the program says nothing
  line=$(awk -F '[:]' '/program\.bt:[0-9]+(-[0-9]+)?:.*ERROR/ { for (i = 1; i < NF; i++) if ($i ~ /program\.bt$/) { split($(i + 1), range, "-"); if (range[2] - range[1] < 20) { print range[1]; exit } } }' "$work/tracer.err")
  probe=$(sed -n "s/.*\(Error attaching probe\|Error loading program\|No BTF found for\|Unable to attach probe\):\{0,1\} *'\{0,1\}\([a-zA-Z0-9_:]*\).*/\2/p" "$work/tracer.err" | head -n 1)
  piece=$(awk -v line="${line:-0}" -v probe="$probe" '
    /^\/\/ piece / { piece = $3 }
    line ? NR == line : (probe != "" && /^[a-z]+:/ && (index($0, probe " ") || substr($0, length($0) - length(probe) + 1) == probe)) { print piece; exit }' "$work/program.bt")
  if [ -z "$piece" ]; then
    [ "$functions" != none ] || return 1
    functions=none functions_why="$why"
  elif [ -n "$line" ] && grep -q '^#if btf' "$kit/$piece" && ! grep -q "^without-btf $piece\$" "$work/facts"; then
    echo "without-btf $piece" >> "$work/facts"
  elif grep -q "^without $piece " "$work/facts"; then
    return 1
  else
    echo "without $piece $why" >> "$work/facts"
  fi
}

# Runs "$@" in the background under `timeout`, its output into FILE (no longer than BYTES), its errors into $work/NAME.err, its process id into $work/NAME.pid.
run_under_limits() { # NAME FILE BYTES COMMAND...
  run_name=$1 run_file=$2 run_blocks=$(($3 / 512 + 1))
  shift 3
  rm -f "$work/$run_name.pid"
  run_wrapper=
  [ "$1" != in_tracefs ] || { run_wrapper=in_tracefs; shift; }
  (
    ulimit -c 0 2>/dev/null
    ulimit -f $run_blocks 2>/dev/null
    # shellcheck disable=SC2016
    $run_wrapper timeout $((duration + 60)) sh -c 'echo $$ > "$0"; exec "$@"' "$work/$run_name.pid" "$@"
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

# Programs that the kernel skipped because another BPF program was running on that CPU: fdinfo of each program. Keeps the last sample.
sample_misses() {
  tracer_pid=$(pid_of tracer)
  [ -n "$tracer_pid" ] || return 0
  cat /proc/"$tracer_pid"/fdinfo/* 2>/dev/null | awk '
    /^prog_id:/ { id = $2 }
    /^recursion_misses:/ { n++; total += $2; if ($2 > 0) list = list (list == "" ? "" : ", ") "\"" id "\": " $2 }
    END { if (n) printf "{ \"programs\": %d, \"total\": %.0f, \"by_program\": { %s } }\n", n, total, list }' > "$work/misses.new"
  [ ! -s "$work/misses.new" ] || mv "$work/misses.new" "$work/misses"
}
