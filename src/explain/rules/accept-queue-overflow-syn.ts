import { MAY_LACK_ANSWER } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { overflowSteps, refusedSyns } from '../procedures/silent-syn.ts';
import { attemptOf, synCandidates } from '../procedures/syn.ts';
import type { Rule } from '../rule.ts';
import { between, clients, connectionsOf, howMany, toServers } from '../together.ts';
import { count, MAYBE, number } from '../words.ts';

export const ACCEPT_REMEDY =
  'Let the server accept() faster: look for a blocked event loop or too few acceptor threads. The limit of the queue is ' +
  'the smaller of the backlog of listen() and net.core.somaxconn: raise that one and restart the service; it only helps against bursts. ' +
  '`ss -ltn` shows the queue (Recv-Q) and its limit (Send-Q).';

export const rule: Rule<'accept-queue-overflow-syn', Candidate> = {
  id: 'accept-queue-overflow-syn',
  group: 'syn',
  title: 'Accept queue full: SYN dropped',
  severity: 'error',
  happened: "had SYNs dropped because the server's accept queue was full",
  condition:
    'The accept queue held more connections than the backlog when the SYN came (sk_ack_backlog > sk_max_ack_backlog); the SYN is dropped silently, whatever tcp_abort_on_overflow says.',
  when: MAY_LACK_ANSWER,
  closes: 'unanswered',
  linuxOnly: true,
  reference: 'tcp_conn_request → sk_acceptq_is_full (net/ipv4/tcp_input.c)',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_conn_request: sk_ack_backlog above sk_max_ack_backlog when the SYN came',
    },
    {
      by: ['fields'],
      kernels: '6.2+ with BTF',
      claims: 'inferred',
      sign: 'sk_data_ready of the listener: the queue was full when the last child was put in',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'SYNs without an answer, ListenOverflows rose by as many at least',
    },
    {
      by: ['states', 'counters'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'SYN_SENT for longer than a SYN waits, and the same',
    },
    {
      by: ['packets', 'tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'SYNs without an answer, and a table with Recv-Q above Send-Q of the listener',
    },
    { by: ['tables'], kernels: 'any', claims: 'inferred', sign: 'SYN_SENT, and the same table' },
    { by: ['states', 'tables'], kernels: '4.16+', claims: 'inferred', sign: 'the same' },
  ],
  by: synCandidates,
  tell: (f, c) => ({
    summary: `${attemptOf(f)}, ${MAYBE}because the accept queue was full: ${c.because()}.`,
    remedy: ACCEPT_REMEDY,
    missing: wanted('dropped-syns', 'server'),
  }),
  together: (all) => {
    const steps = new Set(all.flatMap((e) => overflowSteps(e.facts)?.steps ?? []));
    const rise = [...steps].reduce((sum, s) => sum + s.delta, 0);
    const counted = rise > 0 ? `; ListenOverflows rose by ${number(rise)}` : '';
    const refused = connectionsOf(all).map(refusedSyns);
    const total = refused.reduce<number>((sum, n) => sum + (n ?? 0), 0);
    const syns = refused.includes(null) ? 'SYNs' : count(total, 'SYN');
    return (
      `${syns} (${howMany(all)})${toServers(all)} were dropped${between(all)}, ${MAYBE}because the accept queue was full${counted}. ` +
      `They came from ${clients(all)}.`
    );
  },
};
