/**
 * The accept queue was full when the third packet of a handshake came (kernel-notes S-ACCEPTQ-ACK): the request stays, and
 * the server sends its SYN-ACK again to a client that believes itself connected.
 */
import { sameEndpoint } from '../../model/address.ts';
import {
  CLIENT,
  type KeyPacket,
  SERVER,
  WHY_FIRST_DATA,
  WHY_SYN_ACK,
  WHY_THIRD_ACK,
} from '../../model/connection.ts';
import type { DropEvent } from '../../model/event.ts';
import type { Evidence } from '../../model/finding.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { dropEvidence, eventEvidence, packetEvidence, reasoning, rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { ListenerFacts } from '../facts/listener.ts';
import { heldText, heldWhen, isFullLook, lookOf, type QueueLook } from '../facts/queue.ts';
import { memoised } from '../memo.ts';
import { count } from '../words.ts';
import type { Candidate } from './candidate.ts';

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

/** The third segment of the handshake, or the client's first data when it stands for it. */
export function completion(f: Facts): KeyPacket | null {
  const { wire } = f;
  return (
    wire?.packets.find(
      (p) => p.why & (WHY_THIRD_ACK | WHY_FIRST_DATA) && wire.sideOf(p) === CLIENT && !(p.flags & SYN),
    ) ?? null
  );
}

/**
 * SYN-ACKs sent when the client's ACK must have been at the server: later than the handshake took, which is at least
 * a round trip wherever the capture stands. Those before may have crossed the ACK (a SYN sent twice is answered twice).
 */
export function repeatedSynAcks(f: Facts): KeyPacket[] {
  const { wire } = f;
  const done = completion(f);
  if (!wire || !done) return [];
  const syn = wire.packets.find((p) => (p.flags & (SYN | ACK)) === SYN && wire.sideOf(p) === CLIENT);
  const synAcks = wire.packets.filter(
    (p) => p.why & WHY_SYN_ACK && (p.flags & (SYN | ACK)) === (SYN | ACK) && wire.sideOf(p) === SERVER,
  );
  const opened = syn ?? synAcks[0];
  const roundTrip = opened && opened.time < done.time ? done.time - opened.time : 0;
  return synAcks.filter((p) => p.time > done.time + roundTrip);
}

/** What speaks for a full accept queue around this connection. */
export function fullQueue(f: Facts): Evidence[] {
  const { listener } = f;
  const look = listener.fullLook;
  if (look) return [eventEvidence(f.world, look.event, `the server's ${look.event.name}: ${heldText(look)}`)];
  const full = listener.fullSight;
  if (full) {
    const note =
      full.row.acceptLimit !== null
        ? `its accept queue holds ${full.row.recvQ} of ${full.row.acceptLimit}`
        : `its accept queue holds ${full.row.recvQ}, and ${full.unaccepted.length} connections have no process`;
    return [rowEvidence(f.world, full.row, note)];
  }
  const rise = listener.rise('ListenOverflows') ?? 0;
  return rise > 0 ? [reasoning(`ListenOverflows rose by ${rise} while the files were taken`)] : [];
}

/** A SYN-ACK was repeated after the client had sent data as well: a deferred accept would have taken those. */
function insisted(f: Facts): boolean {
  const { wire } = f;
  const last = repeatedSynAcks(f).at(-1);
  if (!wire || !last) return false;
  return wire.before(last, CLIENT).some((p) => p.payload > 0);
}

const someoneInsisted = memoised((listener: ListenerFacts) => listener.notable.some(insisted));

/** The server sent its SYN-ACK again although the client had answered it. */
export const acceptQueueOverflowAck = memoised((f: Facts): Candidate | null => {
  const named = overflowDrops(f);
  const drops = f.lateSynAckDrops;
  const again = repeatedSynAcks(f);
  const refused = refusedChildren(f);
  const waiting = repeatedWhenFull(f);
  if (named.length + drops.length + again.length + refused.length + waiting.length === 0) return null;
  const queue = fullQueue(f);
  const { wire } = f;
  const evidence = [
    ...[...refused, ...waiting]
      .slice(0, 4)
      .map((l) => eventEvidence(f.world, l.event, `the server's ${l.event.name}: ${heldText(l)}`)),
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
  const inferred = queue.length > 0 || waiting.length > 0 || someoneInsisted(f.listener);
  const told = refused.length > 0 ? refused : waiting;
  return {
    rule: 'accept-queue-overflow-ack',
    side: 'server',
    confidence: named.length + refused.length > 0 ? 'proved' : inferred ? 'inferred' : 'possible',
    because: [
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
