# Puts the bpftrace program together from its pieces, for one kernel and one set of filters.
#
#   awk -v ports="80 443" -v hosts="10.0.0.1 fd00::1" -f assemble.awk FEATURES macros.bt PIECE...
#
# FEATURES holds one fact a line: "big-endian", "btf", "without-btf PIECE", "without PIECE WHY", "tracepoint tcp:tcp_send_reset",
# "field tcp:tcp_send_reset reason", "function tcp_close kfunc sk timeout" (or fentry; with the names of its parameters), "function tcp_close kprobe".
# "enums tcp:tcp_send_reset": it has fields of enum types, which without BTF nobody defines.
# In a piece: `#need FACT` (else the piece is left out, and said so on a line "// left out PIECE: FACT"); `#if FACT`, `#if !FACT`, `#else`, `#endif`;
# `field NAME` alone means the piece's last `#need tracepoint`. PORTS(a, b), HOSTS4(a, b), HOSTS16(a, b) become the filters;
# KEEP(f), KEPT(n) the parameters for a RETURN; ENTRY(f), RETURN(f), ARG(n) the form in which function f is probed and its parameters are read (from 0); macros come from macros.bt.

function fail(text) { printf "assemble: %s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"; failed = 1; exit 2 }

function known(fact,   not, yes) {
  if (fact ~ /^!/) { not = 1; fact = substr(fact, 2) }
  if (fact ~ /^field [^ ]+$/) fact = "field " tracepoint " " substr(fact, 7)
  if (fact ~ /^kprobe /) yes = mode[substr(fact, 8)] == "kprobe"
  else if (fact == "btf") yes = ("btf" in facts) && !(("without-btf " name) in facts)
  else yes = (fact in facts)
  return not ? !yes : yes
}

# ---- filters -------------------------------------------------------------------------------------------------------------------
function hex(text,   i, n) {
  n = 0
  text = tolower(text)
  for (i = 1; i <= length(text); i++) n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
  return n
}

# The 16 bytes of an address into byte[0..15]; IPv4 as ::ffff:a.b.c.d. Returns 4 or 6.
function parse(address,   part, n, i, k, left, right, kind) {
  kind = address ~ /:/ ? 6 : 4
  for (i = 0; i < 16; i++) byte[i] = 0
  if (address ~ /\./) {
    n = split(address, part, /[.:]/)
    for (i = 0; i < 4; i++) byte[12 + i] = part[n - 3 + i] + 0
    if (kind == 4 || tolower(address) ~ /^::ffff:[0-9.]+$/) { byte[10] = byte[11] = 255; return 4 }
    sub(/[^:]*$/, sprintf("%x:%x", byte[12] * 256 + byte[13], byte[14] * 256 + byte[15]), address)
  }
  k = index(address, "::")
  left = k ? substr(address, 1, k - 1) : address
  right = k ? substr(address, k + 2) : ""
  n = split(left, part, ":")
  for (i = 1; i <= n; i++) { k = hex(part[i]); byte[2 * i - 2] = int(k / 256); byte[2 * i - 1] = k % 256 }
  n = split(right, part, ":")
  for (i = 1; i <= n; i++) { k = hex(part[i]); byte[16 - 2 * (n - i) - 2] = int(k / 256); byte[16 - 2 * (n - i) - 1] = k % 256 }
  return 6
}

function ports_of(a, b,   n, list, i, text) {
  n = split(ports, list, " ")
  if (!n) return "1"
  for (i = 1; i <= n; i++) text = text (i > 1 ? " || " : "") a " == " list[i] " || " b " == " list[i]
  return "(" text ")"
}

# Address 0 passes: a listener has no peer, and the kernel fills tuples in late or clears them early.
function hosts4_of(a, b,   n, list, i, text, number) {
  n = split(hosts, list, " ")
  if (!n) return "1"
  text = a " == 0 || " b " == 0"
  for (i = 1; i <= n; i++) {
    if (parse(list[i]) != 4) continue
    number = ("big-endian" in facts) ? ((byte[12] * 256 + byte[13]) * 256 + byte[14]) * 256 + byte[15] : ((byte[15] * 256 + byte[14]) * 256 + byte[13]) * 256 + byte[12]
    text = text sprintf(" || %s == %.0f || %s == %.0f", a, number, b, number)
  }
  return "(" text ")"
}

