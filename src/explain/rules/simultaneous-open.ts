import { CLIENT, type Pair, SERVER } from '../../model/connection.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { type Citation, packetEvidence, transitionEvidence } from '../facts/evidence.ts';
import { ODD_STATES, SYN_TROUBLE } from '../mask.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'simultaneous-open'> = {
  id: 'simultaneous-open',
  group: 'syn',
  title: 'Both sides connected to each other at once',
  severity: 'info',
  happened: 'were opened from both sides at the same time',
  condition:
    'A SYN without ACK came in SYN_SENT: both sides go through SYN_RECV, and no listener has a part in it.',
  when: SYN_TROUBLE | ODD_STATES,
  wireProves: true,
  reference: 'tcp_rcv_synsent_state_process, RFC 9293 §3.5',
  signatures: [
    { by: ['packets'], kernels: 'any', claims: 'proved', sign: 'both ends sent a SYN and then a SYN-ACK' },
    { by: ['states'], kernels: '4.16+', claims: 'proved', sign: 'SYN_SENT → SYN_RECV' },
  ],
  decide: (f) => {
    const { wire } = f;
    const evidence: Citation[] = [];
    for (const life of f.lives) {
      const t = life.find('SYN_SENT', 'SYN_RECV');
      if (t) evidence.push(transitionEvidence(f, life, t));
    }
    if (wire && both(wire.wire.syns) && both(wire.wire.synAcks)) {
      for (const side of [CLIENT, SERVER] as const) {
        const syn = wire.packets.find((p) => (p.flags & (SYN | ACK)) === SYN && wire.sideOf(p) === side);
        if (syn) evidence.push(packetEvidence(f, wire, syn));
      }
    }
    if (evidence.length === 0) return null;
    return { confidence: 'proved', side: 'client', moment: null, evidence };
  },
  tell: (f) => ({
    summary: `${f.name(CLIENT)} and ${f.name(SERVER)} ${MAYBE}sent each other a SYN at the same time; which of them is called the client is arbitrary.`,
    remedy:
      'No action needed. A process that connects to a port of its own ephemeral range can meet itself in this way.',
  }),
};

/** A SYN alone may be forged, or be of another attempt: both ends must have answered the other's (RFC 9293 §3.5). */
function both([client, server]: Pair<number>): boolean {
  return client > 0 && server > 0;
}
