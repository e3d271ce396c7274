import { resetReason, stateEvents } from '../missing.ts';
import { leading } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { capital } from '../words.ts';

export const rule: Rule = {
  id: 'data-after-close-reset',
  group: 'close',
  title: 'Data arrived after the socket was closed: RST',
  severity: 'warning',
  happened: 'were reset because data came for a socket that its process had closed',
  condition:
    'In FIN_WAIT1 or FIN_WAIT2, with the receiving side shut (close(), or shutdown(SHUT_RDWR)), a segment carried new data.',
  needs: ['states', 'packets'],
  reference: 'tcp_rcv_state_process (TCP_ABORT_ON_DATA), RFC 1122 §4.2.2.13',
  explain: (f) =>
    leading(resetCandidates(f), 'data-after-close-reset', (c) => ({
      summary: `${capital(sideEndpoint(f, c.side))} reset the connection because data came after it had closed: ${c.because}.`,
      remedy:
        'The side that closes should shut down only its sending side and read until the end of file. ' +
        "Between an HTTP client and a server this is most often the race of idle timeouts: make the client's shorter than the server's.",
      missing: [resetReason(c.side), stateEvents(c.side)],
    })),
};
