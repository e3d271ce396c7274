/**
 * The English of `netstat -s` for the counters of Tcp and TcpExt (net-tools statistics.c, all versions since 1.60):
 * the phrase with its number left out, to the kernel's name as events carry it.
 */
const PHRASES = `
active connection openings = TcpActiveOpens
active connections openings = TcpActiveOpens
passive connection openings = TcpPassiveOpens
failed connection attempts = TcpAttemptFails
connection resets received = TcpEstabResets
connections established = TcpCurrEstab
segments received = TcpInSegs
segments sent out = TcpOutSegs
segments send out = TcpOutSegs
segments retransmitted = TcpRetransSegs
segments retransmited = TcpRetransSegs
bad segments received = TcpInErrs
resets sent = TcpOutRsts
SYN cookies sent = SyncookiesSent
SYN cookies received = SyncookiesRecv
invalid SYN cookies received = SyncookiesFailed
resets received for embryonic SYN_RECV sockets = EmbryonicRsts
packets pruned from receive queue because of socket buffer overrun = PruneCalled
packets pruned from receive queue = RcvPruned
packets dropped from out-of-order queue because of socket buffer overrun = OfoPruned
ICMP packets dropped because they were out-of-window = OutOfWindowIcmps
ICMP packets dropped because socket was locked = LockDroppedIcmps
TCP sockets finished time wait in fast timer = TW
time wait sockets recycled by time stamp = TWRecycled
TCP sockets finished time wait in slow timer = TWKilled
passive connections rejected because of time stamp = PAWSPassive
active connections rejected because of time stamp = PAWSActive
packets rejects in established connections because of timestamp = PAWSEstab
packets rejected in established connections because of timestamp = PAWSEstab
packetes rejected in established connections because of timestamp = PAWSEstab
delayed acks sent = DelayedACKs
delayed acks further delayed because of locked socket = DelayedACKLocked
Quick ack mode was activated times = DelayedACKLost
times the listen queue of a socket overflowed = ListenOverflows
SYNs to LISTEN sockets dropped = ListenDrops
SYNs to LISTEN sockets ignored = ListenDrops
packets directly queued to recvmsg prequeue = TCPPrequeued
bytes directly in process context from backlog = TCPDirectCopyFromBacklog
bytes directly received in process context from prequeue = TCPDirectCopyFromPrequeue
packets directly received from backlog = TCPDirectCopyFromBacklog
packets directly received from prequeue = TCPDirectCopyFromPrequeue
bytes directly received from prequeue = TCPDirectCopyFromPrequeue
packets dropped from prequeue = TCPPrequeueDropped
packets header predicted = TCPHPHits
packet headers predicted = TCPHPHits
packet headers predicted and directly queued to user = TCPHPHitsToUser
packets header predicted and directly queued to user = TCPHPHitsToUser
acknowledgments not containing data payload received = TCPPureAcks
acknowledgments not containing data received = TCPPureAcks
predicted acknowledgments = TCPHPAcks
times recovered from packet loss due to fast retransmit = TCPRenoRecovery
times recovered from packet loss by selective acknowledgements = TCPSackRecovery
times recovered from packet loss due to SACK data = TCPSackRecovery
bad SACK blocks received = TCPSACKReneging
bad SACKs received = TCPSACKReneging
Detected reordering times using FACK = TCPFACKReorder
Detected reordering times using SACK = TCPSACKReorder
Detected reordering times using reno fast retransmit = TCPRenoReorder
Detected reordering times using time stamp = TCPTSReorder
congestion windows fully recovered without slow start = TCPFullUndo
congestion windows fully recovered = TCPFullUndo
congestion windows partially recovered using Hoe heuristic = TCPPartialUndo
congestion window recovered without slow start using DSACK = TCPDSACKUndo
congestion windows recovered without slow start by DSACK = TCPDSACKUndo
congestion windows recovered after partial ack = TCPLossUndo
congestion windows recovered without slow start after partial ack = TCPLossUndo
TCP data loss events = TCPLoss
retransmits lost = TCPLostRetransmit
timeouts after reno fast retransmit = TCPRenoFailures
timeouts after SACK recovery = TCPSackFailures
timeouts in loss state = TCPLossFailures
fast retransmits = TCPFastRetrans
forward retransmits = TCPForwardRetrans
retransmits in slow start = TCPSlowStartRetrans
other TCP timeouts = TCPTimeouts
classic Reno fast retransmits failed = TCPRenoRecoveryFail
reno fast retransmits failed = TCPRenoRecoveryFail
SACK retransmits failed = TCPSackRecoveryFail
times receiver scheduled too late for direct processing = TCPSchedulerFailed
packets collapsed in receive queue due to low socket buffer = TCPRcvCollapsed
DSACKs sent for old packets = TCPDSACKOldSent
DSACKs sent for out of order packets = TCPDSACKOfoSent
DSACKs received = TCPDSACKRecv
DSACKs for out of order packets received = TCPDSACKOfoRecv
connections reset due to unexpected SYN = TCPAbortOnSyn
connections reset due to unexpected data = TCPAbortOnData
connections reset due to early user close = TCPAbortOnClose
connections aborted due to memory pressure = TCPAbortOnMemory
connections aborted due to timeout = TCPAbortOnTimeout
connections aborted after user close in linger timeout = TCPAbortOnLinger
times unable to send RST due to no memory = TCPAbortFailed
times unabled to send RST due to no memory = TCPAbortFailed
TCP ran low on memory times = TCPMemoryPressures
Ran times out of system memory during packet sending = SockMallocOOM`;

const NAMES = new Map(
  PHRASES.trim()
    .split('\n')
    .map((line) => line.split(' = ') as [string, string]),
);

/** Counter and value of `9 times the listen queue of a socket overflowed`; null for any other line. */
export function parsePhrase(line: string): { name: string; value: number } | null {
  const match = /(?:^|\s)(\d{1,15})(?:\s|$)/.exec(line);
  if (!match || line.length > 200) return null;
  const before = line.slice(0, match.index).trim();
  const after = line
    .slice(match.index + match[0].length)
    .trim()
    .replace(/\.$/, '');
  const name = NAMES.get(before === '' ? after : `${before} ${after}`);
  return name === undefined ? null : { name, value: Number(match[1]) };
}
