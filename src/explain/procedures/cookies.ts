/**
 * Which connections of a listener were made by a SYN cookie (kernel-notes S-SYNQ-COOKIE): from the window with which
 * their sockets were cloned. Nothing in the packets of a cookie handshake itself says so when timestamps are on.
 */
import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import { ACK, RST, SYN } from '../../model/tcp.ts';
import { type Citation, packetEvidence, reasoning, rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { ListenerFacts } from '../facts/listener.ts';
import type { WireFacts } from '../facts/wire.ts';
import { memoised } from '../memo.ts';
import { count } from '../words.ts';

export interface CookieChild {
  facts: Facts;
  packet: KeyPacket;
  window: number;
  siblingsWindow: number;
  siblings: number;
  evidence: Citation[];
}

/** A window that a server's socket advertised, and how many bytes it had received by then. */
interface Sight {
  facts: Facts;
  wire: WireFacts;
  packet: KeyPacket;
  received: number;
}

/** Children of a listener that carry the cookie window; empty when the windows do not fall in two groups. */
export const cookieChildren = memoised(findCookieChildren);

/** True when the listener is known to have sent cookies: by its counters or by the children they made. */
export function cookiesInUse(listener: ListenerFacts): boolean {
  return (
    (listener.rise('SyncookiesSent') ?? 0) > 0 ||
    (listener.rise('TCPReqQFullDoCookies') ?? 0) > 0 ||
    cookieChildren(listener).size > 0
  );
}

/**
 * A normal child advertises what its request had reserved; a cookie child's window is computed anew and comes out a
 * little smaller (cookie_v4_check). Compared are children that had received the same bytes. Either the counters
 * tell of cookies, or the SYN queue must have been able to fill: more handshakes at once than the accept limit (its
 * length is the same), and then the smaller group must be the minority.
 */
function findCookieChildren(listener: ListenerFacts): Map<number, CookieChild> {
  const found = new Map<number, CookieChild>();
  const counted = listener.rise('SyncookiesRecv') ?? 0;
  const limit = listener.acceptLimit;
  const couldFill = limit !== null && listener.concurrentHandshakes > limit;
  if (counted === 0 && !couldFill) return found;
  const all = listener.notable.flatMap(sightOf);
  for (const received of new Set(all.map((s) => s.received))) {
    const sights = all.filter((s) => s.received === received);
    const windows = [...new Set(sights.map((s) => s.packet.window))].sort((a, b) => a - b);
    if (windows.length !== 2) continue;
    const small = sights.filter((s) => s.packet.window === windows[0]);
    const large = sights.filter((s) => s.packet.window === windows[1]);
    const convincing =
      counted > 0 ? small.length <= counted : small.length < large.length && large.length > 1;
    if (!convincing) continue;
    for (const s of small) {
      found.set(s.facts.n, {
        facts: s.facts,
        packet: s.packet,
        window: windows[0]!,
        siblingsWindow: windows[1]!,
        siblings: large.length,
        evidence: evidenceOf(s, large[0]!, listener, counted),
      });
    }
  }
  return found;
}

function evidenceOf(own: Sight, other: Sight, listener: ListenerFacts, counted: number): Citation[] {
  const evidence = [
    packetEvidence(
      own.facts,
      own.wire,
      own.packet,
      () => `its window is the smaller one, ${own.packet.window}`,
    ),
    packetEvidence(
      other.facts,
      other.wire,
      other.packet,
      () => `an ordinary child to compare, with ${other.packet.window}`,
    ),
  ];
  if (counted > 0)
    return [...evidence, reasoning(() => `SyncookiesRecv rose by ${counted} while the files were taken`)];
  const full = listener.fullSight;
  evidence.push(
    reasoning(
      () =>
        `${count(listener.concurrentHandshakes, 'handshake')} were under way at once; this listener's queues take ` +
        `${listener.acceptLimit} before the SYN queue counts as full and cookies are sent instead`,
    ),
  );
  if (full) evidence.push(rowEvidence(listener.world, full.row));
  return evidence;
}

/** The first window of the server's socket: after a handshake that the capture shows, else in its RST. */
function sightOf(f: Facts): Sight[] {
  const { wire } = f;
  if (!wire) return [];
  const isn = wire.of(wire.wire.isn, CLIENT);
  if (isn !== null) {
    const packet = wire.packets.find(
      (p) => wire.sideOf(p) === SERVER && p.flags & ACK && !(p.flags & (SYN | RST)),
    );
    return packet ? [{ facts: f, wire, packet, received: (packet.ack - isn - 1) | 0 }] : [];
  }
  const reset = wire.decisiveReset;
  const row = f.rows(SERVER).findLast((r) => r.state !== 'SYN_RECV');
  if (!reset || !row || reset.side !== SERVER || reset.shape !== 'active') return [];
  return [{ facts: f, wire, packet: reset.packet, received: row.recvQ }];
}
