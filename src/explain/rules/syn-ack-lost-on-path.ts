import { SERVER } from '../../model/connection.ts';
import type { Facts } from '../facts/facts.ts';
import { MAY_LACK_ANSWER } from '../mask.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { silentSyn } from '../procedures/silent-syn.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'syn-ack-lost-on-path', Candidate> = {
  id: 'syn-ack-lost-on-path',
  group: 'syn',
  title: 'SYN-ACK lost on the way back',
  severity: 'warning',
  happened: 'had SYN-ACKs lost on the way back',
  condition:
    'The server answered, and the answer did not reach the other capture, which was running, or was dropped in a namespace between.',
  when: MAY_LACK_ANSWER,
  reference: 'kernel-notes §3, SYN timings; RFC 6298',
  signatures: [
    {
      by: ['drops'],
      kernels: '5.17+',
      claims: 'proved',
      sign: "a SYN-ACK dropped on its way out of a namespace that is not the server's: of what routes for it on the same machine",
    },
    {
      by: ['captures'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a SYN-ACK in the capture nearer to the server and not in the other',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'the first SYN-ACK in the capture came by the timer, or the SYN again after one, and an ACK after that',
    },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f, isAnswered(f))}; the SYN-ACK was ${MAYBE}lost on the way back: ${c.because()}.`,
    remedy:
      'Look at what lies on the way back, which may be another one than the way there: asymmetric routes, stateful firewalls that saw only one direction, the neighbour table of the last router.',
    missing: [],
  }),
};

/** The file has its SYN-ACK: the client got none in time. */
function isAnswered(f: Facts): boolean {
  return f.wire !== null && f.wire.of(f.wire.wire.synAcks, SERVER) > 0 && silentSyn(f) === null;
}
