import { SERVER } from '../../model/connection.ts';
import { ACK, SYN, seqDiff } from '../../model/tcp.ts';
import { packetEvidence } from '../facts/evidence.ts';
import type { Rule } from '../rule.ts';

/** What tcp_timewait_state_process adds to the old connection's last number for the new one's first. */
const ISN_STEP = 65535 + 2;

export const rule: Rule = {
  id: 'syn-on-time-wait',
  group: 'syn',
  title: 'A new connection took over a TIME_WAIT of the same ports',
  severity: 'info',
  happened: 'took the place of a TIME_WAIT of the same ports',
  condition:
    'A SYN with a newer timestamp or sequence number met a minisock in TIME_WAIT of the same 4-tuple: it is taken, and the minisock ends.',
  needs: ['packets'],
  reference: 'tcp_timewait_state_process (TCP_TW_SYN, isn = tw_snd_nxt + 65535 + 2), RFC 6191',
  explain: (f) => {
    const { wire } = f;
    const isn = wire?.of(wire.wire.isn, SERVER) ?? null;
    if (!wire || isn === null) return null;
    const before = f.world.earlierLives(f.case).map((o) => o.wire);
    const old = before.find((w) => {
      const next = w?.of(w.wire.nextSeq, SERVER) ?? null;
      return next !== null && seqDiff(isn, (next + ISN_STEP) | 0) === 0;
    });
    const answer = wire.packets.find(
      (p) => (p.flags & (SYN | ACK)) === (SYN | ACK) && wire.sideOf(p) === SERVER,
    );
    if (!old || !answer) return null;
    const fin = old.finPacket(SERVER);
    return {
      confidence: 'proved',
      side: 'server',
      moment: f.atPacket(wire, answer),
      summary:
        `The SYN met the TIME_WAIT of an older connection of the same ports on ${f.name(SERVER)} and took its place: ` +
        `the server's first sequence number is the old one's last plus ${ISN_STEP}.`,
      remedy: 'Nothing to repair: the kernel reuses the ports safely.',
      evidence: [
        ...(fin ? [packetEvidence(f, old, fin, `the older connection ends at ${(fin.seq + 1) >>> 0}`)] : []),
        packetEvidence(f, wire, answer, `its sequence number is ${answer.seq >>> 0}`),
      ],
    };
  },
};
