/**
 * Causes that contradict each other. Of one connection two such findings are never both told: the weaker is left out,
 * and named as what else it could be.
 */
import type { Finding } from '../model/finding.ts';
import type { RuleId } from './rules/index.ts';

const RESETS: readonly RuleId[] = [
  'unread-data-reset',
  'linger-zero-reset',
  'linger2-reset',
  'data-after-close-reset',
  'time-wait-data-reset',
  'fin-wait2-expired-reset',
  'connection-refused',
  'no-socket-reset',
  'listener-closed-reset',
  'disconnect-reset',
  'socket-destroy-reset',
  'keepalive-timeout-reset',
  'memory-pressure-reset',
  'bad-syn-ack-reset',
  'stray-ack-reset',
  'middlebox-reset',
  'idle-mapping-expired',
  'keep-alive-race',
  'untranslated-packet-reset',
  'abort-on-overflow-reset',
  'request-expired-reset',
  'cookie-overflow-reset',
  'unexplained-reset',
];
export const LOST_SYNS: readonly RuleId[] = [
  'ecn-syn-black-hole',
  'accept-queue-overflow-syn',
  'syn-queue-full-drop',
  'syn-backlog-reserve-drop',
  'no-reply-route-drop',
  'netfilter-drop',
  'reverse-path-drop',
  'martian-drop',
  'checksum-drop',
  'other-ingress-drop',
  'syn-lost-on-path',
];
export const LOST_SYN_ACKS: readonly RuleId[] = ['syn-ack-lost-locally', 'syn-ack-lost-on-path'];
const PAST_FIN_WAIT1: readonly RuleId[] = [
  'fin-wait2-in-minisock',
  'fin-with-ack',
  'half-close',
  'long-fin-wait2',
  'time-wait-overflow',
];
const IN_FIN_WAIT1: readonly RuleId[] = ['fin-unacknowledged', 'fin-wait1-aborted'];
const MET_OLD_CONNECTION: readonly RuleId[] = ['syn-on-time-wait', 'syn-on-stale-connection'];

/** At most one of a list holds: of a connection, or of each of its ends. */
const ONE_OF: readonly { of: 'connection' | 'end'; rules: readonly RuleId[] }[] = [
  { of: 'connection', rules: ['graceful-close', 'retransmission-timeout', ...RESETS] },
  { of: 'connection', rules: ['unanswered-syn', 'handshake-unfinished', ...LOST_SYNS, ...LOST_SYN_ACKS] },
  { of: 'connection', rules: ['unanswered-syn', 'simultaneous-open', ...MET_OLD_CONNECTION] },
  { of: 'end', rules: PAST_FIN_WAIT1.filter((r) => r !== 'time-wait-overflow') },
  { of: 'end', rules: ['simultaneous-close', 'half-close', 'fin-with-ack', 'long-fin-wait2'] },
  { of: 'end', rules: ['fin-wait2-in-minisock', 'time-wait-overflow'] },
  { of: 'end', rules: ['last-ack-stuck', 'closing-stuck', 'fin-wait2-stuck'] },
];

/** None of the first holds where one of the second does: `end`, of the same end. */
const NEITHER: readonly { of: 'connection' | 'end'; these: readonly RuleId[]; those: readonly RuleId[] }[] = [
  // every one of these is an end that was not one of FINs, both acknowledged
  {
    of: 'connection',
    these: ['graceful-close'],
    those: [...IN_FIN_WAIT1, 'last-ack-stuck', 'closing-stuck', 'fin-wait2-expired'],
  },
  // the same repeated SYN-ACKs, explained otherwise
  { of: 'connection', these: ['accept-queue-overflow-ack'], those: ['deferred-accept', ...LOST_SYN_ACKS] },
  // a SYN that got a RST, and no other answer, completed no handshake
  {
    of: 'connection',
    these: ['connection-refused'],
    those: [
      'accept-queue-overflow-ack',
      'syn-cookie-handshake',
      'deferred-accept',
      ...PAST_FIN_WAIT1,
      ...IN_FIN_WAIT1,
    ],
  },
  // the FIN was acknowledged, or it was not
  { of: 'end', these: IN_FIN_WAIT1, those: [...PAST_FIN_WAIT1, 'fin-wait2-expired', 'fin-wait2-stuck'] },
];

const END = new Set<string>();
const CONNECTION = new Set<string>();

function exclude(of: 'connection' | 'end', a: string, b: string): void {
  const pairs = of === 'end' ? END : CONNECTION;
  if (a !== b) pairs.add(`${a} ${b}`).add(`${b} ${a}`);
}
for (const { of, rules } of ONE_OF) for (const a of rules) for (const b of rules) exclude(of, a, b);
for (const { of, these, those } of NEITHER) for (const a of these) for (const b of those) exclude(of, a, b);

/** They cannot both be true of one connection. */
export function contradict(a: Finding, b: Finding): boolean {
  const pair = `${a.rule} ${b.rule}`;
  return CONNECTION.has(pair) || (a.side === b.side && END.has(pair));
}
