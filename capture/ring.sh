# shellcheck shell=sh disable=SC2154
# The flight recorder: the last minutes in DIR/.ring, in segments of all four streams; a trigger makes a bundle of them beside it.

AFTER=10 # seconds that a bundle goes on after what triggered it

# A counter's rise: NAME+N, NAME>N/s, or a name of ours alone.
trigger() { # EXPR
  case $1 in *[!A-Za-z0-9+\>/_-]*) wrong "--trigger: what is '$1'?" ;; esac
  word=$(printf '%s\n' "$1" | sed -n 's/^\([A-Za-z0-9_-]*\)\(+[0-9]\{1,9\}\|>[0-9]\{1,9\}\/s\)$/\1/p')
  [ "$1" != syn-drop ] || word=syn-drop
  [ -n "$word" ] || wrong "--trigger wants NAME+N or NAME>N/s, not '$1'"
  case $word in syn-drop | resets | retransmits) return ;; esac
  # of the groups that the keeper looks into for a name without one
  awk -v name="$word" '{ group = substr($1, 1, length($1) - 1); for (i = 2; i <= NF; i++) if (name == group $i || (group ~ /^Tcp(Ext)?$/ && name == $i)) found = 1 } END { exit !found }' /proc/net/netstat /proc/net/snmp ||
    wrong "--trigger: this kernel has no counter $word"
}

# --ring TIME or SIZE: how long the segments are and stay, and how many bytes they may take (half of --max-size at most: bundles take the rest).
ring_options() {
  ring_seconds=$(seconds_of "$ring")
  ring_bytes=$((max_bytes / 2))
  if [ -z "$ring_seconds" ]; then
    size=$(bytes_of --ring "$ring") || exit 1
    # Kk, Mm, Gg alone: a number of bytes would be a mistake for seconds
    case $ring in *[KkMmGg]) ;; *) wrong "--ring wants a time (10m, 2h) or a size (500M), not '$ring'" ;; esac
    [ "$size" -ge 4194304 ] || wrong "--ring wants 4M or more, not '$ring'"
    [ "$size" -le $ring_bytes ] || wrong "--ring $ring: the ring may take half of --max-size ($max_size) at most"
    ring_bytes=$size
  elif [ "$ring_seconds" -lt 60 ]; then wrong "--ring wants a minute or more, not '$ring'"; fi
  segment=$((${ring_seconds:-0} / 360))
  [ $segment -ge 10 ] || segment=10
  duration=${duration:-31536000}
}

