/** All rules. Within a group the order is their precedence: the first that holds for a side is its verdict. */
import type { Rule } from '../rule.ts';
import { rule as abortOnOverflowReset } from './abort-on-overflow-reset.ts';
import { rule as acceptQueueOverflowAck } from './accept-queue-overflow-ack.ts';
import { rule as acceptQueueOverflowSyn } from './accept-queue-overflow-syn.ts';
import { rule as badSynAckReset } from './bad-syn-ack-reset.ts';
import { rule as checksumDrop } from './checksum-drop.ts';
import { rule as closeWaitLeak } from './close-wait-leak.ts';
import { rule as closeWaitUnaccepted } from './close-wait-unaccepted.ts';
import { rule as closingStuck } from './closing-stuck.ts';
import { rule as connectAbandoned } from './connect-abandoned.ts';
import { rule as connectionRefused } from './connection-refused.ts';
import { rule as conntrackTableFull } from './conntrack-table-full.ts';
import { rule as cookieOverflowReset } from './cookie-overflow-reset.ts';
import { rule as dataAfterCloseReset } from './data-after-close-reset.ts';
import { rule as dataLostOnPath } from './data-lost-on-path.ts';
import { rule as deferredAccept } from './deferred-accept.ts';
import { rule as delayedAckOfFin } from './delayed-ack-of-fin.ts';
import { rule as disconnectReset } from './disconnect-reset.ts';
import { rule as ecnSynBlackHole } from './ecn-syn-black-hole.ts';
import { rule as finUnacknowledged } from './fin-unacknowledged.ts';
import { rule as finWait1Aborted } from './fin-wait1-aborted.ts';
import { rule as finWait2Expired } from './fin-wait2-expired.ts';
import { rule as finWait2ExpiredReset } from './fin-wait2-expired-reset.ts';
import { rule as finWait2InMinisock } from './fin-wait2-in-minisock.ts';
import { rule as finWait2Stuck } from './fin-wait2-stuck.ts';
import { rule as finWithAck } from './fin-with-ack.ts';
import { rule as gracefulClose } from './graceful-close.ts';
import { rule as halfClose } from './half-close.ts';
import { rule as handshakeUnfinished } from './handshake-unfinished.ts';
import { rule as icmpRejected } from './icmp-rejected.ts';
import { rule as idleMappingExpired } from './idle-mapping-expired.ts';
import { rule as keepAliveRace } from './keep-alive-race.ts';
import { rule as keepaliveTimeoutReset } from './keepalive-timeout-reset.ts';
import { rule as kernelWireContradiction } from './kernel-wire-contradiction.ts';
import { rule as lastAckStuck } from './last-ack-stuck.ts';
import { rule as lingerZeroReset } from './linger-zero-reset.ts';
import { rule as linger2Reset } from './linger2-reset.ts';
import { rule as listenerClosedReset } from './listener-closed-reset.ts';
import { rule as longFinWait2 } from './long-fin-wait2.ts';
import { rule as martianDrop } from './martian-drop.ts';
import { rule as memoryPressureReset } from './memory-pressure-reset.ts';
import { rule as middleboxReset } from './middlebox-reset.ts';
import { rule as netfilterDrop } from './netfilter-drop.ts';
import { rule as noReplyRouteDrop } from './no-reply-route-drop.ts';
import { rule as noSocketReset } from './no-socket-reset.ts';
import { rule as otherIngressDrop } from './other-ingress-drop.ts';
import { rule as pathMtuBlackHole } from './path-mtu-black-hole.ts';
import { rule as peerSilent } from './peer-silent.ts';
import { rule as peerWindowClosed } from './peer-window-closed.ts';
import { rule as receiveBufferFull } from './receive-buffer-full.ts';
import { rule as requestExpiredReset } from './request-expired-reset.ts';
import { rule as retransmissionTimeout } from './retransmission-timeout.ts';
import { rule as reversePathDrop } from './reverse-path-drop.ts';
import { rule as simultaneousClose } from './simultaneous-close.ts';
import { rule as simultaneousOpen } from './simultaneous-open.ts';
import { rule as snapshotTooLate } from './snapshot-too-late.ts';
import { rule as socketDestroyReset } from './socket-destroy-reset.ts';
import { rule as strayAckReset } from './stray-ack-reset.ts';
import { rule as synAckLostLocally } from './syn-ack-lost-locally.ts';
import { rule as synAckLostOnPath } from './syn-ack-lost-on-path.ts';
import { rule as synBacklogReserveDrop } from './syn-backlog-reserve-drop.ts';
import { rule as synCookieHandshake } from './syn-cookie-handshake.ts';
import { rule as synLostOnPath } from './syn-lost-on-path.ts';
import { rule as synOnStaleConnection } from './syn-on-stale-connection.ts';
import { rule as synOnTimeWait } from './syn-on-time-wait.ts';
import { rule as synQueueFullDrop } from './syn-queue-full-drop.ts';
import { rule as timeWaitDataReset } from './time-wait-data-reset.ts';
import { rule as timeWaitOverflow } from './time-wait-overflow.ts';
import { rule as timeWaitPileup } from './time-wait-pileup.ts';
import { rule as unansweredSyn } from './unanswered-syn.ts';
import { rule as unexplainedReset } from './unexplained-reset.ts';
import { rule as unreadDataReset } from './unread-data-reset.ts';
import { rule as untranslatedPacketReset } from './untranslated-packet-reset.ts';
import { rule as untranslatedReply } from './untranslated-reply.ts';

