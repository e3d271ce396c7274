# Counters and socket tables of this network namespace, while the capture runs. Reads a word a second from standard input: start, tick,
# rotate (a new segment of both files begins, NAME.000001.jsonl is what there is), stop.
# When the words end without `stop`, the script that sends them was killed: then this ends the recorder and tcpdump as well (their process ids
# are in $BUNDLE/.work).
#
#   BUNDLE=DIR TRIGGERS="NAME+N NAME>N/s" awk -v every=SECONDS -v filter=SS_FILTER -f keeper.awk

# Nanoseconds of CLOCK_BOOTTIME, in steps of 10 ms.
function now(   line, part) {
  getline line < "/proc/uptime"
  close("/proc/uptime")
  split(line, part, " ")
  return part[1] * 1000000000
}

# /proc/net/netstat and /proc/net/snmp: a line of names and a line of values, by group. Into current[name], named as nstat does.
function read_counters(file,   line, names, values, n, i, group) {
  while ((getline line < file) > 0) {
    n = split(line, names, " ")
    if ((getline line < file) <= 0) break
    split(line, values, " ")
    group = substr(names[1], 1, length(names[1]) - 1)
    for (i = 2; i <= n; i++) {
      if (!((group names[i]) in current)) order[++known] = group names[i]
      current[group names[i]] = values[i]
    }
  }
  close(file)
}

# All of them at start and stop, in between only those that changed.
function write_counters(word,   i, name, separator, full, text) {
  full = word != "tick" || !segment_begun
  segment_begun = 1
  read_counters("/proc/net/netstat")
  read_counters("/proc/net/snmp")
  for (i = 1; i <= known; i++) {
    name = order[i]
    if (!full && current[name] == before[name]) continue
    text = text separator "\"" name "\": " current[name]
    separator = ", "
    before[name] = current[name]
  }
  printf "{\"t\": %.0f, \"when\": \"%s\", \"full\": %s, \"values\": {%s}}\n", now(), word, full ? "true" : "false", text >> counters
  fflush(counters)
}

function quote(text,   i, c, out) {
  gsub(/\\/, "\\\\", text)
  gsub(/"/, "\\\"", text)
  if (text ~ /[\001-\037\177]/)
    for (i = 1; i < 32; i++) if (index(text, c = sprintf("%c", i))) { out = sprintf("\\u%04x", i); while ((at = index(text, c))) text = substr(text, 1, at - 1) out substr(text, at + 1) }
  return "\"" text "\""
}

# What ss is asked for; `states` of those alone.
function asked(states) { return states (filter == "" ? "" : (states == "" ? "" : " ") "'( " filter " )'") }

# One snapshot: a head line, then the lines of ss as they are, the continuation lines joined to their socket.
function write_sockets(word, states,   command, line, rows, n, i, t, shown) {
  command = "ss -tanpiem " asked(states) " 2>/dev/null"
  shown = states == "" ? filter : states (filter == "" ? "" : " ( " filter " )")
  t = now()
  n = 0
  while ((command | getline line) > 0) {
    if (line ~ /^[ \t]/ && n > 1) { sub(/^[ \t]+/, " ", line); rows[n] = rows[n] line } else rows[++n] = line
  }
  snapshot++
  if (close(command) != 0) { printf "{\"t\": %.0f, \"when\": \"%s\", \"snapshot\": %d, \"failed\": true}\n", t, word, snapshot >> sockets }
  else {
    printf "{\"t\": %.0f, \"when\": \"%s\", \"snapshot\": %d, \"rows\": %d, \"filter\": %s}\n", t, word, snapshot, n ? n - 1 : 0, quote(shown) >> sockets
    for (i = 1; i <= n; i++) printf "{\"snapshot\": %d, \"line\": %s}\n", snapshot, quote(rows[i]) >> sockets
  }
  fflush(sockets)
}

# Counters that a trigger may name by a word of its own.
function sum_of(name,   parts, n, i, sum) {
  n = split(name == "syn-drop" ? "TcpExtListenDrops TcpExtTCPReqQFullDrop" : name == "resets" ? "TcpOutRsts TcpEstabResets" : name == "retransmits" ? "TcpRetransSegs" : (name in current) ? name : (("TcpExt" name) in current) ? "TcpExt" name : "Tcp" name, parts, " ")
  for (i = 1; i <= n; i++) sum += current[parts[i]]
  return sum
}

# Each trigger whose counter rose: a line `EXPR WHAT` that the script finds. The first reading is what others are compared with.
function check_triggers(   list, n, i, part, rise, seconds, t) {
  n = split(ENVIRON["TRIGGERS"], list, " ")
  t = now()
  seconds = (t - checked) / 1e9
  for (i = 1; i <= n; i++) {
    split(list[i], part, /[+>\/]/)
    rise = sum_of(part[1]) - last_sum[i]
    last_sum[i] += rise
    if (!checked) continue
    if (list[i] ~ />/ ? rise > part[2] * (seconds > 1 ? seconds : 1) : rise > 0 && rise >= part[2]) {
      printf "%s %s rose by %d in %.1f s\n", list[i], part[1], rise, seconds >> triggered
      close(triggered)
    }
  }
  checked = t
}

# What was written so far is a segment by itself; the next one begins with all counters.
function next_segment(   number) {
  number = sprintf("%06d", ++segments)
  close(counters)
  close(sockets)
  system("cd \"$BUNDLE\" && for name in counters sockets; do [ ! -e $name.jsonl ] || mv $name.jsonl $name." number ".jsonl; done")
}

function overflowing(   sum, rose) {
  sum = current["TcpExtListenOverflows"] + current["TcpExtListenDrops"]
  rose = sum > overflows
  overflows = sum
  return rose
}

# Sockets that wait for a close() or for a handshake's end: which they are shows how long. Only asked whether there is one, ss is cheap.
function write_waiting(   command, line, n) {
  command = "ss -tan " asked(WAITING) " 2>/dev/null"
  while ((command | getline line) > 0) n++
  close(command)
  if (n > 1) write_sockets("waiting", WAITING)
}

BEGIN {
  WAITING = "state close-wait state syn-recv"
  counters = ENVIRON["BUNDLE"] "/counters.jsonl"
  sockets = ENVIRON["BUNDLE"] "/sockets.jsonl"
  triggered = ENVIRON["BUNDLE"] "/.work/triggered"
  # a shell reads each word: some awks would wait for a whole buffer of them
  next_word = "read -r word && echo \"$word\""
  while ((next_word | getline word) > 0) {
    close(next_word)
    if (word == "rotate") { next_segment(); segment_begun = 0; continue }
    seconds++
    write_counters(word)
    check_triggers()
    rose = overflowing()
    if (word != "tick") write_sockets(word)
    else if (rose) write_sockets("overflow")
    else if (every > 0 && seconds % every == 0) write_sockets("interval")
    else if (seconds % 10 == 0) write_waiting()
    if (word == "stop") exit 0
  }
  pids = "$(cat \"$BUNDLE/.work/recorder.pid\" \"$BUNDLE/.work/packets.pid\" 2>/dev/null)"
  # ten seconds to write what they hold
  system("pids=" pids "; kill -TERM $pids 2>/dev/null; n=0; for pid in $pids; do while [ $n -lt 10 ] && kill -0 $pid 2>/dev/null; do sleep 1; n=$((n + 1)); done; done; kill -KILL $pids 2>/dev/null; rm -rf \"$BUNDLE/.work\"")
}
