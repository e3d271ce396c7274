import { closeCall, resetReason } from '../missing.ts';
import { leading } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { capital } from '../words.ts';

export const rule: Rule = {
  id: 'unread-data-reset',
  group: 'close',
  title: 'Closed with unread data: RST instead of FIN',
  severity: 'warning',
  happened: 'were reset because a process closed its socket with data unread',
  condition:
    'close() (or the end of the process) found bytes in the receive queue that nobody had read; the kernel then resets instead of sending FIN, because the peer must learn that its data were lost.',
  needs: ['states', 'packets'],
  reference: '__tcp_close (net/ipv4/tcp.c), RFC 2525 §2.17, RFC 9293 §3.10.4',
  explain: (f) =>
    leading(resetCandidates(f), 'unread-data-reset', (c) => ({
      summary:
        `${capital(sideEndpoint(f, c.side))} ended the connection with a RST, ${{ possible: 'possibly', inferred: 'most likely', proved: '' }[c.confidence]}`.trimEnd() +
        ` because its process closed the socket while received data were still unread: ${c.because}.`,
      remedy:
        'Let the application read to the end before it closes: shutdown(SHUT_WR), read() until it returns 0, then close(). ' +
        'An HTTP server has to read the whole request body before it answers and closes; look for early returns on errors and timeouts.',
      missing: c.confidence === 'proved' ? [] : [closeCall(c.side), resetReason(c.side)],
    })),
};
