import { CLIENT, type KeyPacket, SERVER } from '../../model/connection.ts';
import { ACK, RST, SYN, seqDiff } from '../../model/tcp.ts';
import { packetEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { WireFacts } from '../facts/wire.ts';
import { RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Rule } from '../rule.ts';
import { MAYBE, span } from '../words.ts';

export const rule: Rule<'syn-on-stale-connection'> = {
  id: 'syn-on-stale-connection',
  group: 'syn',
  title: 'SYN met an old connection of the same ports',
  severity: 'warning',
  happened: 'had their SYN meet an older connection of the same ports, which the server still held',
  condition:
    'The server still holds a connection of the same 4-tuple that the client has forgotten: it answers the SYN with a challenge ACK of the old numbers, the client resets that, and the next SYN succeeds.',
  when: RESET,
  reference: 'tcp_validate_incoming (TCPSYNChallenge), RFC 5961 §4',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a SYN answered with an ACK of other numbers, a RST to that, and the SYN again',
    },
  ],
  explain: (f) => {
    for (const wire of f.wires) {
      const seen = challenge(wire);
      if (!seen) continue;
      const { syn, ack, reset, again } = seen;
      const old = f.world.earlierLives(f).some((o) => holds(o, ack));
      const after = again
        ? `, and its SYN was taken when it came again ${span(again.time - syn.time)} later`
        : '';
      return {
        confidence: 'inferred',
        side: 'server',
        moment: f.atPacket(wire, ack),
        summary: `${f.name(SERVER)} answered the SYN of ${f.name(CLIENT)} with an ACK of other numbers, ${MAYBE}those of an older connection of the same ports that it still held; the client reset that${after}.`,
        remedy:
          'The client side lost its state without telling: a reboot, an expired NAT entry, a RST that was filtered, or source ports that are reused too soon. Keepalive on the server ends such connections; if a firewall drops the RST, the SYN is never taken.',
        evidence: [
          packetEvidence(f, wire, syn, 'the SYN'),
          packetEvidence(
            f,
            wire,
            ack,
            `a challenge ACK: it acknowledges ${ack.ack >>> 0}, not ${(syn.seq + 1) >>> 0}`,
          ),
          packetEvidence(f, wire, reset, 'the answer to it'),
          ...(again ? [packetEvidence(f, wire, again, 'the SYN again')] : []),
        ],
        missing: old ? [] : wanted('states', 'server'),
        alternatives: old ? [] : ['syn-on-time-wait'],
      };
    }
    return null;
  },
};

interface Challenge {
  syn: KeyPacket;
  ack: KeyPacket;
  reset: KeyPacket;
  again: KeyPacket | null;
}

/** SYN, an ACK that does not acknowledge it, and a RST with just the number that ACK asked for. */
function challenge(wire: WireFacts): Challenge | null {
  const { packets } = wire;
  const syn = packets.find((p) => (p.flags & (SYN | ACK)) === SYN && wire.sideOf(p) === CLIENT);
  if (!syn) return null;
  const after = packets.slice(packets.indexOf(syn) + 1);
  const ack = after.find(
    (p) =>
      wire.sideOf(p) === SERVER && (p.flags & (SYN | ACK | RST)) === ACK && seqDiff(p.ack, syn.seq + 1) !== 0,
  );
  const synAck = after.find((p) => p.flags & SYN && p.flags & ACK);
  if (!ack || (synAck && synAck.time < ack.time)) return null;
  const reset = after.find(
    (p) => p.flags & RST && wire.sideOf(p) === CLIENT && seqDiff(p.seq, ack.ack) === 0,
  );
  if (!reset) return null;
  const again = after.find((p) => p.flags & SYN && wire.sideOf(p) === CLIENT && p.time > reset.time) ?? null;
  return { syn, ack, reset, again };
}

/** The numbers of the ACK are those at which an earlier connection stood, which had not been closed. */
function holds(earlier: Facts, ack: KeyPacket): boolean {
  const { wire } = earlier;
  if (!wire) return false;
  const [sent, received] = [wire.of(wire.wire.nextSeq, SERVER), wire.of(wire.wire.nextSeq, CLIENT)];
  const open = wire.finTime(SERVER) === null;
  return (
    open &&
    sent !== null &&
    received !== null &&
    seqDiff(ack.seq, sent) === 0 &&
    seqDiff(ack.ack, received) === 0
  );
}
