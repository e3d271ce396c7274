# shellcheck shell=sh disable=SC2154
# manifest.json: written when the capture begins, every ten seconds, and when it ends; `ended` is null until then.

# Each argument as a JSON string, joined by ", ".
json() {
  awk 'BEGIN {
    for (i = 1; i < ARGC; i++) {
      text = ARGV[i]; out = ""
      for (k = 1; k <= length(text); k++) {
        c = substr(text, k, 1)
        if (c == "\\" || c == "\"") c = "\\" c
        else if (c < " ") for (n = 1; n < 32; n++) if (c == sprintf("%c", n)) { c = sprintf("\\u%04x", n); break }
        out = out c
      }
      printf "%s\"%s\"", (i > 1 ? ", " : ""), out
    }
  }' "$@" < /dev/null
}
numbers() { printf '%s' "$*" | sed 's/ /, /g'; }
joined() { awk 'NR > 1 { printf ",\n" } { printf "    %s", $0 } END { if (NR) printf "\n" }' "$1"; } # the lines of FILE as elements

# At its end a line each; asked by SIGUSR1 all on one.
tcpdump_count() { cat "$work/packets.err" 2>/dev/null | tr , '\n' | sed -n "s/^ *\([0-9]*\) packets\{0,1\} $1.*/\1/p" | tail -n 1; }
count_or_null() { case $1 in '' | *[!0-9]*) echo null ;; *) echo "$1" ;; esac; }

manifest() { # running|ended COMMAND...
  phase=$1
  shift
  kernel=$(uname -r)
  cat <<MANIFEST
{
  "schema": "tcpautopsy-capture/1",
  "host": $(json "$(uname -n)"),
  "boot_id": $(json "$(cat /proc/sys/kernel/random/boot_id)"),
  "kernel": { "release": $(json "$kernel"), "version": $(json "$(uname -v)"), "arch": $(json "$(uname -m)") },
  "netns": $(count_or_null "$(readlink /proc/self/ns/net | tr -cd 0-9)"),
  "tools": { "tcpautopsy-capture": "$VERSION", "tcpautopsy-record": $(json "$recorder_version"), "tcpdump": $(json "$tcpdump_version"), "ss": $(json "$ss_version") },
  "options": {
    "ports": [$(numbers $ports)], "hosts": [$(json $hosts)], "interface": $(json "$interface"), "duration_s": $duration, "max_bytes": $max_bytes,
    "probes": [$(json $probes)], "netns": $([ -n "$netns" ] && echo true || echo false), "walk": $([ -n "$walk" ] && echo true || echo false), "snaplen": $snaplen, "sockets_interval_s": $sockets_every, "ring": $([ -n "$ring" ] && json "$ring" || echo null), "triggers": [$(json $triggers)], "command": [$(json "$@")]
  },
  "filters": { "events": "ports and hosts of options, at either end; an unspecified address passes", "packets": $(json "$(packet_filter)"), "sockets": $(json "$(socket_filter)") },
  "clock": {
    "tables": "CLOCK_BOOTTIME, steps of 10 ms", "packets": "CLOCK_REALTIME",
    "anchors": [
$(joined "${anchors:-$work/anchors}")
    ]
  },
  "started": $(moment "$started" "$start_real"),
  "events": $([ -n "$recorder_job" ] && echo '{ "file": "events.bin" }' || echo null),
  "trigger": $([ -n "${pending:-}" ] && printf '{ "by": %s, "what": %s, "at": %s }' "$(json "$pending")" "$(json "$pending_what")" "$(moment "$pending_at" "$pending_real")" || echo null),
  "packets": {
    "captured": $(count_or_null "$(tcpdump_count captured)"), "received_by_filter": $(count_or_null "$(tcpdump_count 'received by filter')"),
    "dropped_by_kernel": $(count_or_null "$(tcpdump_count 'dropped by kernel')"), "dropped_by_interface": $(count_or_null "$(tcpdump_count 'dropped by interface')")
  },
  "files": $([ "$phase" = ended ] && sizes || echo null),
  "problems": [$problems],
  "ended": $([ "$phase" = ended ] && printf '{ "how": "%s", "by": "%s", "at": %s, "command_status": %s }' "$how" "$by" "$(moment "$now" "$(date +%s)")" "$(count_or_null "$command_status")" || echo null)
}
MANIFEST
}

# Bytes of each file: what is cut off later, on a disk or on its way, can be told from that.
sizes() {
  ls -ln "$dir" | awk '
    BEGIN { printf "{" }
    $NF ~ /^[a-z]+\.[a-z]+$/ && $NF != "manifest.json" && $1 ~ /^-/ { printf "%s \"%s\": %s", comma, $NF, $5; comma = "," }
    END { printf " }" }'
}

moment() { [ -n "$1" ] && printf '{ "boottime_ns": "%s0000000", "realtime_s": %s }' "$1" "$2" || echo null; }

# Whole or not at all. The first is padded, so that the last fits in its place on a disk that has filled up meanwhile.
write_manifest() {
  if manifest "$@" > "$work/manifest" && [ -s "$work/manifest" ]; then
    [ -e "$dir/manifest.json" ] || awk 'BEGIN { for (i = 0; i < 512; i++) printf "%127s\n", "" }' >> "$work/manifest"
    mv "$work/manifest" "$dir/manifest.json" && return
  fi
  manifest "$@" > "$dir/manifest.json"
}
