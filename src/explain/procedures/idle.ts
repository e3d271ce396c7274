/** A connection that was idle for so long that something between the hosts may have forgotten it, and a kept one that was closed as it was used. */
import { CLIENT, type KeyPacket } from '../../model/connection.ts';
import { seqDiff } from '../../model/tcp.ts';
import { NS_PER_MS } from '../../model/time.ts';
import { packetEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import {
  endsSilence,
  idleAsMapping,
  knownTimeout,
  lostAfterSilence,
  MAPPINGS,
  nameOf,
  ON_TIME,
  SERVERS,
  SHORTEST_MAPPING,
  silenceOf,
} from '../facts/idle.ts';
import type { WireFacts } from '../facts/wire.ts';
import type { WireReset } from '../facts/wire-resets.ts';
import { span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { type Make, otherSide, SIDE_NAMES } from './common.ts';
import { INITIAL_TTLS, isForeignTtl, usualTtl } from './ttl.ts';

/** A RST that nothing asked for ended a connection that nobody had used for as long as a mapping lives. */
export function resetOfIdle(f: Facts, wire: WireFacts, reset: WireReset): Candidate | null {
  const { packet, side } = reset;
  const last = lastBeforeIdle(wire, reset);
  if (!last) return null;
  const idle = packet.time - last.time;
  const known = knownTimeout(idle, MAPPINGS);
  return {
    rule: 'idle-mapping-expired',
    side: 'path',
    confidence: 'possible',
    because: () =>
      `nobody had used it for ${span(idle)}${nameOf(known)}, and then a RST came in the name of ${f.name(side)} that answers nothing`,
    moment: f.atPacket(wire, packet),
    evidence: [
      packetEvidence(f, wire, last, 'the last of both sides'),
      packetEvidence(f, wire, packet, () => `TTL ${packet.ttl}`),
    ],
  };
}

/** The last packet of both sides before such a RST; null where it is another. */
function lastBeforeIdle(wire: WireFacts, { packet, answered }: WireReset): KeyPacket | null {
  if (answered !== 'late') return null;
  const last = wire.packets[wire.packets.indexOf(packet) - 1]!;
  return packet.time - last.time >= SHORTEST_MAPPING * (2 - ON_TIME) ? last : null;
}

/** For how long nobody had used it, ns. */
export function idleTime(f: Facts): number {
  for (const wire of f.wires) {
    const reset = wire.decisiveReset;
    const last = reset && lastBeforeIdle(wire, reset);
    if (last) return reset.packet.time - last.time;
    const silence = idleAsMapping(wire);
    if (silence) return silence.idle;
  }
  return 0;
}

/** The first that was sent after a long silence got a RST. `foreign`: of another TTL than all else from there. */
export function resetAfterSilence(
  f: Facts,
  wire: WireFacts,
  { packet, side, answers, shape, disowned }: WireReset,
): { candidate: Candidate; isKnown: boolean } | null {
  const silence = idleAsMapping(wire);
  const own = wire.before(packet, side)[0];
  const asked = answers ?? wire.before(packet, otherSide(side))[0];
  // a socket that resets by itself does it whenever it likes
  if (!silence || !asked || !own || shape === 'active') return null;
  if (asked.time < silence.to - NS_PER_MS || own.time > silence.from + NS_PER_MS) return null;
  const usual = usualTtl(wire, side, packet);
  const isForeign = disowned || isForeignTtl(usual, packet.ttl);
  // as it is sent, and the other's as it arrives: in its own capture it is the host's own
  const isOwn = !isForeign && INITIAL_TTLS.includes(packet.ttl) && !INITIAL_TTLS.includes(asked.ttl);
  const known = knownTimeout(silence.idle, MAPPINGS);
  const ttl = () =>
    usual === null || usual === packet.ttl
      ? ''
      : `; the RST has TTL ${packet.ttl}, all else from there ${usual}`;
  const on = disowned ? ', which went on as if it had not sent it' : '';
  return {
    isKnown: isForeign || (known !== null && !isOwn),
    candidate: {
      rule: 'idle-mapping-expired',
      side: 'path',
      confidence: isForeign ? 'inferred' : 'possible',
      because: () =>
        `the connection had been idle for ${span(silence.idle)}${nameOf(known)}, and the first packet of ${f.name(otherSide(side))} after that got a RST in the name of ${f.name(side)}${on}${ttl()}`,
      moment: f.atPacket(wire, packet),
      evidence: [
        packetEvidence(f, wire, own, () => `TTL ${own.ttl}`),
        packetEvidence(f, wire, asked, 'after the silence'),
        packetEvidence(f, wire, packet, () => `TTL ${packet.ttl}`),
      ],
    },
  };
}

/** The first that was sent after a long silence was never acknowledged. */
export function lostAfterIdle(f: Facts): Candidate | null {
  for (const wire of f.wires) {
    const silence = f.world.captures.isOneDirection(wire.wire.source) ? null : idleAsMapping(wire);
    const sender = silence && lostAfterSilence(wire, silence);
    if (!silence || sender == null) continue;
    const again = wire.packets.filter((p) => wire.sideOf(p) === sender && p.time >= silence.to - NS_PER_MS);
    return {
      rule: 'idle-mapping-expired',
      side: 'path',
      confidence: 'possible',
      because: () =>
        `the connection had been idle for ${span(silence.idle)}${nameOf(knownTimeout(silence.idle, MAPPINGS))}, and what ${f.name(sender)} sent after that was never acknowledged`,
      moment: { source: wire.wire.source, at: f.world.context.timeline.at(wire.wire.source, silence.to) },
      evidence: again
        .slice(0, 2)
        .map((p) => packetEvidence(f, wire, p, 'after the silence, without an answer')),
    };
  }
  return null;
}

/**
 * The FIN of a server that had been idle, and a request that had not seen it, crossed; a RST answered the request. A client
 * that closes when it likes meets what its server sends of its own just so: that is no race of idle timeouts.
 */
export function keepAliveRace(
  f: Facts,
  wire: WireFacts,
  { side, answers }: WireReset,
  make: Make,
): Candidate | null {
  // which side is the server only a SYN tells
  if (side === CLIENT && wire.sawHandshake) return null;
  const fin = wire.finPacket(side);
  const silence = silenceOf(wire);
  if (!fin || !silence || !answers || answers.payload === 0 || seqDiff(answers.ack, fin.seq) > 0) return null;
  // a FIN before the silence was lost and sent again in vain, or had arrived long before
  if (fin.time <= silence.from || ![fin, answers].some((p) => endsSilence(silence, p.time))) return null;
  const peer = otherSide(side);
  const hasServed = wire.of(wire.wire.bytes, side) > 0 && wire.of(wire.wire.bytes, peer) > answers.payload;
  if (!hasServed) return null;
  const [closed, used] = [fin.time - silence.from, answers.time - silence.from];
  const known = knownTimeout(closed, SERVERS);
  const server = () => (SIDE_NAMES[side] === 'server' ? 'the server' : f.name(side));
  const because = () =>
    `${server()} closed the idle connection after ${span(closed)}${nameOf(known)}, and the next request (${answers.payload} bytes, ${span(used)} after the last packet) crossed its FIN`;
  return make('keep-alive-race', 'inferred', because);
}
