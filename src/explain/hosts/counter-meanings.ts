/**
 * What the counters of the kernel count (include/uapi/linux/snmp.h, net/ipv4/proc.c up to 6.18; the words are of the places that
 * raise them), and what it means when one rises. Those that stand out come first, in the order of what they would explain.
 */
import type { RuleId } from '../rules/index.ts';

export interface CounterMeaning {
  /** What is counted, after the number. */
  counts: string;
  /** What it says of a host; '' where a rise is a matter of load. */
  means: string;
  /** The cause that a rise is a sign of. */
  rule: RuleId | null;
}

/** NAME | what is counted | what it means | cause */
const STAND_OUT = `
ListenOverflows | SYNs and ACKs of handshakes that met a full accept queue | the process accepts too slowly, or its backlog is too small | accept-queue-overflow-syn
TCPReqQFullDrop | SYNs dropped because the SYN queue was full and SYN cookies were off | a SYN flood, a burst of clients or a small backlog | syn-queue-full-drop
ListenDrops | SYNs and ACKs that a listener dropped, for whatever reason | ListenOverflows is the part of it that met a full accept queue | accept-queue-overflow-syn
TCPReqQFullDoCookies | SYNs that met a full SYN queue and were answered with a cookie | a SYN flood, a burst of clients or a small backlog | syn-cookie-handshake
TCPTimeWaitOverflow | connections without room for a timewait socket | tcp_max_tw_buckets was reached: late packets are answered with a RST | time-wait-overflow
TCPAbortOnMemory | connections reset for too many orphans or too little TCP memory | tcp_max_orphans or tcp_mem was reached | memory-pressure-reset
conntrack_drop | packets that connection tracking dropped because it had no room for an entry | nf_conntrack_max was reached | conntrack-table-full
conntrack_early_drop | entries evicted to make room for new ones | nf_conntrack_max was reached | conntrack-table-full
conntrack_insert_failed | entries that clashed with one that was there (two packets at once, or the same translation) | packets of new connections were dropped |
conntrack_invalid | packets that fit no tracked connection | rules for INVALID drop them; without one a NAT forwards them untranslated, and the receiver may answer with a RST | untranslated-packet-reset
TCPAbortOnTimeout | connections given up after retransmissions, keepalives or probes without an answer | peers that are gone, or a path that drops | retransmission-timeout
TCPBacklogDrop | segments dropped because the backlog of a socket in use was full | the process holds its socket too long, or the receive buffer is too small |
TCPRcvQDrop | segments dropped because the receive buffer was full | the process does not read fast enough |
TCPZeroWindowDrop | segments dropped because the window was closed | the process does not read |
PruneCalled | times a receive queue was compacted because its buffer was full | the process does not read fast enough |
RcvPruned | times a receive queue stayed too large after compacting, and what came was dropped | the process does not read |
OfoPruned | segments dropped from an out-of-order queue for want of buffer | loss on the path with full buffers |
TCPOFODrop | out-of-order segments dropped for want of buffer | loss on the path with full buffers |
TCPAbortOnClose | connections reset because the process closed with data unread | the process does not read to the end | unread-data-reset
TCPAbortOnData | connections reset by SO_LINGER 0, or by data after close() | data came for a socket that no process reads | data-after-close-reset
TCPAbortOnLinger | orphaned connections reset because TCP_LINGER2 was negative or over | | linger2-reset
TCPAbortFailed | RSTs that could not be sent for want of memory | the peer is not told that the connection is gone |
EmbryonicRsts | RSTs received for handshakes in SYN_RECV | scans, health checks, or clients that reset instead of the ACK |
SyncookiesFailed | ACKs whose SYN cookie was wrong or too old | late or forged ACKs, or an accept queue that was full meanwhile | cookie-overflow-reset
SyncookiesSent | SYN cookies sent | the SYN queue was full | syn-cookie-handshake
SyncookiesRecv | connections established by a SYN cookie | real clients were among those of the full SYN queue | syn-cookie-handshake
TCPDeferAcceptDrop | ACKs of handshakes dropped because TCP_DEFER_ACCEPT waits for data | normal with that option | deferred-accept
PAWSEstab | segments rejected because their timestamp was older than the last one | reordering, a NAT that mixes hosts, or clocks of timestamps that jump |
PAWSActive | SYN-ACKs rejected because of their timestamp | a reply of an earlier connection, or a NAT that mixes hosts |
PAWSTimewait | segments rejected by a timewait socket because of their timestamp | a NAT that mixes hosts, or ports reused at once | syn-on-time-wait
PAWSOldAck | pure ACKs rejected because of an old timestamp | reordering on the path |
PAWSPassive | SYNs rejected because of their timestamp (tcp_tw_recycle, before 4.12) | clients behind a NAT are refused: switch tcp_tw_recycle off |
TSEcrRejected | SYN-ACKs and ACKs rejected because they echo a timestamp that was never sent | a device that rewrites timestamps |
BeyondWindow | segments that ended beyond the window (6.17) | the peer sends more than it may |
IPReversePathFilter | packets dropped by rp_filter | asymmetric routes: the reply would leave by another interface | reverse-path-drop
TCPMD5NotFound | segments without the MD5 signature that the socket asks for | dropped silently |
TCPMD5Unexpected | segments with an MD5 signature that the socket does not ask for | dropped silently |
TCPMD5Failure | segments with a wrong MD5 signature | dropped silently |
TCPAORequired | segments without the TCP-AO option that the socket asks for | dropped silently |
TCPAOBad | segments with a wrong TCP-AO signature | dropped silently |
TCPAOKeyNotFound | segments with a TCP-AO key that the socket does not have | dropped silently |
TCPMinTTLDrop | segments whose TTL was below IP_MINTTL | dropped silently |
PFMemallocDrop | segments dropped because memory was so short that only sockets for swapping got any | the host is out of memory |
TCPMemoryPressures | times TCP memory went above the second value of tcp_mem | buffers shrink; above the third value connections are reset | memory-pressure-reset
TCPWqueueTooBig | writes refused because the send queue held too many pieces | a peer that acknowledges little by little (SACK attack) |
TCPFastOpenListenOverflow | Fast Open SYNs that met a full queue | they go through an ordinary handshake |
TCPFastOpenBlackhole | times Fast Open was switched off because its SYNs vanished | a device on the path drops them |
TCPRetransFail | retransmissions that could not be sent | no memory, no route, or a device queue that is full |
TcpAttemptFails | connection attempts that failed (SYN_SENT or SYN_RECV to CLOSE) | refused, timed out, or reset by the client | connection-refused
TcpInErrs | segments with a bad header or checksum | damage on the path, or a driver | checksum-drop
TcpInCsumErrors | segments with a wrong checksum | damage on the path, or a driver | checksum-drop
IpInAddrErrors | packets dropped because their address was not this host's and not to be forwarded | a wrong route or a martian source | martian-drop
IpInDiscards | packets dropped for want of memory, by a device rule or the network stack | |
IpOutNoRoutes | packets dropped on their way out because there was no route | the reply, or a SYN, found no route | no-reply-route-drop
IpOutDiscards | packets dropped on their way out, for want of memory or by netfilter | |
IpReasmFails | packets that could not be put together from fragments | fragments are lost, or a path MTU is too small |
IpFragFails | packets that needed fragments and had DF set | ICMP frag-needed is sent; where it is dropped, the path is a black hole |`;

