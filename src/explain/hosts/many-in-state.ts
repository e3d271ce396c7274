/** Counts of sockets by state (`ss -s`, `sort | uniq -c`): states in which few connections stay long. */

import type { FindingSide } from '../../model/finding.ts';
import type { StateCountEvent } from '../../model/table-event.ts';
import { eventEvidence } from '../facts/evidence.ts';
import type { World } from '../facts/world.ts';
import type { RuleId } from '../rules/index.ts';
import { number } from '../words.ts';
import type { Sign } from './index.ts';

interface Meaning {
  rule: RuleId;
  /** So many at one moment are more than pass through the state. */
  from: number;
  side: FindingSide;
  means: string;
  remedy: string;
  /** The command that would show who. */
  command: string;
  alternatives?: RuleId[];
}

/** A state that lasts a round trip, or as long as a process needs; FIN_WAIT2 and TIME_WAIT last 60 s of one close a second. */
const FEW = 10;
const MANY = 100;

const MEANS: Readonly<Record<string, Meaning>> = {
  CLOSE_WAIT: {
    rule: 'close-wait-leak',
    from: FEW,
    side: 'server',
    means:
      'the peer has closed and the process on this host has not: usually a descriptor that is never closed, or a worker that hangs',
    remedy: 'Find the process and why it does not close its sockets.',
    command: 'ss -tanp state close-wait',
    alternatives: ['close-wait-unaccepted'],
  },
  FIN_WAIT2: {
    rule: 'fin-wait2-stuck',
    from: MANY,
    side: 'server',
    means:
      'this host has closed and the peer has not: usually peers that leave their sockets in CLOSE_WAIT. Without a process such a socket lasts tcp_fin_timeout',
    remedy: 'Find the peers and why they do not close; a socket without a process ends by itself.',
    command: 'ss -tanpo state fin-wait-2',
    alternatives: ['long-fin-wait2'],
  },
  FIN_WAIT1: {
    rule: 'fin-unacknowledged',
    from: FEW,
    side: 'server',
    means:
      'this host has closed and the peer has not acknowledged it: usually peers that are gone, or that do not read',
    remedy: 'Look at the retransmissions and the peers they are for.',
    command: 'ss -tanio state fin-wait-1',
  },
  LAST_ACK: {
    rule: 'last-ack-stuck',
    from: FEW,
    side: 'server',
    means: 'both ends have closed and the last FIN is not acknowledged: usually peers that are gone',
    remedy: 'Look at the retransmissions and the peers they are for.',
    command: 'ss -tanio state last-ack',
  },
  CLOSING: {
    rule: 'closing-stuck',
    from: FEW,
    side: 'server',
    means: 'both ends closed at once and the last acknowledgment is missing',
    remedy: 'Look at the retransmissions and the peers they are for.',
    command: 'ss -tanio state closing',
  },
  SYN_RECV: {
    rule: 'handshake-unfinished',
    from: FEW,
    side: 'path',
    means:
      'handshakes that the clients have not finished: a SYN flood, SYN-ACKs or ACKs that do not arrive, or a full accept queue',
    remedy: 'Look at where they come from, and at the accept queue of the listener (`ss -ltn`).',
    command: 'ss -tano state syn-recv',
    alternatives: ['accept-queue-overflow-ack'],
  },
  SYN_SENT: {
    rule: 'unanswered-syn',
    from: FEW,
    side: 'client',
    means: 'connection attempts of this host that nobody has answered yet',
    remedy: 'Look at which servers they are for, and capture there.',
    command: 'ss -tanp state syn-sent',
  },
  orphaned: {
    rule: 'memory-pressure-reset',
    from: 1000,
    side: 'server',
    means:
      'no process holds them and they still close: above net.ipv4.tcp_max_orphans the kernel resets such connections',
    remedy: 'Find the process that closes many connections whose peers do not answer.',
    command: 'ss -tanpo state fin-wait-1 state last-ack state closing',
    alternatives: ['fin-unacknowledged'],
  },
  TIME_WAIT: {
    rule: 'time-wait-pileup',
    from: MANY,
    side: 'server',
    means:
      'this host closed first; each lasts 60 s on Linux and is normal. It matters where ports toward one server run out (about 28,000), or tcp_max_tw_buckets is reached',
    remedy: 'Count them by peer. Reuse connections where one server has most of them.',
    command: 'ss -tan state time-wait',
  },
};

/** The last count of each state. */
export function manyInState(world: World): Sign[] {
  const latest = new Map<string, StateCountEvent>();
  for (const e of world.context.stateCounts) latest.set(e.state, e);
  return [...latest.values()].flatMap((e) => sign(world, e) ?? []);
}

function sign(world: World, e: StateCountEvent): Sign | null {
  const meaning = MEANS[e.state];
  if (!meaning || e.count < meaning.from) return null;
  const { rule, side, means, remedy, command, alternatives = [] } = meaning;
  const host = world.hostName(e.source);
  return {
    rule,
    confidence: 'possible',
    severity: rule === 'time-wait-pileup' ? 'info' : 'warning',
    side,
    moment: world.momentOf(e),
    summary: `${number(e.count)} sockets${host && ` of ${host}`} were ${e.state === 'orphaned' ? '' : 'in '}${e.state}: ${means}.`,
    remedy,
    evidence: [eventEvidence(world, e, `${e.count} sockets in ${e.state}`)],
    missing: [{ what: 'Which connections they are, and whose (as root)', probe: '', host, port: 0, command }],
    alternatives,
  };
}
