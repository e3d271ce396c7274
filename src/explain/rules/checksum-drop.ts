import { MAY_LACK_ANSWER } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'checksum-drop', Candidate> = {
  id: 'checksum-drop',
  group: 'syn',
  title: 'Wrong checksum: SYN dropped',
  severity: 'error',
  happened: 'had a SYN dropped because its checksum was wrong',
  condition: 'The TCP or IP checksum did not fit: the segment is dropped before TCP looks for a socket.',
  when: MAY_LACK_ANSWER,
  reference: 'tcp_v4_rcv (TCP_CSUM, TcpInCsumErrors, tcp:tcp_bad_csum)',
  signatures: [
    { by: ['drops'], kernels: '5.17+', claims: 'proved', sign: 'a SYN dropped with TCP_CSUM or IP_CSUM' },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'TcpInCsumErrors rose by as many as SYNs at least',
    },
    { by: ['states', 'counters'], kernels: '4.16+', claims: 'inferred', sign: 'the same' },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f)}, ${MAYBE}because the server dropped the SYN for a wrong checksum: ${c.because()}.`,
    remedy:
      "Find who damages or miscalculates it: offloads of virtual devices (`ethtool -K DEVICE tx off` for a try), a NAT that rewrites addresses, bad memory or cables. In a capture of the sender's own host a wrong checksum is normal.",
    missing: wanted('drops', 'server'),
  }),
};