/** NAME | what is counted */
const OTHERS = `
TcpActiveOpens | connect() calls: sockets that went to SYN_SENT
TcpPassiveOpens | connections that a listener made
TcpEstabResets | connections that went from ESTABLISHED or CLOSE_WAIT to CLOSE: a RST came, or was sent
TcpCurrEstab | connections in ESTABLISHED or CLOSE_WAIT now: no counter, it falls as well
TcpInSegs | segments received
TcpOutSegs | segments sent, without retransmissions and RSTs without a socket
TcpRetransSegs | segments sent again
TcpOutRsts | RSTs sent
TcpRtoAlgorithm | a constant: how the retransmission timeout is computed
TcpRtoMin | a constant: the smallest retransmission timeout, in ms
TcpRtoMax | a constant: the largest retransmission timeout, in ms
TcpMaxConn | a constant: no limit on connections
OutOfWindowIcmps | ICMP errors ignored because they quote numbers outside the window
LockDroppedIcmps | ICMP errors ignored because the socket was in use
ArpFilter | ARP requests not answered because of arp_filter
TW | timewait sockets that ended after their time
TWRecycled | timewait sockets reused for a new connection by connect()
TWKilled | timewait sockets that ended early (tcp_tw_recycle, before 4.12)
DelayedACKs | delayed acknowledgments sent
DelayedACKLocked | delayed acknowledgments put off because the socket was in use
DelayedACKLost | times quick acknowledgments were switched on because old data came again
TCPHPHits | segments with data that took the fast path
TCPPureAcks | acknowledgments without data on the slow path
TCPHPAcks | acknowledgments on the fast path
TCPRenoRecovery | recoveries from loss by three duplicate acknowledgments, without SACK
TCPSackRecovery | recoveries from loss by SACK
TCPSACKReneging | times a peer dropped what it had acknowledged by SACK
TCPSACKReorder | times SACK showed reordering
TCPRenoReorder | times duplicate acknowledgments showed reordering
TCPTSReorder | times timestamps showed reordering
TCPFACKReorder | times FACK showed reordering (before 4.15)
TCPFullUndo | recoveries undone as a whole: nothing had been lost
TCPPartialUndo | recoveries undone in part
TCPDSACKUndo | recoveries undone because DSACK showed that nothing had been lost
TCPLossUndo | timeouts undone after a partial acknowledgment
TCPLostRetransmit | retransmissions that were lost too
TCPRenoFailures | timeouts during a recovery without SACK
TCPSackFailures | timeouts during a recovery by SACK
TCPLossFailures | timeouts during a recovery from a timeout
TCPFastRetrans | segments sent again by fast retransmit
TCPForwardRetrans | segments sent again ahead of time by FACK (before 4.15)
TCPSlowStartRetrans | segments sent again in slow start
TCPTimeouts | retransmission timeouts, SYNs and SYN-ACKs among them
TCPLossProbes | tail loss probes sent
TCPLossProbeRecovery | losses that a tail loss probe repaired
TCPRenoRecoveryFail | fast retransmits without SACK that failed
TCPSackRecoveryFail | retransmits by SACK that failed
TCPSchedulerFailed | times a process came too late for the prequeue (before 4.14)
TCPRcvCollapsed | segments merged in a receive queue for want of buffer
TCPBacklogCoalesce | segments merged in the backlog of a socket in use
TCPDSACKOldSent | DSACKs sent for old data that came again
TCPDSACKOfoSent | DSACKs sent for out-of-order data that came again
TCPDSACKRecv | DSACKs received: the peer had the data twice
TCPDSACKOfoRecv | DSACKs received for out-of-order data
TCPDSACKRecvSegs | segments that DSACKs of the peer report twice
TCPDSACKIgnoredOld | DSACKs ignored because they were old
TCPDSACKIgnoredNoUndo | DSACKs ignored because nothing was to be undone
TCPDSACKIgnoredDubious | DSACKs ignored because they report more than was sent again
TCPMemoryPressuresChrono | milliseconds spent above the second value of tcp_mem
TCPSACKDiscard | SACK blocks ignored because they make no sense
TCPSpuriousRTOs | retransmission timeouts that F-RTO found to be needless
TCPSackShifted | SACK blocks that moved data between buffers
TCPSackMerged | SACK blocks that merged buffers
TCPSackShiftFallback | SACK blocks that could not be merged
TCPRcvCoalesce | segments merged in a receive queue
TCPOFOQueue | segments that came out of order and were kept
TCPOFOMerge | out-of-order segments that overlapped what was kept
TCPChallengeACK | challenge ACKs sent (RFC 5961): a RST or SYN whose numbers do not fit exactly
TCPSYNChallenge | challenge ACKs sent for a SYN on an established connection
TCPFastOpenActive | Fast Open connections made with data in the SYN
TCPFastOpenActiveFail | Fast Open attempts whose data in the SYN were not accepted
TCPFastOpenPassive | Fast Open connections accepted with data in the SYN
TCPFastOpenPassiveFail | Fast Open SYNs with a wrong cookie
TCPFastOpenPassiveAltKey | Fast Open connections accepted with the backup key
TCPFastOpenCookieReqd | Fast Open cookies asked for
TCPSpuriousRtxHostQueues | retransmissions put off because the first copy was still in a queue of this host
BusyPollRxPackets | packets received by busy polling
TCPAutoCorking | small writes held back because data were still in a queue of this host
TCPFromZeroWindowAdv | times the window opened again after 0
TCPToZeroWindowAdv | times the window was advertised as 0: the process did not read
TCPWantZeroWindowAdv | times a window of 0 was wanted and could not be advertised
TCPSynRetrans | SYNs and SYN-ACKs sent again
TCPOrigDataSent | segments with data sent for the first time
TCPHystartTrainDetect | slow starts that Hystart ended by trains of acknowledgments
TCPHystartTrainCwnd | sum of the congestion windows at those ends
TCPHystartDelayDetect | slow starts that Hystart ended by delay
TCPHystartDelayCwnd | sum of the congestion windows at those ends
TCPACKSkippedSynRecv | acknowledgments of SYN_RECV left out by the rate limit (tcp_invalid_ratelimit)
TCPACKSkippedPAWS | acknowledgments of segments with an old timestamp left out by the rate limit
TCPACKSkippedSeq | acknowledgments of segments outside the window left out by the rate limit
TCPACKSkippedFinWait2 | acknowledgments of FIN_WAIT2 left out by the rate limit
TCPACKSkippedTimeWait | acknowledgments of TIME_WAIT left out by the rate limit
TCPACKSkippedChallenge | challenge ACKs left out by the rate limit
TCPWinProbe | window probes sent: a peer's window was 0
TCPKeepAlive | keepalive probes sent
TCPMTUPFail | path MTU probes that were lost
TCPMTUPSuccess | path MTU probes that arrived
TCPDelivered | segments delivered, by ACK or SACK
TCPDeliveredCE | segments delivered with a congestion mark
TCPAckCompressed | acknowledgments merged before they were sent
TcpTimeoutRehash | connections moved to another path after a timeout
TcpDuplicateDataRehash | connections moved to another path because data came twice
TCPMigrateReqSuccess | connections moved to another listener of the port
TCPMigrateReqFailure | connections that no other listener of the port could take
TCPPLBRehash | connections moved to another path by PLB
TCPAOGood | segments with a right TCP-AO signature
TCPAODroppedIcmps | ICMP errors ignored because of TCP-AO
TCPPrequeued | packets queued to a waiting process (before 4.14)
TCPDirectCopyFromBacklog | bytes copied from the backlog (before 4.14)
TCPDirectCopyFromPrequeue | bytes copied from the prequeue (before 4.14)
TCPPrequeueDropped | packets dropped from the prequeue (before 4.14)
TCPHPHitsToUser | segments that took the fast path to a waiting process (before 4.14)
TCPLoss | losses found by FACK (before 3.0)
TCPAbortOnSyn | connections reset because of a SYN inside the window (before 3.7)
SockMallocOOM | times memory for sending was refused
IpForwarding | a setting: 1 forwards, 2 does not
IpDefaultTTL | a setting: the TTL of what this host sends
IpInReceives | IP packets received
IpInHdrErrors | IP packets dropped for an error in the header, or a TTL that ran out
IpForwDatagrams | IP packets forwarded
IpInUnknownProtos | IP packets of a protocol that nobody takes
IpInDelivers | IP packets delivered to TCP, UDP, ICMP and others
IpOutRequests | IP packets that this host sends
IpOutTransmits | IP packets handed to a device
IpReasmTimeout | fragments dropped because the others did not come in time
IpReasmReqds | fragments received
IpReasmOKs | packets put together from fragments
IpFragOKs | packets cut into fragments
IpFragCreates | fragments made
IpExtInNoRoutes | packets dropped because there was no route to forward them by
IpExtInTruncatedPkts | packets shorter than their header says
IpExtInCsumErrors | IP packets dropped for a wrong header checksum
IpExtReasmOverlaps | fragments that overlapped others
IpExtInMcastPkts | multicast packets received
IpExtOutMcastPkts | multicast packets sent
IpExtInBcastPkts | broadcast packets received
IpExtOutBcastPkts | broadcast packets sent
IpExtInOctets | bytes received, with IP headers
IpExtOutOctets | bytes sent, with IP headers
IpExtInMcastOctets | bytes of multicast packets received
IpExtOutMcastOctets | bytes of multicast packets sent
IpExtInBcastOctets | bytes of broadcast packets received
IpExtOutBcastOctets | bytes of broadcast packets sent
IpExtInNoECTPkts | packets received that do not offer ECN
IpExtInECT1Pkts | packets received with ECT(1)
IpExtInECT0Pkts | packets received with ECT(0)
IpExtInCEPkts | packets received with a congestion mark`;

