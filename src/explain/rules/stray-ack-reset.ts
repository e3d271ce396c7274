import { formatEndpoint } from '../../model/address.ts';
import { SERVER } from '../../model/connection.ts';
import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'stray-ack-reset', Candidate> = {
  id: 'stray-ack-reset',
  group: 'close',
  title: 'Stray ACK reached the listener: RST',
  severity: 'warning',
  happened: 'were reset because an ACK reached only the listener',
  condition:
    'An ACK matched no connection, open or half-open, only a listening socket, and was no valid SYN cookie.',
  when: MAY_BE_RESET,
  closes: 'rst',
  linuxOnly: true,
  reference: 'tcp_v4_do_rcv in LISTEN, cookie_v4_check, RFC 9293 §3.10.7.2',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'a bare RST answers a lone segment to a port that listens',
    },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${f.name(SERVER)} reset the ACK of ${formatEndpoint(f.case.client)}, ${MAYBE}because it reached only the listener: ${c.because()}.`,
    remedy:
      'Run `nstat -az TcpExtSyncookiesFailed TcpExtListenDrops TcpExtEmbryonicRsts` on the server twice while it happens: SyncookiesFailed rises where ACKs carry a wrong or expired cookie; where none rises, look for scans.',
    missing: [...wanted('reset-reason', 'server'), ...wanted('cookie-check', 'server')],
  }),
};