function same16(a,   i, text) {
  for (i = 15; i >= 0; i--) text = text (text == "" ? "" : " && ") a "[" i "] == " byte[i]
  return "(" text ")"
}

function hosts16_of(a, b,   n, list, i, text) {
  n = split(hosts, list, " ")
  if (!n) return "1"
  text = zero16(a) " || " zero16(b)
  for (i = 1; i <= n; i++) { parse(list[i]); text = text " || " same16(a) " || " same16(b) }
  return "(" text ")"
}

function zero16(a) { return "(" a "[12] == 0 && " a "[13] == 0 && " a "[14] == 0 && " a "[15] == 0)" }

# ---- macros --------------------------------------------------------------------------------------------------------------------
function trim(text) { sub(/^[ \t]+/, "", text); sub(/[ \t]+$/, "", text); return text }

# Splits "(a, b(c, d), e) rest" at the commas outside parentheses and strings into argument[1..]; returns how many characters the list takes.
function arguments_of(text,   i, c, depth, quoted, word) {
  argument_count = 0; depth = 0; quoted = 0; word = ""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (c == "\"") quoted = !quoted
    if (!quoted && (c == "(" || c == "[")) { depth++; if (depth == 1) continue }
    if (!quoted && (c == ")" || c == "]")) depth--
    if (!quoted && depth == 0) { argument[++argument_count] = trim(word); return i }
    if (!quoted && depth == 1 && c == ",") { argument[++argument_count] = trim(word); word = ""; continue }
    word = word c
  }
  fail("no closing parenthesis: " text)
}

function replace_word(text, word, by,   out, k, before, after) {
  out = ""
  while ((k = index(text, word))) {
    before = k > 1 ? substr(text, k - 1, 1) : " "
    after = substr(text, k + length(word), 1)
    if (before ~ /[A-Za-z0-9_$]/ || after ~ /[A-Za-z0-9_]/) out = out substr(text, 1, k + length(word) - 1)
    else out = out substr(text, 1, k - 1) by
    text = substr(text, k + length(word))
  }
  return out text
}

# A kretprobe has no arguments: the first three are kept at entry. Softirqs do not move from their CPU.
function keep_of(f,   i, text) {
  if (mode[f] != "kprobe") return ""
  for (i = 0; i < 3; i++) text = text " @" f "_" i "[cpu] = arg" i ";"
  return "kprobe:" f " {" text " }"
}

# The text that macro NAME stands for, given argument[1..argument_count].
function body_of(name,   text, n, list, i, rest) {
  if (name == "PORTS") return ports_of(argument[1], argument[2])
  if (name == "HOSTS4") return hosts4_of(argument[1], argument[2])
  if (name == "HOSTS16") return hosts16_of(argument[1], argument[2])
  if (name == "ENTRY") { probed = argument[1]; return mode[probed] ":" probed }
  if (name == "RETURN") { probed = argument[1]; return return_form[mode[probed]] ":" probed }
  if (name == "ARG") return mode[probed] == "kprobe" ? "arg" argument[1] : "args->" parameter[probed, argument[1]]
  if (name == "KEEP") return keep_of(argument[1])
  if (name == "KEPT") return mode[probed] == "kprobe" ? "@" probed "_" argument[1] "[cpu]" : "args->" parameter[probed, argument[1]]
  text = body[name]
  n = split(parameters[name], list, ",")
  for (i = 1; i <= n; i++) {
    if (trim(list[i]) == "...") {
      rest = ""
      for (; i <= argument_count; i++) rest = rest (rest == "" ? "" : ", ") argument[i]
      text = replace_word(text, "ARGS", rest)
      gsub(/, *,/, ",", text); gsub(/, *\)/, ")", text)
      break
    }
    # a quoted argument lands inside another string: its own quotes go
    if (argument[i] ~ /^".*"$/ && text ~ ("\"[^\"]*" trim(list[i]) "[^\"]*\"")) argument[i] = substr(argument[i], 2, length(argument[i]) - 2)
    text = replace_word(text, trim(list[i]), argument[i])
  }
  return text
}

