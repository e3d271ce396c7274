import { formatEndpoint } from '../../model/address.ts';
import { SERVER } from '../../model/connection.ts';
import { reasoning, rowEvidence } from '../facts/evidence.ts';
import { OPEN_ROWS } from '../mask.ts';
import { wanted } from '../missing.ts';
import { isCloseWait, unaccepted } from '../procedures/unaccepted.ts';
import type { Rule } from '../rule.ts';
import { clients, howMany, toServers } from '../together.ts';
import { MAYBE, unread } from '../words.ts';

export const rule: Rule<'close-wait-unaccepted'> = {
  id: 'close-wait-unaccepted',
  group: 'stuck',
  title: 'CLOSE_WAIT in the accept queue: nobody called accept()',
  severity: 'error',
  happened: 'ended up in CLOSE_WAIT without a process, because nobody called accept()',
  condition:
    'The client connected, sent and closed while the connection was in the accept queue; without accept() no process can close it.',
  when: OPEN_ROWS,
  reference: 'tcp_fin (ESTABLISHED → CLOSE_WAIT), inet_csk_accept',
  signatures: [
    {
      by: ['tables'],
      kernels: 'any',
      claims: 'proved',
      sign: 'CLOSE_WAIT without a process, as many such rows as Recv-Q of the listener says',
    },
    {
      by: ['tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'CLOSE_WAIT without a process, and Recv-Q of the listener above 0',
    },
  ],
  decide: (f) => {
    const found = unaccepted(f);
    if (!found) return null;
    const { row, sight } = found;
    const proved = found.counted && isCloseWait(row);
    const evidence = [rowEvidence(f.world, row)];
    if (sight)
      evidence.push(rowEvidence(f.world, sight.row, () => queue(sight.row.recvQ, sight.unaccepted.length)));
    if (proved)
      evidence.push(
        reasoning('the table shows the process of the listener, so "-" means that there is none'),
      );
    return {
      confidence: proved ? 'proved' : 'inferred',
      side: 'server',
      moment: f.atEvent(row),
      evidence,
      alternatives: proved ? [] : ['close-wait-leak'],
    };
  },
  tell: (f) => ({
    summary:
      `The connection from ${formatEndpoint(f.case.client)} was in CLOSE_WAIT on ${f.name(SERVER)} without a process, ${MAYBE}because nobody had called accept()` +
      `${unread(unaccepted(f)!.row.recvQ)}.`,
    remedy:
      'Find out why the server does not call accept(), or not fast enough (a stack dump of its acceptor thread, `strace -p PID`). ' +
      'No timeout of the kernel ends such a connection.',
    missing: wanted('accepted', 'server'),
  }),
  together: (all) =>
    `${howMany(all)}${toServers(all)} ended up in CLOSE_WAIT without a process, ${MAYBE}because nobody called accept(). They came from ${clients(all)}.`,
};

function queue(recvQ: number, rows: number): string {
  return recvQ === rows
    ? `its accept queue holds ${recvQ}, as many as there are connections without a process`
    : `its accept queue holds ${recvQ}`;
}
