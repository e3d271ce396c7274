import { CLIENT, SERVER } from '../../model/connection.ts';
import { type Challenge, challenge, takenAgain } from '../facts/challenge.ts';
import { packetEvidence } from '../facts/evidence.ts';
import { RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Rule, Verdict } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'syn-on-stale-connection', Verdict & { seen: Challenge }> = {
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
      sign: 'a SYN answered with an ACK of other numbers and a RST to that, where the files show the older connection open, or a TIME_WAIT would have taken the SYN; else possible',
    },
  ],
  decide: (f) => {
    const seen = challenge(f);
    if (!seen || seen.met === 'time-wait') return null;
    const { wire, syn, ack, reset, again } = seen;
    const open = seen.met === 'open';
    return {
      confidence: open ? 'inferred' : 'possible',
      side: 'server',
      moment: f.atPacket(wire, ack),
      evidence: [
        packetEvidence(f, wire, syn, 'the SYN'),
        packetEvidence(
          f,
          wire,
          ack,
          () => `a challenge ACK: it acknowledges ${ack.ack >>> 0}, not ${(syn.seq + 1) >>> 0}`,
        ),
        packetEvidence(f, wire, reset, 'the answer to it'),
        ...(again ? [packetEvidence(f, wire, again, 'the SYN again')] : []),
      ],
      alternatives: open ? [] : ['syn-on-time-wait'],
      seen,
    };
  },
  tell: (f, { seen }) => ({
    summary: `${f.name(SERVER)} answered the SYN of ${f.name(CLIENT)} with an ACK of other numbers, ${MAYBE}those of an older connection of the same ports that it still held; the client reset that${takenAgain(seen)}.`,
    remedy:
      'The client side lost its state without telling: a reboot, an expired NAT entry, a RST that was filtered, or source ports that are reused too soon. Keepalive on the server ends such connections; if a firewall drops the RST, the SYN is never taken.',
    missing: seen.met === 'open' ? [] : wanted('states', 'server'),
  }),
};
