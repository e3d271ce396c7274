# shellcheck shell=sh disable=SC2154
# bpftrace: the program is put together from the pieces of bpf/, and tried; a piece that this kernel or this bpftrace refuses is
# left out, with what it said, and the rest tried again.

# The buffers between kernel and bpftrace: 4 MB for all CPUs together, but 64 pages (bpftrace's default) for each. They count as locked memory,
# which some hosts limit to 8 MB even for root.
buffer_pages() {
  cpus=$(grep -c '^processor' /proc/cpuinfo)
  BPFTRACE_PERF_RB_PAGES=${BPFTRACE_PERF_RB_PAGES:-$(awk -v cpus="${cpus:-1}" 'BEGIN { pages = 512; while (pages > 64 && pages * cpus > 1024) pages /= 2; print pages }')}
  export BPFTRACE_PERF_RB_PAGES
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
    leave_out_culprit || break
    [ $attempts -lt 40 ] || break
  done
  how=failed by=bpftrace
  problem "bpftrace: $why"
  sed 's/^/  bpftrace: /' "$work/tracer.err" >&2
}

# Finds the piece that bpftrace stumbled over and writes the fact that leaves it (or its use of BTF) out.
leave_out_culprit() {
  why=$(said "$work/tracer.err")
  line=$(sed -n 's/^.*program\.bt:\([0-9]*\)[-:].*ERROR.*/\1/p' "$work/tracer.err" | head -n 1)
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
    ulimit -c 0
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
