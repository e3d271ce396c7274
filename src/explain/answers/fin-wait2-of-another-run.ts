import { list } from '../words.ts';
import type { Answerer } from './index.ts';

/** Raised by FIN_WAIT2 in the files: who asks why it was never seen asks about another run. */
export const finWait2OfAnotherRun: Answerer = (_world, explained) => {
  const held = explained.filter((e) => e.rule.id === 'fin-wait2-in-minisock');
  const shown = held.filter((e) => e.facts.case.rows.some((r) => r.state === 'FIN_WAIT2'));
  if (shown.length === 0) return null;
  return {
    question: 'Why was FIN_WAIT2 not seen at all in another run?',
    answer:
      `These files do show FIN_WAIT2: ${shown.length === 1 ? 'one connection' : `${shown.length} connections`} in a socket table. ` +
      'No file is of the run in which FIN_WAIT2 was not seen, so only its candidates can be named, with what tells them apart: ' +
      `${list(
        [
          'the table was read after the FIN_WAIT2 timewait socket had ended, or between two polls (snapshot-too-late: state events of the client show FIN_WAIT1 → FIN_WAIT2 → CLOSE)',
          'the server closed at once, so that its FIN came with the ACK (fin-with-ack: a capture shows one packet with both; the client goes to TIME_WAIT)',
          'the closing was cut short by a RST, as it is when the accept queue overflowed (fin-wait1-aborted: FIN_WAIT1 → CLOSE)',
          'net.ipv4.tcp_fin_timeout was small on that machine (sysctl shows it)',
          'there were more timewait sockets than tcp_max_tw_buckets, so none was made (time-wait-overflow: TCPTimeWaitOverflow rises)',
        ],
        'or',
      )}.`,
  };
};
