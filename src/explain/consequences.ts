/** What follows from what, as the kernel's own code has it. */
import type { RuleId } from './rules/index.ts';

/** Resets that can meet a socket in the middle of its closing. */
const RESETS: readonly RuleId[] = [
  'request-expired-reset',
  'cookie-overflow-reset',
  'abort-on-overflow-reset',
  'listener-closed-reset',
  'unread-data-reset',
  'data-after-close-reset',
  'no-socket-reset',
  'middlebox-reset',
];

/** consequence → what it can follow from on the same connection, the nearest first. */
const ON_CONNECTION: Partial<Record<RuleId, readonly RuleId[]>> = {
  'request-expired-reset': ['accept-queue-overflow-ack'],
  'cookie-overflow-reset': ['accept-queue-overflow-ack'],
  'no-socket-reset': ['accept-queue-overflow-ack', 'fin-wait2-expired'],
  'listener-closed-reset': ['close-wait-unaccepted'],
  'fin-wait2-expired': ['close-wait-unaccepted', 'close-wait-leak'],
  'fin-wait2-expired-reset': ['fin-wait2-expired', 'close-wait-unaccepted', 'close-wait-leak'],
  'fin-wait2-stuck': ['close-wait-unaccepted', 'close-wait-leak'],
  'long-fin-wait2': ['close-wait-unaccepted', 'close-wait-leak'],
  'fin-unacknowledged': ['accept-queue-overflow-ack', 'peer-silent'],
  'fin-wait1-aborted': RESETS,
  'retransmission-timeout': ['path-mtu-black-hole', 'peer-silent', 'accept-queue-overflow-ack'],
  'last-ack-stuck': ['peer-silent', 'retransmission-timeout'],
  'closing-stuck': ['peer-silent', 'retransmission-timeout'],
};

/** consequence → what it can follow from on the same server. */
const ON_SERVER: Partial<Record<RuleId, readonly RuleId[]>> = {
  'connection-refused': ['listener-closed-reset'],
};

/** The nearest that a cause can follow from, of those that the same connection shows. */
export function followsFrom(id: string, isShown: (parent: RuleId) => boolean): RuleId | null {
  return ON_CONNECTION[id as RuleId]?.find(isShown) ?? null;
}

/** The same of those that any connection to its server shows. */
export function followsAtServer(id: string, isShown: (parent: RuleId) => boolean): RuleId | null {
  return ON_SERVER[id as RuleId]?.find(isShown) ?? null;
}
