import { closeCall, resetReason } from '../missing.ts';
import { leading } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { capital } from '../words.ts';

export const rule: Rule = {
  id: 'disconnect-reset',
  group: 'close',
  title: 'connect(AF_UNSPEC): RST, and the descriptor stays open',
  severity: 'warning',
  happened: 'were reset by connect(AF_UNSPEC), which keeps the descriptor',
  condition:
    'The process called connect() with AF_UNSPEC on a connected socket: tcp_disconnect sends a RST, and the same socket can connect again.',
  needs: ['states', 'packets'],
  reference: 'tcp_disconnect (net/ipv4/tcp.c), connect(2)',
  explain: (f) =>
    leading(resetCandidates(f), 'disconnect-reset', (c) => ({
      summary: `${capital(sideEndpoint(f, c.side))} disconnected its socket without closing it, most likely: ${c.because}.`,
      remedy:
        'Close the socket and open a new one instead of connect(AF_UNSPEC), or shut down and read to the end of file before.',
      missing: [closeCall(c.side), resetReason(c.side)],
    })),
};