# Sets `dir` to DIR/.ring, `place` to DIR. What a killed recorder left becomes a bundle of its own.
prepare_ring() {
  place=$dir dir=$dir/.ring
  pending='' due=0 armed=0 last_segment=0
  mkdir -p "$place" && chmod 700 "$place" || fail "cannot write to $place"
  ours=$(ls -d "$place"/*/manifest.json "$dir" 2>/dev/null)
  [ -n "$ours" ] || [ -z "$(ls -A "$place")" ] || fail "$place is not empty and holds no bundles of ours"
  [ -e "$dir" ] || return 0
  ! writer_of "$dir" || fail "a flight recorder is running in $place already (process $other)"
  # one that is killed again and again must not fill the disk; before its first manifest it has recorded nothing
  if [ ! -s "$dir/manifest.json" ] || ! has_room; then
    [ ! -s "$dir/manifest.json" ] || say "a flight recorder was killed here: what it left is given up, $place would grow beyond --max-size; move bundles away"
    rm -rf "$dir"
    return
  fi
  rest=$place/$(date -u +%Y-%m-%dT%H-%M-%SZ)-killed
  mkdir "$rest" && collect "$rest" && mv "$dir/manifest.json" "$rest/" || { rm -rf "$rest"; fail "$dir, which a killed flight recorder left, cannot be moved to $rest"; }
  rm -rf "$dir"
  say "a flight recorder was killed here: what it left is in $rest"
}

# For a ring beside the bundles that are there.
has_room() {
  total=$(du -sk "$place" | awk 'NR == 1 { print $1 }')
  [ $((total + ring_bytes / 1024)) -le $((max_bytes / 1024)) ]
}

# In their order, by numbers: those of packets are seconds of CLOCK_REALTIME, and tcpdump begins none before that has grown, however it is set.
segments() { # NAME
  # shellcheck disable=SC2010
  ls "$dir" | grep "^$1\.[0-9]" | sort -t . -k 2,2n -k 3.5n
}

# When one was seen first, hundredths since boot: of packets within a second after it was begun, of the others after it was ended.
seen_at() { awk -v name="$1" '$2 == name { print $1 }' "$work/seen"; }
newest_packets() { seen_at "$(segments packets | tail -n 1)"; }

# tcpdump went on to a file in which nothing is that happened before a bundle is due.
packets_went_on() { newest=$(newest_packets); [ "${newest:-0}" -ge $((due + 100)) ]; }

# All segments, joined, into FOLDER: of the packets without the file that is still being written, unless it has what follows the trigger.
collect() { # FOLDER
  for name in events counters sockets; do
    for part in $(segments $name); do cat "$dir/$part"; done > "$1/$name.$([ $name = events ] && echo bin || echo jsonl)" || return 1
  done
  for part in counters.jsonl sockets.jsonl $([ -n "${recorder_job:-}" ] || echo events.bin); do
    [ ! -s "$dir/$part" ] || cat "$dir/$part" >> "$1/$part" || return 1
  done
  open=''
  [ -z "${packets_job:-}" ] || ! packets_went_on || open=$(segments packets | tail -n 1)
  for part in $(segments packets); do
    [ -s "$dir/$part" ] && [ "$part" != "$open" ] || continue
    # each begins with the header of a file, 24 bytes, which only the first keeps
    tail -c +$([ -s "$1/packets.pcap" ] && echo 25 || echo 1) "$dir/$part" >> "$1/packets.pcap" || return 1
  done
  [ ! -e "$dir/names.txt" ] || cp "$dir/names.txt" "$1/"
  cp "$dir/sysctl.txt" "$1/"
}

next_segment() {
  last_segment=$now
  signal USR2 recorder
  echo rotate 2>/dev/null >&8
  anchor segment
  tail -n 400 "$work/anchors" > "$work/anchors.new" && mv "$work/anchors.new" "$work/anchors"
}

# Segments that are older than the ring is long go, and of the others the oldest until the rest fits, in blocks as the disk counts them, with a
# sixteenth left for what comes within a second. Never the packets that are being written: where the clock was set back tcpdump, which goes by it,
# writes into one file until that time has come again, or it is as large as -C allows.
trim_ring() {
  # shellcheck disable=SC2012
  ls -ln "$dir" | SEEN="$dir/.work/seen" awk -v limit="$((ring_bytes / 16 * 15))" -v now="${now:-0}" -v oldest="$((${ring_seconds:+ring_seconds + segment} + 0))" '
    BEGIN { while ((getline line < ENVIRON["SEEN"]) > 0) { split(line, part, " "); name[++n] = part[2]; at[part[2]] = part[1] } close(ENVIRON["SEEN"]) }
    $5 ~ /^[0-9]+$/ && $1 ~ /^-/ {
      taken = int(($5 + 4095) / 4096) * 4096; total += taken
      if ($NF ~ /\.[0-9]/) { size[$NF] = taken; if (!($NF in at)) { name[++n] = $NF; at[$NF] = now } }
    }
    END {
      for (i = 1; i <= n; i++) if (name[i] ~ /^packets/ && name[i] in size) open = name[i]
      for (i = 1; i <= n; i++) {
        if (!(name[i] in size)) continue
        if (i < n && name[i] != open && (total > limit || (oldest && now - at[name[i]] > oldest * 100))) { print name[i]; total -= size[name[i]] }
        else kept = kept at[name[i]] " " name[i] "\n"
      }
      printf "%s", kept > ENVIRON["SEEN"]
    }' | while read -r name; do rm -f "$dir/$name"; done
}

# Another trigger while one is pending belongs to the same bundle.
triggered() { # EXPR WHAT
  [ -z "$pending" ] || return 0
  pending=$1 pending_what=$2 pending_at=$now pending_real=$(date +%s) due=$((now + AFTER * 100))
  say "triggered by $1${2:+ ($2)}"
}

ring_second() {
  if [ -s "$work/triggered" ]; then
    read -r expression what < "$work/triggered"
    : > "$work/triggered"
    [ "$now" -lt "$armed" ] || triggered "$expression" "$what"
  fi
  if [ -n "$frozen_by" ]; then triggered "$frozen_by" 'asked for'; frozen_by=''; fi
  [ -z "$pending" ] || anchor segment
  if [ -n "$pending" ] && [ "$now" -ge $due ]; then
    # tcpdump goes on to its next file when a packet comes after its time: only what is written to no more ends with a whole packet
    if [ -z "$packets_job" ] || packets_went_on || [ "$now" -ge $((due + segment * 100 + 200)) ]; then write_bundle; fi
  fi
  [ $((now - last_segment)) -lt $((segment * 100)) ] || next_segment
}

write_bundle() {
  if ! has_room; then
    problem "no bundle for $pending: $place would grow beyond --max-size; move bundles away"
  else
    signal USR2 packets
    signal USR1 packets
    before=$(segments events | wc -l)$(segments counters | wc -l)
    next_segment
    tries=20
    while [ $tries -gt 0 ] && [ "$(segments events | wc -l)$(segments counters | wc -l)" = "$before" ]; do nap; tries=$((tries - 1)); done
    nap
    settings_changed
    record_names
    folder=$place/$(date -u -d "@$pending_real" +%Y-%m-%dT%H-%M-%SZ 2>/dev/null || date -u +%Y-%m-%dT%H-%M-%SZ)-$(printf %s "$pending" | tr -c 'A-Za-z0-9+-' _)
    if mkdir "$folder" && collect "$folder" && (bundle_manifest "$folder"); then say "bundle $folder"
    else problem "the bundle $folder could not be written whole"; fi
  fi
  armed=$((now + ${ring_seconds:-60} * 100)) pending=''
}

# In a shell of its own: of that folder and its part of the time. Its packets are whole from when the first file was seen until three seconds
# before the last one was, or before now: tcpdump may hold them for two.
bundle_manifest() { # FOLDER
  first=$(seen_at "$(segments packets | head -n 1)")
  until=$now
  ! packets_went_on || until=$newest
  awk -v from="${first:-0}" -v to="$until" '
    { match($0, /"event_ns": "[0-9]+/); at = substr($0, RSTART + 13, RLENGTH - 13) / 1e7 }
    at >= from + 100 && at <= to - 300 { line[++n] = $0 }
    END { sub(/"when": "[a-z]*"/, "\"when\": \"start\"", line[1]); if (n > 1) sub(/"when": "[a-z]*"/, "\"when\": \"stop\"", line[n]); for (i = 1; i <= n; i++) print line[i] }' "$work/anchors" > "$work/bundle-anchors"
  how=complete by=trigger dir=$1 anchors=$work/bundle-anchors
  # whole or not at all: whoever waits for the bundle waits for this file
  manifest ended > "$work/bundle-manifest" && mv "$work/bundle-manifest" "$1/manifest.json"
}

# SIGTERM ends it; bundles stay.
end_ring() {
  [ "$how" = failed ] || rm -rf "$dir"
}

# --freeze: its bundle's folder on stdout.
ask_for_bundle() {
  writer_of "$dir/.ring" || fail "no flight recorder is running in $dir"
  seen=$(ls "$dir")
  # a bundle waits until tcpdump has gone on to its next file
  segment=$(cat "$dir/.ring/.work/segment" 2>/dev/null)
  kill -USR1 "$other" || fail "the flight recorder of $dir (process $other) cannot be asked"
  tries=$((600 + ${segment:-0} * 10))
  while [ $tries -gt 0 ]; do
    for folder in "$dir"/*/; do
      case "
$seen
" in *"
$(basename "$folder")
"*) continue ;; esac
      [ ! -s "${folder}manifest.json" ] || { printf '%s\n' "${folder%/}"; return 0; }
    done
    nap
    tries=$((tries - 1))
  done
  fail "no bundle in time: the flight recorder (process $other) says why"
}
