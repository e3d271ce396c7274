import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'keep-alive-race', Candidate> = {
  id: 'keep-alive-race',
  group: 'close',
  title: 'Idle timeout of the server: a request crossed its FIN',
  severity: 'error',
  happened: 'were used again just as the server closed them as idle',
  condition:
    'A connection is kept for the next request. Its server closes it after an idle timeout; a request that was sent before the FIN arrived meets a closed socket, and a RST answers it.',
  when: MAY_BE_RESET,
  closes: 'rst',
  reference: 'RFC 9112 §9.3.1 and §9.5; tcp_rcv_state_process (TCPAbortOnData)',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'after a silence a FIN, data that do not acknowledge it, and a RST that answers the data, on a connection that had served before',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} reset the connection, ${MAYBE}because of two idle timeouts that race: ${c.because()}.`,
    remedy:
      'Make the idle timeout of the client (its connection pool, the proxy in front) shorter than that of the server, by a second and more; retry requests that are idempotent when a kept connection is reset.',
    missing: wanted('close-call', c.side),
  }),
};
