# Reads one word; succeeds when it is an IPv4 or IPv6 address.
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
NR == 1 { ok = $0 !~ /[ \t]/ && (ipv4($0) || ipv6($0)) }
END { exit !(ok && NR == 1) }