function is_macro(name) { return (name in body) || name ~ /^(PORTS|HOSTS4|HOSTS16|ENTRY|RETURN|ARG|KEEP|KEPT)$/ }

function expand(line,   out, name, width, rounds) {
  out = ""
  rounds = 0
  while (match(line, /[A-Z][A-Z0-9_]+/)) {
    name = substr(line, RSTART, RLENGTH)
    width = RLENGTH
    if (!is_macro(name) || (RSTART > 1 && substr(line, RSTART - 1, 1) ~ /[a-z0-9_$]/)) {
      out = out substr(line, 1, RSTART + width - 1)
      line = substr(line, RSTART + width)
      continue
    }
    if (++rounds > 5000) fail("macro without end: " name)
    out = out substr(line, 1, RSTART - 1)
    line = substr(line, RSTART + width)
    argument_count = 0
    if (line ~ /^\(/ && (parameters[name] != "" || !(name in body))) line = substr(line, arguments_of(line) + 1)
    line = body_of(name) line
  }
  return out line
}

# ---- reading -------------------------------------------------------------------------------------------------------------------
BEGIN {
  return_form["kfunc"] = "kretfunc"; return_form["fentry"] = "fexit"; return_form["kprobe"] = "kretprobe"
}
FNR == 1 { file++; depth = 0; skipping = 0; left_out = 0; tracepoint = "" }
file == 1 {
  facts[$0] = 1
  if ($1 == "function") { mode[$2] = $3; facts["function " $2] = 1; for (i = 4; i <= NF; i++) parameter[$2, i - 4] = $i }
  if ($1 == "without") { why = $0; sub(/^[^ ]+ [^ ]+ /, "", why); without[$2] = why }
  next
}
FNR == 1 && file > 2 {
  match(FILENAME, /[^\/]+\/[^\/]+$/)
  name = substr(FILENAME, RSTART)
  print "// piece " name
  if (name in without) { print "// left out " name ": " without[name]; left_out = 1 }
}
left_out { next }
/^#need / {
  fact = trim(substr($0, 7))
  if (fact ~ /^tracepoint /) tracepoint = substr(fact, 12)
  if (("enums " tracepoint) in facts && !("btf" in facts)) { print "// left out " name ": the tracepoint has enum fields, which need BTF"; left_out = 1 }
  else if (!known(fact)) { print "// left out " name ": this kernel has no " fact; left_out = 1 }
  next
}
/^#if / { depth++; live[depth] = !skipping; skipping = !(live[depth] && known(trim(substr($0, 5)))); next }
/^#else/ { if (live[depth]) skipping = !skipping; next }
/^#endif/ { skipping = !live[depth]; depth--; next }
skipping { next }
file == 2 {
  while ($0 ~ /\\$/) { text = substr($0, 1, length($0) - 1); if ((getline following) <= 0) break; $0 = text following }
  if ($0 !~ /^#define /) next
  text = substr($0, 9)
  match(text, /^[A-Z0-9_]+/)
  macro = substr(text, 1, RLENGTH)
  text = substr(text, RLENGTH + 1)
  parameters[macro] = ""
  if (text ~ /^\(/) { k = index(text, ")"); parameters[macro] = substr(text, 2, k - 2); text = substr(text, k + 1) }
  body[macro] = trim(text)
  next
}
{
  # a statement may run over several lines: expand it when its parentheses are closed
  pending = pending == "" ? $0 : pending " " trim($0)
  plain = pending
  gsub(/"[^"]*"/, "", plain)
  if (plain !~ /^[ \t]*\/\// && gsub(/\(/, "(", plain) > gsub(/\)/, ")", plain)) next
  line = expand(pending)
  if (pending !~ /^[ \t]*\/\//) print line
  pending = ""
}
