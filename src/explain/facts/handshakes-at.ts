/** Handshakes at one server, as its connections show them together. */
import type { Cases } from '../../model/case.ts';
import { CLIENT, SERVER } from '../../model/connection.ts';
import { getOr } from '../../model/get-or.ts';
import { HALF_OPEN } from '../../model/outcome.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { ROWS, STATES, SYN_TROUBLE } from '../mask.ts';
import { byName, memoised } from '../memo.ts';
import type { Facts } from './facts.ts';
import type { ListenerFacts } from './listener.ts';
import { Numbers } from './numbers.ts';

/** Handshakes to measure a server's usual answer time by. */
const HANDSHAKES = 500;

/** Shortest time from a SYN to the SYN-ACK after it, ns, by the capture's Source.id in digits; null where none is whole. */
export const answerTimes = memoised(({ world, members }: ListenerFacts) =>
  byName((source) => {
    let least: number | null = null;
    for (const n of members.subarray(0, HANDSHAKES)) {
      for (const w of world.context.cases.at(n).wires) {
        if (String(w.source) !== source) continue;
        let syn: number | null = null;
        for (const p of w.keyPackets) {
          if (!(p.flags & SYN)) continue;
          if (p.flags & ACK && syn !== null)
            least = Math.min(least ?? Number.POSITIVE_INFINITY, p.time - syn);
          syn = p.flags & ACK ? null : p.time;
        }
      }
    }
    return least;
  }),
);

/** TTL of its SYN-ACKs, by the capture's Source.id in digits; null where there are none, or they differ. */
export const synAckTtl = memoised(({ world, members }: ListenerFacts) =>
  byName((source) => {
    const ttls = new Set<number>();
    for (const n of members.subarray(0, HANDSHAKES)) {
      for (const w of world.context.cases.at(n).wires) {
        if (String(w.source) !== source) continue;
        for (const p of w.keyPackets) if ((p.flags & (SYN | ACK)) === (SYN | ACK)) ttls.add(p.ttl);
      }
    }
    const [ttl] = ttls;
    // 0: of a text without it
    return ttls.size === 1 && ttl! > 0 ? ttl! : null;
  }),
);

/** Requests that are half open: rows in SYN_RECV at one look, or handshakes whose ACK no capture shows. */
export const halfOpen = memoised((l: ListenerFacts): number => {
  const { cases } = l.world.context;
  let answered = 0;
  for (const f of l.showing(SYN_TROUBLE)) {
    const outcome = cases.outcome(f.n);
    if (outcome !== 0 ? outcome === HALF_OPEN : isHalfOpen(f)) answered++;
  }
  const bySnapshot = new Map<string, number>();
  for (const f of l.showing(ROWS)) {
    for (const r of f.rows(SERVER).filter((row) => row.state === 'SYN_RECV')) {
      const key = `${r.source} ${r.snapshot}`;
      bySnapshot.set(key, (bySnapshot.get(key) ?? 0) + 1);
    }
  }
  return Math.max(answered, ...bySnapshot.values());
});

/** Of the server only SYN-ACKs, of the client only SYNs. */
function isHalfOpen({ wire }: Facts): boolean {
  return (
    wire?.sentOnlySynAcks(SERVER) === true &&
    wire.of(wire.wire.packets, CLIENT) === wire.of(wire.wire.syns, CLIENT)
  );
}

/** Times of the SYN-ACKs by capture. */
export const synAckTimes = memoised(({ world, members }: ListenerFacts) => {
  const bySource = new Map<number, Numbers>();
  for (const n of members) addSynAcks(world.context.cases, n, bySource);
  return bySource;
});

function addSynAcks(cases: Cases, n: number, bySource: Map<number, Numbers>): void {
  if (cases.outcome(n) !== 0) {
    const [source] = cases.captures.keys();
    const times = getOr(bySource, source!, () => new Numbers());
    cases.synAcks(n, (time) => times.push(time));
    return;
  }
  for (const w of cases.at(n).wires) {
    if (w.synAcks[SERVER] === 0) continue;
    const times = getOr(bySource, w.source, () => new Numbers());
    for (const p of w.keyPackets) if ((p.flags & (SYN | ACK)) === (SYN | ACK)) times.push(p.time);
  }
}

/** Most of them under way at one time, as far as logs of state events show. */
export const concurrentHandshakes = memoised((l: ListenerFacts): number => {
  const moments: { source: number; line: number; step: 1 | -1 }[] = [];
  for (const f of l.showing(STATES)) {
    const life = f.life(CLIENT);
    const birth = life?.life.transitions.find((t) => t.to === 'SYN_SENT');
    // the line itself may be lost: whatever comes next ends the state
    const end = life?.life.transitions[1];
    if (!life || !birth || !end) continue;
    const { source } = life.life;
    moments.push({ source, line: birth.line, step: 1 }, { source, line: end.line, step: -1 });
  }
  moments.sort((a, b) => a.source - b.source || a.line - b.line);
  let [now, most] = [0, 0];
  for (const { step } of moments) {
    now += step;
    most = Math.max(most, now);
  }
  return most;
});