const list = [
  simultaneousOpen,
  icmpRejected,
  untranslatedReply,
  netfilterDrop,
  reversePathDrop,
  martianDrop,
  checksumDrop,
  otherIngressDrop,
  synAckLostLocally,
  ecnSynBlackHole,
  synLostOnPath,
  synAckLostOnPath,
  noReplyRouteDrop,
  synBacklogReserveDrop,
  synQueueFullDrop,
  acceptQueueOverflowSyn,
  requestExpiredReset,
  cookieOverflowReset,
  abortOnOverflowReset,
  acceptQueueOverflowAck,
  synCookieHandshake,
  synOnTimeWait,
  synOnStaleConnection,
  deferredAccept,
  handshakeUnfinished,
  conntrackTableFull,
  unansweredSyn,
  connectAbandoned,
  listenerClosedReset,
  connectionRefused,
  keepAliveRace,
  dataAfterCloseReset,
  timeWaitDataReset,
  finWait2ExpiredReset,
  unreadDataReset,
  lingerZeroReset,
  linger2Reset,
  disconnectReset,
  keepaliveTimeoutReset,
  memoryPressureReset,
  socketDestroyReset,
  badSynAckReset,
  idleMappingExpired,
  untranslatedPacketReset,
  strayAckReset,
  noSocketReset,
  middleboxReset,
  retransmissionTimeout,
  unexplainedReset,
  gracefulClose,
  kernelWireContradiction,
  finWait1Aborted,
  finUnacknowledged,
  timeWaitOverflow,
  finWait2Expired,
  simultaneousClose,
  halfClose,
  longFinWait2,
  finWait2InMinisock,
  finWithAck,
  delayedAckOfFin,
  snapshotTooLate,
  closeWaitUnaccepted,
  closeWaitLeak,
  lastAckStuck,
  closingStuck,
  finWait2Stuck,
  pathMtuBlackHole,
  dataLostOnPath,
  receiveBufferFull,
  peerSilent,
  peerWindowClosed,
  timeWaitPileup,
] as const;

export const rules: readonly Rule[] = list;

/** Ids of all rules. */
export type RuleId = (typeof list)[number]['id'];

const byId = new Map(rules.map((r) => [r.id, r]));

export function ruleById(id: string): Rule | undefined {
  return byId.get(id);
}
