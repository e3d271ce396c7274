import { dataLostBetween, type LostData } from '../facts/crossing.ts';
import { packetEvidence, reasoning } from '../facts/evidence.ts';
import { SENT_AGAIN } from '../mask.ts';
import { otherSide } from '../procedures/common.ts';
import type { Rule, Verdict } from '../rule.ts';
import { count, MAYBE, span } from '../words.ts';

export interface Lost extends Verdict {
  lost: LostData;
}

export const rule: Rule<'data-lost-on-path', Lost> = {
  id: 'data-lost-on-path',
  group: 'stuck',
  title: 'Data lost between the two captures',
  severity: 'warning',
  happened: 'had data lost on the way, between the two captures',
  condition:
    'A segment is sent, and sent again, and none of them reaches the other capture, which was running and has all that came before.',
  when: SENT_AGAIN,
  reference: 'RFC 9293 §3.8.1, RFC 6298',
  signatures: [
    {
      by: ['captures'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'data that the capture nearer to the sender has, sent again twice or more, and the other never',
    },
  ],
  decide: (f) => {
    const lost = dataLostBetween(f);
    if (!lost) return null;
    const { side, nearer, farther, again, bytes } = lost;
    const came = farther.packets.findLast((p) => farther.sideOf(p) === side && p.payload > 0);
    return {
      lost,
      side: 'path',
      confidence: 'inferred',
      moment: f.atPacket(nearer, again[0]!),
      evidence: [
        ...again.slice(0, 2).map((p) => packetEvidence(f, nearer, p, 'sent again, in this capture only')),
        ...(came ? [packetEvidence(f, farther, came, 'in both captures')] : []),
        reasoning(() => `the other capture has nothing of the last ${count(bytes, 'byte')}`),
      ],
    };
  },
  tell: (f, { lost: { side, again, bytes } }) => ({
    summary:
      `The last ${count(bytes, 'byte')} of ${f.name(side)} were ${MAYBE}lost before ${f.name(otherSide(side))}: ` +
      `the capture nearer to ${f.name(side)} has them, sent again over ${span(again.at(-1)!.time - again[0]!.time)}, and the other capture has none of them.`,
    remedy:
      'Look at what lies between the two captures: firewalls, NATs, routes, the MTU, losses of devices (`ip -s link`). Captures at more places narrow it down.',
    missing: [],
  }),
};
