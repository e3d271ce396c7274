/** Text that is known and not read: what it looks like, and the way to get the same so that it can be read. */

const CAPTURE = 'the capture itself, or its list of packets (File → Export Packet Dissections → As CSV)';
const CAPTURED = 'the capture it was made from';
const FIELDS =
  '`tshark -T fields -E header=y -e frame.number -e frame.time_epoch -e ip.src -e ip.dst -e tcp.srcport -e tcp.dstport -e tcp.flags -e tcp.seq -e tcp.ack -e tcp.len -e tcp.window_size_value -r FILE`';

const KNOWN: readonly { looks: RegExp; what: string; way: string }[] = [
  {
    looks:
      /^\s*"?(?:Severity"?[\t,; ]+"?(?:Summary|Group)|Packet"?[\t,; ]+"?Summary)|^(?:Errors|Warns|Warnings|Notes|Chats) \(\d+\)/,
    what: "Wireshark's expert information",
    way: CAPTURE,
  },
  {
    looks: /^(?:TCP|IPv[46]) Conversations\b|^\S+:\d+\s+<->\s+\S+:\d+\s/,
    what: "Wireshark's list of conversations",
    way: CAPTURE,
  },
  {
    looks: /^Frame \d+: \d+ bytes (?:on wire|captured)|^Transmission Control Protocol, Src Port: /,
    what: 'packet details of Wireshark (tshark -V)',
    way: `${CAPTURE}, or ${FIELDS}`,
  },
  {
    looks:
      /^\s*"_(?:index|source|type)":|^\{"(?:index":\{"_index":"packets-|timestamp":"\d+","layers":)|<(?:pdml|psml|packet|proto)\b/,
    what: 'tshark -T json, ek, pdml or psml',
    way: `the capture itself, or ${FIELDS}`,
  },
  {
    looks: /^trace id [\da-f]{8} /,
    what: 'nft monitor trace',
    way: 'a rule with `log prefix "drop "` before the one that drops, and `dmesg`',
  },
  {
    looks: /"event_type":\s*"\w+"/,
    what: 'eve.json of Suricata',
    way: CAPTURED,
  },
  {
    looks: /"flow":\s*\{|"verdict":\s*"(?:FORWARDED|DROPPED)"/,
    what: 'hubble observe -o json',
    way: '`hubble observe --protocol tcp` without -o',
  },
  {
    looks: /^Tracing \d+ functions? for "|^FUNC +COUNT\s*$|^ +b?'?(?:__)?tcp_\w+(?:\+0x[\da-f]+)?'?\s*$/,
    what: 'counts of function calls (funccount, stackcount), which name no connection',
    way: '`tcpstates`, `tcpdrop`, or `trace-cmd record -e tcp -e sock -e skb:kfree_skb`',
  },
  {
    looks: /^# (?:Samples: |Children +Self |Overhead )|^ +[\d.]+% .*\[k\] \w+/,
    what: 'perf report, which adds up what it counted',
    way: '`perf script` of the same file',
  },
  {
    looks: /^@\w*(?:\[.{1,200}\])?: \d+\s*$|^\[[\dKM]+(?:, [\dKM]+\))?\] +\d+ \|/,
    what: 'a count or histogram of bpftrace, which names no connection',
    way: '`tcpstates`, `tcpdrop.bt`, or `trace-cmd record -e tcp -e sock -e skb:kfree_skb`',
  },
  {
    looks: /^ *Local Address +Remote Address +Swind\b|^TCP: IPv[46]\s*$/,
    what: 'netstat of Solaris',
    way: 'a capture (`snoop -o FILE`)',
  },
  {
    looks:
      /^TCP Statistics for IPv[46]|^\t\d+ (?:listen queue overflows?|connections closed \(including|embryonic connections dropped|bad connection attempts)/,
    what: 'counters of another system than Linux',
    way: '`netstat -an`, or a capture',
  },
  {
    looks: /^ *\d+ +\d+\.\d+ +\S+ -> \S+ +TCP D=\d+ S=\d+ /,
    what: 'snoop of Solaris',
    way: '`snoop -o FILE`, or `tshark -r FILE` of it',
  },
  {
    looks:
      /%(?:ASA|FTD|PIX)-\d-\d{6}: |^TCP \S+ [\d.]+:\d+ \S+ [\d.]+:\d+, idle \d+:\d\d:\d\d, bytes \d+, flags /,
    what: 'a log or table of a Cisco firewall, which says what it saw and did',
    way: '`show capture NAME`, or its `copy /pcap capture:NAME`, of the time in question',
  },
  {
    looks: /^interfaces=\[\w+\]$|^\d+\.\d{6} (?:\S+ (?:in|out) )?[\d.]+ -> [\d.]+: (?:syn|ack|rst|fin|psh)\b/,
    what: 'the sniffer of a FortiGate, which prints no lengths',
    way: 'its packet capture as a file (verbosity 6 and fgt2eth, or the GUI)',
  },
  {
    looks: /^ # +PROTOCOL +SRC-ADDRESS +DST-ADDRESS|^ *\d+ +[SEACFDs ]{1,8} +tcp +[\d.]+:\d+ +[\d.]+:\d+ /,
    what: 'connection tracking of MikroTik',
    way: '`/tool sniffer` with file-name=FILE',
  },
  {
    looks: /^Current listen queue sizes \(qlen\/incqlen\/maxqlen\)/,
    what: 'listen queues of BSD or macOS (netstat -L)',
    way: '`netstat -an`, or a capture',
  },
  {
    looks: /^USER +COMMAND +PID +FD +PROTO +LOCAL ADDRESS/,
    what: 'sockstat of FreeBSD, which shows no states',
    way: '`netstat -an`',
  },
  {
    looks: /^ *StartTime +.*\bDir\b.*\bState\b/,
    what: 'flows of argus (ra)',
    way: CAPTURED,
  },
  {
    looks: /^(?:IP6? )?\S+\.\d+ > \S+\.\d+: (?:Flags )?\[[SFRPWUEe.]+\],?\s*$/,
    what: 'lines of tcpdump without their numbers',
    way: 'the whole lines, or the capture itself',
  },
  {
    looks: /\bRX_KB\s+TX_KB\b|^\s*usecs\s+: count/,
    what: 'tcptop or a histogram',
    way: '`tcplife` or `tcpstates`',
  },
  {
    looks:
      /^(?:\[pid +\d+\] |\d+ +)?(?:\d\d:\d\d:\d\d(?:\.\d+)? )?(?:connect|accept4?|sendto|recvfrom|shutdown|setsockopt|listen|bind)\(\d+, /,
    what: 'strace',
    way: '`tcpautopsy-capture`, `tcptracer` or `tcpstates` beside it',
  },
  {
    looks: /^Chain [\w-]+ \((?:policy|\d+ references)|^table (?:inet|ip6?|arp|bridge|netdev) \S+ \{/,
    what: 'rules of a firewall',
    way: 'its LOG lines (`dmesg`), or `conntrack -E -o timestamp`',
  },
  {
    looks: /^#(?:separator|fields)\b|^\{"ts":[\d.]+,"uid":|^\d{10}\.\d{6}\tC\w+\t/,
    what: 'a log of Zeek',
    way: CAPTURED,
  },
  {
    looks: /"__REALTIME_TIMESTAMP"|"_TRANSPORT":"kernel"/,
    what: 'journalctl -o json',
    way: '`journalctl -k -o short-monotonic`',
  },
  {
    looks: /\bPktGroupId \d+|^\[\w+\]\w+\.\w+::\d{4}-/,
    what: 'pktmon or netsh of Windows',
    way: '`pktmon etl2pcap FILE.etl`',
  },
  {
    looks:
      /^(?:\d |\S+ )?\d{12} eni-[\da-f]+ |\beni-[\da-f-]+ .* (?:ACCEPT|REJECT) |^version (?:\S+ )*(?:srcaddr|account-id)\b/,
    what: 'VPC flow logs, which have no states (REJECT: a security group or a network ACL refused it)',
    way: 'a capture of either end',
  },
  {
    looks: /"flowTuples"|NetworkSecurityGroupFlowEvent|FlowLogFlowEvent/,
    what: 'flow logs of Azure, which have no flags (D: a rule of the network security group denied it)',
    way: "a capture of either end, or Network Watcher's packet capture",
  },
  {
    looks: /"reporter":\s*"(?:SRC|DEST)"|compute\.googleapis\.com%2F(?:vpc_flows|firewall)/,
    what: 'VPC flow or firewall logs of Google Cloud, which have no flags',
    way: 'a capture of either end',
  },
  {
    looks: /^Tracing TCP RTT|^\s*(?:m|u)?secs\s+: count/,
    what: 'a histogram (tcprtt), which names no connection',
    way: '`tcpstates`, `tcpconnlat`, or a capture',
  },
  {
    looks: /^ *\d+\.\d{3} \( *(?:\d+\.\d{3} ms)?[^)]{0,20}\): \S+\/\d+ \w+\(/,
    what: 'perf trace, which shows calls of programs and not who closed',
    way: '`perf trace -e tcp:*,sock:inet_sock_set_state`, or `tcpstates`',
  },
  {
    looks: /^LADDR:LPORT\s+RADDR:RPORT\s+RETRANSMITS|^\S+:\d+ +<-> +\S+:\d+ +\d+\s*$/,
    what: 'counts of tcpretrans -c, without times and states',
    way: '`tcpretrans` without -c',
  },
  {
    looks: /^@\w*\[\s*$|^@\w*\[[^\]]{1,200}\]:|^Attaching \d+ probes?\.\.\.$/,
    what: 'a count or histogram of bpftrace, which names no connection',
    way: '`tcpstates`, `tcpdrop.bt`, or `trace-cmd record -e tcp -e sock -e skb:kfree_skb`',
  },
  {
    looks: /^(?:PING|traceroute to|tracepath|mtr|HOST:|Start: )\b|^\s*\d+\.\s*\|--/,
    what: 'ping, traceroute or mtr',
    way: 'a capture of the connection',
  },
  {
    looks: /"(?:GET|POST|PUT|HEAD|DELETE|PATCH) \S+ HTTP\/[\d.]+" \d{3}\b/,
    what: 'an access log',
    way: 'a capture, or `ss -tanpieo`, of the time in question',
  },
  {
    looks: /\[(?:error|crit|alert|warn)\] \d+#\d+: |\bhaproxy\[\d+\]: /,
    what: 'a log of nginx or HAProxy, which says what failed and not who closed',
    way: 'a capture, or `ss -tanpieo`, of the time in question',
  },
  {
    looks:
      /^\* +(?:Trying |connect to |Connected to |Failed to connect |Recv failure)|^(?:curl|nc|telnet|wget): |\b(?:ECONNRESET|ECONNREFUSED|ETIMEDOUT|EPIPE)\b|\bConnection(?:ResetError|RefusedError)\b|\bjava\.net\.(?:Socket|Connect)\w*Exception\b|\b(?:dial|read|write) tcp [\d.:[\]]+/,
    what: 'the error of a program, which says what failed and not who closed',
    way: 'a capture, or `ss -tanpieo`, of the time in question',
  },
  {
    looks: /^\s*(?:\d+: )?\w+: flags=\d+<|^\d+: \w[\w.@-]*: <[A-Z_,-]+> mtu|^NIC statistics:/,
    what: 'counters of an interface',
    way: '`nstat -az` and `ss -tanpieo`',
  },
  {
    looks: /\bIP6? \(tos 0x\S+, ttl \d+[^)]*\)\s*$/,
    what: 'the first lines of tcpdump -v without the second',
    way: 'all of the output, or the capture itself',
  },
];

export interface NotRead {
  what: string;
  way: string;
}

/** null: nothing that is known. */
export function notRead(line: string): NotRead | null {
  if (line.length > 2000) return null;
  return KNOWN.find(({ looks }) => looks.test(line)) ?? null;
}
