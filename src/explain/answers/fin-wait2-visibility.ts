import { count, spans } from '../words.ts';
import type { Answerer } from './index.ts';

/** Raised by closings that left FIN_WAIT2 in microseconds although a table or the peer shows that it went on. */
export const finWait2Visibility: Answerer = (world, explained) => {
  const held = explained.filter(
    (e) => e.rule.id === 'fin-wait2-in-minisock' && e.finding.confidence !== 'possible',
  );
  if (held.length === 0) return null;
  const stays = held.flatMap((e) => e.facts.lives.map((l) => l.finWait2)).filter((n) => n !== null);
  const rows = held.filter((e) => e.facts.case.rows.some((r) => r.state === 'FIN_WAIT2')).length;
  const timeout = world.sysctl('net.ipv4.tcp_fin_timeout');
  const here = [
    stays.length > 0
      ? `Here the state events give ${spans(stays)}`
      : 'Here the full sockets were gone at once',
    rows > 0
      ? `, and a socket table still showed ${count(rows, 'of these connections', 'of these connections')} in FIN_WAIT2.`
      : '.',
  ].join('');
  return {
    question:
      'Why do state events (tcpstates) show FIN_WAIT2 for microseconds, when netstat shows it for up to a minute?',
    answer:
      'They watch two different objects. When a process has closed and its FIN is acknowledged, the kernel does not keep the socket for FIN_WAIT2: ' +
      'tcp_time_wait() copies the little that is needed into a timewait socket with substate FIN_WAIT2 and closes the socket at once. ' +
      'The tracepoint sees only the socket, FIN_WAIT2 → CLOSE within microseconds; no tracepoint shows the timewait socket. ' +
      "netstat and ss list the timewait socket as FIN_WAIT2 until the peer's FIN comes or tcp_fin_timeout " +
      `(${timeout === null ? '60 s by default' : `${timeout} s here`}) has passed. ${here}`,
  };
};
