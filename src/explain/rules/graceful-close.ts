import { gracefulClose } from '../procedures/graceful.ts';
import type { Rule } from '../rule.ts';
import { capital, count } from '../words.ts';

export const rule: Rule = {
  id: 'graceful-close',
  group: 'close',
  title: 'Closed in good order',
  severity: 'info',
  happened: 'were closed in good order',
  condition: 'Both sides sent FIN and both FINs were acknowledged.',
  needs: ['states', 'packets'],
  reference: 'RFC 9293 §3.6; tcp_close_state, tcp_fin',
  explain: (f) => {
    const close = gracefulClose(f);
    return (
      close && {
        ...close,
        summary: `${capital(close.summary)}.`,
        remedy: '',
      }
    );
  },
  together: (all, more) =>
    `${capital(count(all.length + more, 'connection'))} ended in good order, with a FIN from both sides.`,
};
