# The filter of tcpdump for the segments of PORTS and HOSTS (words; none: all), and for the ICMP errors that quote one. Fails when a host is no address.
#
#   PORTS="80 443" HOSTS="192.0.2.1 ::1" LOOPBACK=1 awk -f packets.awk
#
# LOOPBACK: what outgoing packets of the loopback interface are called, which libpcap would throw away, copied already.
function ipv4(text,   part, i) {
  if (text !~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/) return 0
  split(text, part, ".")
  for (i = 1; i <= 4; i++) if (length(part[i]) > 3 || part[i] > 255) return 0
  return 1
}
function ipv6(text,   part, n, i, empty, words) {
  if (text !~ /^[0-9A-Fa-f:.]+$/ || text !~ /:/ || text ~ /:::/ || text ~ /::.*::/) return 0
  if (text ~ /\./) {
    n = match(text, /[^:]*$/)
    if (!ipv4(substr(text, n))) return 0
    text = substr(text, 1, n - 1) "0:0"
  }
  if (text ~ /^:[^:]/ || text ~ /[^:]:$/) return 0
  empty = text ~ /::/
  n = split(text, part, ":")
  for (i = 1; i <= n; i++) {
    if (part[i] == "") continue
    if (length(part[i]) > 4) return 0
    words++
  }
  return empty ? words < 8 : words == 8
}
# An address as numbers of 32 bits: 0x7f000001
function bits(text,   part, n, k, i, out, zeros) {
  if (ipv4(text)) { split(text, part, "."); return sprintf("0x%02x%02x%02x%02x", part[1], part[2], part[3], part[4]) }
  if (text ~ /\./) {
    n = match(text, /[^:]*$/)
    split(substr(text, n), part, ".")
    text = substr(text, 1, n - 1) sprintf("%x:%x", part[1] * 256 + part[2], part[3] * 256 + part[4])
  }
  n = split(text, part, ":")
  if ((k = index(text, "::"))) {
    zeros = 8 - split(substr(text, 1, k - 1), part, ":")
    zeros -= split(substr(text, k + 2), part, ":")
    while (zeros-- > 0) out = out ":0"
    text = substr(text, 1, k - 1) out ":" substr(text, k + 2)
    gsub(/^:|:$/, "", text)
    split(text, part, ":")
    out = ""
  }
  for (i = 1; i <= 8; i++) out = out (i % 2 ? " 0x" : "") substr("0000" part[i], length(part[i]) + 1)
  return substr(out, 2)
}

function any_of(name, words,   word, n, i, out) {
  n = split(words, word, " ")
  for (i = 1; i <= n; i++) out = out (i > 1 ? " or " : "") name " " word[i]
  return n ? " and (" out ")" : ""
}
# Of the segment that an error quotes the addresses are at PLACE, of WIDTH numbers each, the ports at PORT.
function quoting(error, header, place, width, port,   word, n, i, k, at, number, all, out) {
  n = split(ports, word, " ")
  for (i = 1; i <= n; i++) out = out (i > 1 ? " or " : "") header "[" port ":2] = " word[i] " or " header "[" port + 2 ":2] = " word[i]
  if (n) error = error " and (" out ")"
  n = split(hosts, word, " ")
  out = ""
  for (i = 1; i <= n; i++) {
    if (split(bits(word[i]), number, " ") != width) continue
    for (at = place; at <= place + width * 4; at += width * 4) {
      all = ""
      for (k = 1; k <= width; k++) all = all (k > 1 ? " and " : "") header "[" at + k * 4 - 4 ":4] = " number[k]
      out = out (out == "" ? "" : " or ") "(" all ")"
    }
  }
  if (n && out == "") return ""
  return " or (" error (n ? " and (" out ")" : "") ")"
}

BEGIN {
  ports = ENVIRON["PORTS"]
  hosts = ENVIRON["HOSTS"]
  n = split(hosts, word, " ")
  for (i = 1; i <= n; i++) if (!ipv4(word[i]) && !ipv6(word[i])) exit 1
  filter = "(tcp" any_of("port", ports) any_of("host", hosts) ")"
  filter = filter quoting("(icmp[0] = 3 or icmp[0] = 4 or icmp[0] = 11 or icmp[0] = 12) and icmp[17] = 6", "icmp", 20, 1, 28)
  filter = filter quoting("icmp6 and ip6[40] < 128 and ip6[54] = 6", "ip6", 56, 4, 88)
  print ENVIRON["LOOPBACK"] == "" ? filter : "(" filter ") and not (" ENVIRON["LOOPBACK"] ")"
}
