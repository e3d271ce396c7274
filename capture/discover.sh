# shellcheck shell=sh disable=SC2154
# What this host has: tools, tracepoints and their fields, BTF, functions that can be probed. Found by asking, never by version.

# bpftrace and the tracefs files are used inside this: where tracefs is not mounted (ip netns exec, containers) it is mounted privately.
in_tracefs() {
  if [ -d /sys/kernel/tracing/events ] || [ -d /sys/kernel/debug/tracing/events ]; then "$@"; else
    unshare -m sh -c '
      mkdir -p /sys/kernel/tracing 2>/dev/null
      mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null || { mount -t debugfs debugfs /sys/kernel/debug; }
      exec "$@"' sh "$@"
  fi
}

require_tools() {
  for tool in bpftrace tcpdump awk timeout; do
    command -v $tool >/dev/null || fail "no $tool on this host"
  done
  [ -r /sys/kernel/tracing/events ] || [ -r /sys/kernel/debug/tracing/events ] || command -v unshare >/dev/null || fail 'tracefs is not mounted and there is no unshare to mount it privately'
  bpftrace_version=$(bpftrace --version 2>/dev/null | head -n 1)
  tcpdump_version=$(tcpdump --version 2>&1 | head -n 2 | paste -s -d , - | sed 's/,/, /')
  ss_version=$(ss -V 2>/dev/null)
  date_has_ns=''
  case $(date +%N) in '' | *[!0-9]*) ;; *) date_has_ns=1 ;; esac
}

# Facts for assemble.awk into $work/facts.
discover() {
  {
    [ "$(printf '\001\000' | od -An -d | tr -d ' ')" = 1 ] || echo big-endian
    [ -z "$walk" ] || echo 'option walk'
    ! in_tracefs bpftrace -lv 'struct sock' 2>/dev/null | grep -q sk_max_ack_backlog || echo btf
    cat "$kit"/*/*.bt | sed -n 's/^#need tracepoint //p' | sort -u > "$work/wanted"
    in_tracefs sh -c '
      tracefs=/sys/kernel/tracing; [ -d $tracefs/events ] || tracefs=/sys/kernel/debug/tracing
      while IFS=: read -r group name; do
        format=$tracefs/events/$group/$name/format
        [ -r $format ] || continue
        echo "tracepoint $group:$name"
        ! grep -q "field:enum " $format || echo "enums $group:$name"
        sed -n "s/^.field:.*[ *]\([a-z_0-9]*\)\(\[[0-9]*\]\)\{0,1\};.offset.*/field $group:$name \1/p" $format
      done' < "$work/wanted"
  } > "$work/facts"
  functions=none
  functions_why='not looked for: no BTF'
  ! grep -q '^btf$' "$work/facts" || discover_functions >> "$work/facts"
}

# What bpftrace complained about, without the warning that it cannot raise a limit.
said() { grep -v RLIMIT_MEMLOCK "$1" | { grep -m 1 -e ERROR: -e FATAL: -e 'open(' || :; } | sed 's/^.*\(ERROR\|FATAL\): //'; }

works() { in_tracefs timeout 60 bpftrace -e "BEGIN { exit(); } $1 { @x = 1; }" >"$work/try" 2>&1; }

