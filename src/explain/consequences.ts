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

/** Connections by cause, some or all of one incident. */
export type Shown = ReadonlyMap<string, ReadonlySet<number>>;

/**
 * What a cause follows from among those shown: on one connection that which most of them share, all of them where `all` is
 * asked for. Null where it follows from none.
 */
export function followsFrom(id: string, shown: Shown, all: boolean): string | null {
  const own = shown.get(id)!;
  const sharing = (other: string) => [...own].filter((n) => shown.get(other)?.has(n)).length;
  const least = all ? own.size : 1;
  const [nearest] = (ON_CONNECTION[id as RuleId] ?? [])
    .map((parent) => ({ parent, n: sharing(parent) }))
    .filter(({ n }) => n >= least)
    .sort((a, b) => b.n - a.n);
  if (nearest) return nearest.parent;
  return all ? null : (ON_SERVER[id as RuleId]?.find((parent) => shown.has(parent)) ?? null);
}

/** Causes that may follow from one of these. */
export function mayFollow(id: string, from: ReadonlySet<string>): boolean {
  const parents = [...(ON_CONNECTION[id as RuleId] ?? []), ...(ON_SERVER[id as RuleId] ?? [])];
  return parents.some((parent) => from.has(parent));
}
