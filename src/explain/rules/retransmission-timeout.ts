import type { Facts } from '../facts/facts.ts';
import { MAY_REPEAT, RESET } from '../mask.ts';
import { peerPackets, wanted } from '../missing.ts';
import { type Candidate, leading } from '../procedures/candidate.ts';
import { type OfUnanswered, ofUnanswered, unanswered } from '../procedures/given-up.ts';
import { mayBeTooLarge } from '../procedures/path-mtu.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'retransmission-timeout', Candidate | OfUnanswered> = {
  id: 'retransmission-timeout',
  group: 'close',
  title: 'Timed out after unanswered retransmissions',
  severity: 'error',
  happened: 'timed out after unanswered retransmissions',
  condition:
    'Data (or a FIN) went unacknowledged through tcp_retries2, tcp_orphan_retries or TCP_USER_TIMEOUT; the socket is closed. Linux sends nothing then, other systems a RST.',
  when: MAY_REPEAT | RESET,
  closes: 'timeout',
  reference:
    'tcp_retransmit_timer → tcp_write_timeout → tcp_write_err (net/ipv4/tcp_timer.c), RFC 9293 §3.8.3',
  signatures: [
    {
      by: ['packets', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'retransmissions without an answer, then → CLOSE outside its process',
    },
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'inferred',
      sign: '→ CLOSE with sk_err ETIMEDOUT and no RST',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'retransmissions without an answer, then nothing, or a RST of the side that sent them',
    },
  ],
  decide: (f) => leading(resetCandidates(f), 'retransmission-timeout') ?? inSilence(f),
  tell: (f, verdict) => {
    const silent = 'found' in verdict ? verdict.found : null;
    const { because } = 'found' in verdict ? verdict.found : verdict;
    const ended = silent !== null && silent.end !== null;
    return {
      summary:
        `${because()}: it ${MAYBE}timed out${silent && !ended ? ', unless the files end before an answer' : ''}.` +
        (silent ? ' The kernel sends no RST then: the other side learns nothing.' : ''),
      remedy: silent?.shut
        ? 'Find out why the process at the other end does not read (a stack dump, Recv-Q of `ss -tanp` there). It answered until the end: the path is not the cause. TCP_USER_TIMEOUT and tcp_retries2 say how long a closed window is waited for.'
        : 'Look at the path and the peer: a host that is gone, a firewall or NAT that forgot the connection, or large packets that do not get through (MTU) while small ones do.',
      missing: ended ? peerPackets(f) : [...wanted('states', verdict.side), ...peerPackets(f)],
    };
  },
};

function inSilence(f: Facts): OfUnanswered | null {
  const u = unanswered(f);
  if (!u || (u.end === null && (u.isFin || u.repeats === 0))) return null;
  const sure = u.end !== null && (u.said || u.repeats > 0);
  return {
    ...ofUnanswered(u, sure ? 'inferred' : 'possible'),
    alternatives: [
      ...(mayBeTooLarge(f) ? (['path-mtu-black-hole'] as const) : []),
      ...(u.said || sure ? [] : (['no-socket-reset'] as const)),
    ],
  };
}