/** IANA, ICMP types. */
const ICMP_TYPES: Readonly<Record<string, string>> = {
  '0': 'echo reply',
  '3': 'destination unreachable (also frag-needed and admin-prohibited)',
  '4': 'source quench',
  '5': 'redirect',
  '8': 'echo request',
  '9': 'router advertisement',
  '10': 'router solicitation',
  '11': 'time exceeded',
  '12': 'parameter problem',
  '13': 'timestamp request',
  '14': 'timestamp reply',
  '17': 'address mask request',
  '18': 'address mask reply',
};

/** By the name that events carry: TcpExt without its prefix, others with their group. */
const COUNTER_MEANINGS: ReadonlyMap<string, CounterMeaning> = new Map(
  `${STAND_OUT}${OTHERS}`
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', counts = '', means = '', rule = ''] = line.split('|').map((cell) => cell.trim());
      return [name, { counts, means, rule: (rule || null) as RuleId | null }];
    }),
);

/** Counters that say something of a host when they rise, the most telling first. */
export const TELLING_COUNTERS: readonly string[] = STAND_OUT.trim()
  .split('\n')
  .map((line) => line.split('|', 1)[0]!.trim());

export function counterMeaning(name: string): CounterMeaning | null {
  const known = COUNTER_MEANINGS.get(name);
  if (known) return known;
  const icmp = /^IcmpMsg(In|Out)Type(\d{1,3})$/.exec(name);
  if (!icmp) return null;
  const what = ICMP_TYPES[icmp[2]!] ?? `type ${icmp[2]}`;
  return {
    counts: `ICMP messages ${icmp[1] === 'In' ? 'received' : 'sent'}: ${what}`,
    means: '',
    rule: null,
  };
}
