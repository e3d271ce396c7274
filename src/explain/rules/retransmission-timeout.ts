import type { Facts } from '../facts/facts.ts';
import { PACKETS, ROWS } from '../mask.ts';
import { packetsOfPeer, stateEvents } from '../missing.ts';
import { leading } from '../procedures/candidate.ts';
import { SIDE_NAMES } from '../procedures/common.ts';
import { unanswered } from '../procedures/given-up.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Draft, Rule } from '../rule.ts';
import { capital } from '../words.ts';

export const rule: Rule = {
  id: 'retransmission-timeout',
  group: 'close',
  title: 'Given up after retransmissions without an answer',
  severity: 'error',
  happened: 'were given up after retransmissions without an answer',
  condition:
    'Data (or a FIN) went unacknowledged through tcp_retries2, tcp_orphan_retries or TCP_USER_TIMEOUT; the socket is closed. Linux sends nothing then, other systems a RST.',
  when: PACKETS | ROWS,
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
  explain: (f) => withReset(f) ?? inSilence(f),
};

const REMEDY =
  'Look at the path and the peer: a host that is gone, a firewall or NAT that forgot the connection, or large packets that do not get through (MTU) while small ones do.';

function withReset(f: Facts): Draft | null {
  return leading(resetCandidates(f), 'retransmission-timeout', (c) => ({
    summary: `${capital(c.because)}.`,
    remedy: REMEDY,
    missing: [stateEvents(c.side), ...packetsOfPeer(f)],
  }));
}

function inSilence(f: Facts): Draft | null {
  const u = unanswered(f);
  if (!u || (u.end === null && (u.isFin || u.repeats === 0))) return null;
  const side = SIDE_NAMES[u.side]!;
  const ended = u.end !== null;
  return {
    confidence: ended && u.repeats > 0 ? 'inferred' : 'possible',
    side,
    moment: u.moment,
    summary:
      `${capital(u.because)}${ended ? ', and gave the connection up' : '; it may have given up, or the capture ends before an answer'}. ` +
      'The kernel sends no RST then: the other side learns nothing.',
    remedy: REMEDY,
    evidence: u.evidence,
    missing: ended ? packetsOfPeer(f) : [stateEvents(side), ...packetsOfPeer(f)],
    alternatives: ended ? [] : ['no-socket-reset'],
  };
}
