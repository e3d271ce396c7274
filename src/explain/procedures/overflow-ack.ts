/**
 * The accept queue was full when the third packet of a handshake came (kernel-notes S-ACCEPTQ-ACK): the request stays, and
 * the server sends its SYN-ACK again to a client that believes itself connected.
 */
import { sameEndpoint } from '../../model/address.ts';
import { SERVER } from '../../model/connection.ts';
import type { DropEvent } from '../../model/event.ts';
import {
  type Citation,
  dropEvidence,
  eventEvidence,
  packetEvidence,
  reasoning,
  rowEvidence,
} from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { repeatedSynAcks, takenAtFirstData } from '../facts/handshake.ts';
import type { ListenerFacts } from '../facts/listener.ts';
import { heldText, heldWhen, isFullLook, lookOf, type QueueLook } from '../facts/queue.ts';
import { memoised } from '../memo.ts';
import { count } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { droppedSyn } from './drop-events.ts';
import { listenersBeside, refusedBy } from './shared-counters.ts';

/** The server's kernel named the overflow itself (6.15+). */
function overflowDrops(f: Facts): DropEvent[] {
  return f.drops.filter((d) => d.reason?.name === 'TCP_LISTEN_OVERFLOW' && sameEndpoint(d.to, f.case.server));
}

/** A probe saw an ACK of it find no room; of a cookie's ACK cookie-overflow-reset tells. */
function refusedChildren(f: Facts): QueueLook[] {
  if (f.probes.of('cookie-check').length > 0) return [];
  return f.probes
    .of('child-refused')
    .map((e) => lookOf(f.world, e))
    .filter((look) => look !== null)
    .filter(isFullLook);
}

/** The SYN-ACK was repeated for a request whose ACK had come, while the accept queue was full. */
function repeatedWhenFull(f: Facts): QueueLook[] {
  return f.probes
    .of('synack-retransmit')
    .filter((e) => e.values.acked === 1)
    .map((e) => lookOf(f.world, e))
    .filter((look) => look !== null)
    .filter(isFullLook);
}

/** What speaks for a full accept queue around this connection. */
export function fullQueue(f: Facts): Citation[] {
  const { listener } = f;
  const look = listener.fullLook;
  if (look)
    return [eventEvidence(f.world, look.event, () => `the server's ${look.event.name}: ${heldText(look)}`)];
  const full = listener.fullSightOf(f);
  if (full) {
    const note = () =>
      full.row.acceptLimit !== null
        ? `its accept queue holds ${full.row.recvQ} of ${full.row.acceptLimit}`
        : `its accept queue holds ${full.row.recvQ}, and ${full.unaccepted.length} connections have no process`;
    return [rowEvidence(f.world, full.row, note)];
  }
  const rise = f.rise(SERVER, 'ListenOverflows', [f.extent]);
  if (!rise || rise.sum === 0 || !rise.timed || raisedByOthers(listener)) return [];
  return [reasoning(() => `ListenOverflows rose by ${rise.sum} while the handshake waited`)];
}

/** Another listener of the host was seen full, or the SYNs that others refused account for all of the rise. */
const raisedByOthers = memoised((listener: ListenerFacts): boolean => {
  const others = listenersBeside(listener);
  if (others.some((o) => o.fullLook !== null || o.fullSight !== null)) return true;
  const refused = others.reduce((sum, o) => sum + refusedBy(o).least, 0);
  return refused > 0 && refused >= (listener.rise('ListenOverflows') ?? 0);
});

/**
 * Something else shows why the SYN-ACK was sent again: netfilter dropped the ACKs; the request had not got one, or had and
 * there was room; or the first data were taken at once, as TCP_DEFER_ACCEPT has it.
 */
function hasOtherReason(f: Facts): boolean {
  if (droppedSyn(f, null).some((c) => c.rule === 'netfilter-drop')) return true;
  const looks = f.probes.of('synack-retransmit').map((event) => ({ event, look: lookOf(f.world, event) }));
  const excluded = ({ event, look }: (typeof looks)[number]) =>
    event.values.acked === 0 || (event.values.acked === 1 && look !== null && !isFullLook(look));
  if (looks.length > 0 && looks.every(excluded)) return true;
  return takenAtFirstData(f) !== null && fullQueue(f).length === 0;
}

/** The server sent its SYN-ACK again although the client had answered it. */
export const acceptQueueOverflowAck = memoised((f: Facts): Candidate | null => {
  const named = overflowDrops(f);
  const drops = f.lateSynAckDrops;
  const again = repeatedSynAcks(f);
  const refused = refusedChildren(f);
  const waiting = repeatedWhenFull(f);
  if (named.length + drops.length + again.length + refused.length + waiting.length === 0) return null;
  if (named.length + refused.length + waiting.length === 0 && hasOtherReason(f)) return null;
  const queue = fullQueue(f);
  const { wire } = f;
  const evidence = [
    ...[...refused, ...waiting]
      .slice(0, 4)
      .map((l) => eventEvidence(f.world, l.event, () => `the server's ${l.event.name}: ${heldText(l)}`)),
    ...named.map((d) => dropEvidence(f.world, d)),
    ...drops.map((d) =>
      dropEvidence(f.world, d, 'the server sent its SYN-ACK again, so it had not taken the ACK'),
    ),
    ...again
      .slice(0, 3)
      .map((p) => packetEvidence(f, wire!, p, 'sent again although the client had answered')),
    ...queue,
  ];
  const times = drops.length + again.length;
  // packets alone admit a deferred accept, a firewall and a lossy path as well
  const inferred = queue.length > 0 || waiting.length > 0;
  const told = refused.length > 0 ? refused : waiting;
  return {
    rule: 'accept-queue-overflow-ack',
    side: 'server',
    confidence: named.length + refused.length > 0 ? 'proved' : inferred ? 'inferred' : 'possible',
    because: () =>
      [
        times > 0
          ? `${count(times, 'SYN-ACK')} came after the client had completed the handshake`
          : named.length > 0
            ? 'the kernel dropped the client’s ACK with reason TCP_LISTEN_OVERFLOW'
            : '',
        refused.length > 0 ? heldWhen(refused, 'ACK') : '',
        refused.length === 0 && waiting.length > 0
          ? `${heldText(waiting.at(-1)!)} when its SYN-ACK was sent again`
          : '',
      ]
        .filter(Boolean)
        .join('; '),
    moment:
      again[0] && wire ? f.atPacket(wire, again[0]) : f.atEvent((named[0] ?? drops[0] ?? told[0]?.event)!),
    evidence,
  };
});
