import type { StateCountEvent } from '../../model/event.ts';
import type { World } from '../facts/world.ts';
import { list } from '../words.ts';
import type { Answerer } from './index.ts';

/** So many sockets in a state are worth a sentence; listening and established ones are a matter of load. */
const MANY = 100;
/** What a state in numbers means, whose doing it usually is, and what would show who. */
const MEANS: Readonly<Record<string, string>> = {
  CLOSE_WAIT:
    'the other side has closed, and the process on this host has not: usually a descriptor that is never closed, or a worker that hangs. `ss -tanp state close-wait` as root shows whose',
  FIN_WAIT2:
    'this host has closed and waits for the FIN of the other side, for at most tcp_fin_timeout when no process holds the socket: usually peers that do not close, which then are in CLOSE_WAIT. `ss -tanpo state fin-wait-2` shows which',
  FIN_WAIT1:
    'this host has closed, and the other side does not acknowledge it: peers that are gone, or do not read. `ss -tanio state fin-wait-1` shows retransmissions',
  SYN_RECV:
    'handshakes that the client has not finished: a SYN flood, SYN-ACKs that do not arrive, or a full accept queue. `ss -tan state syn-recv` shows from where',
  SYN_SENT: 'attempts that nobody has answered yet. `ss -tanp state syn-sent` shows to where',
  LAST_ACK:
    'the last FIN of this host is not acknowledged: peers that are gone. `ss -tanio state last-ack` shows retransmissions',
  CLOSING: 'both sides closed at once, and the last acknowledgement is missing',
  TIME_WAIT:
    'this host closed first; each lasts 60 s on Linux and is normal. It matters where ports toward one server run out, or tcp_max_tw_buckets is reached',
  orphaned: 'sockets that no process holds any more and that still close; tcp_max_orphans bounds them',
};

/** Raised by counts of sockets: which are many, what that means, and what would show whose they are. */
export const stateCounts: Answerer = (world: World) => {
  const latest = new Map<string, StateCountEvent>();
  for (const e of world.context.stateCounts) latest.set(e.state, e);
  if (latest.size === 0) return null;
  const counts = [...latest.values()].sort((a, b) => b.count - a.count);
  const all = list(counts.map((c) => `${c.count} ${c.state}`));
  const many = counts.filter((c) => c.count >= MANY && MEANS[c.state]);
  const meaning = many.map((c) => `${c.count} in ${c.state}: ${MEANS[c.state]}.`);
  const where = `${world.source(counts[0]!.source).name}, line ${counts[0]!.line}`;
  return {
    question: 'What do the counts of sockets say?',
    answer: [
      `There were ${all} (${where}).`,
      ...meaning,
      'Counts name no connection: a cause needs the table itself (`ss -tanpieo` as root), twice, some seconds apart.',
    ].join(' '),
  };
};