# Function probes: fentry (kfunc in older bpftrace) where the kernel loads it, else kprobe; which of the wanted functions there are.
discover_functions() {
  cat "$kit"/*/*.bt | sed -n 's/^#need function //p; s/^#if function //p; s/^ENTRY(\([a-z_0-9]*\)).*/\1/p' | sort -u > "$work/wanted"
  functions=none
  for form in fentry kfunc; do
    works $form:tcp_close && { functions=$form; break; }
    functions_why=$(said "$work/try")
  done
  if [ $functions != none ]; then
    # six parameters are what these probes can take
    in_tracefs bpftrace -lv "$functions:*" 2>/dev/null | awk -v form=$functions '
      function tell() { if (name in wanted && n <= 6) print "function", name, form list; name = "" }
      FNR == NR { wanted[$1] = 1; next }
      /^[a-z]/ { tell(); name = $0; sub(/.*:/, "", name); list = ""; n = 0; next }
      { if ($NF != "retval") { n++; arg = $NF; sub(/^\**/, "", arg); list = list " " arg } }
      END { tell() }' "$work/wanted" - | sort -u -k 2,2 > "$work/functions"
    cat "$work/functions"
  fi
  if works kprobe:tcp_close; then
    [ $functions != none ] || functions=kprobe
    awk '{ print $3 }' /proc/kallsyms | sort -u > "$work/symbols"
    while read -r name; do
      grep -q "^function $name " "$work/functions" 2>/dev/null && continue
      grep -qx "$name" "$work/symbols" && echo "function $name kprobe"
    done < "$work/wanted"
  else
    functions_why="$functions_why; kprobe: $(said "$work/try")"
  fi
}

# Drop and reset reasons by number as this kernel names them, from the tracefs formats; else from BTF.
reasons() {
  printf '{'
  separator=''
  for pair in drop:skb/kfree_skb:skb_drop_reason reset:tcp/tcp_send_reset:sk_rst_reason; do
    key=${pair%%:*} rest=${pair#*:}
    in_tracefs sh -c 'cat /sys/kernel/tracing/events/$1/format 2>/dev/null || cat /sys/kernel/debug/tracing/events/$1/format 2>/dev/null' sh "${rest%:*}" |
      sed -n 's/.*__print_symbolic(REC->reason, \(.*\)/\1/p' | grep -o '{ *[0-9]*, "[^"]*" *}' | tr -d '{}"' | awk -F, '{ gsub(/ /, ""); print $1, $2 }' > "$work/names"
    source=tracefs
    if [ ! -s "$work/names" ] && command -v bpftool >/dev/null; then
      source=btf
      bpftool btf dump file /sys/kernel/btf/vmlinux format raw 2>/dev/null | awk -v enum="'${rest#*:}'" '
        /^\[/ { inside = $3 == enum && $2 ~ /^ENUM/ }
        inside && /val=/ { name = $1; gsub(/\047/, "", name); sub(/^SKB_DROP_REASON_|^SK_RST_REASON_/, "", name); value = $2; sub(/val=/, "", value); print value, name }' > "$work/names"
    fi
    [ -s "$work/names" ] || source=none
    awk -v key="$key" -v source=$source -v separator="$separator" '
      BEGIN { printf "%s\n  \"%s\": { \"source\": \"%s\", \"names\": {", separator, key, source }
      { printf "%s\"%s\": \"%s\"", (NR > 1 ? ", " : " "), $1, $2 }
      END { printf " } }" }' "$work/names"
    separator=,
  done
  printf '\n}\n'
}

dry_run_report() { # COMMAND...
  assemble
  echo '# the bpftrace program'
  cat "$work/program.bt"
  echo
  echo '# what is not there'
  grep '^// left out' "$work/program.bt" | sed 's/^\/\/ left out //'
  [ "$functions" != none ] || echo "functions cannot be probed here: $functions_why"
  echo
  echo '# what would run'
  echo "${pages:+BPFTRACE_PERF_RB_PAGES=$pages }timeout $((duration + 60)) bpftrace -f json -B line PROGRAM > ${dir:-DIR}/events.jsonl"
  echo "timeout $((duration + 60)) tcpdump -n -i $interface -s $snaplen -B 8192 --time-stamp-precision=nano -w - '$(packet_filter)' > ${dir:-DIR}/packets.pcap"
  echo "ss -tanpiem $(socket_filter)"
  echo 'cat /proc/net/netstat /proc/net/snmp (each second); net.* values (once)'
  [ $# -eq 0 ] || echo "$*"
}
