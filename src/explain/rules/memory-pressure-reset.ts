import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { sideEndpoint } from '../procedures/common.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE } from '../words.ts';

export const rule: Rule<'memory-pressure-reset', Candidate> = {
  id: 'memory-pressure-reset',
  group: 'close',
  title: 'Too many orphaned sockets or too little TCP memory: RST at close',
  severity: 'error',
  happened: 'were reset because there were too many orphaned sockets or too little memory',
  condition: 'tcp_check_oom: more orphaned sockets than tcp_max_orphans, or TCP memory above tcp_mem.',
  when: MAY_BE_RESET,
  closes: 'rst',
  linuxOnly: true,
  reference: 'tcp_check_oom, tcp_out_of_resources (net/ipv4/tcp.c, tcp_timer.c)',
  signatures: [
    {
      by: ['log'],
      kernels: 'any',
      claims: 'proved',
      sign: '`too many orphaned sockets`, `out of memory -- consider tuning tcp_mem`',
    },
    { by: ['reasons'], kernels: '6.12+', claims: 'proved', sign: 'reason TCP_ABORT_ON_MEMORY' },
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_check_oom returned true on it, then a RST of its own',
    },
    { by: ['packets'], kernels: 'any', claims: 'possible', sign: 'RST|ACK right after its own FIN' },
  ],
  by: resetCandidates,
  tell: (f, c) => ({
    summary: `${sideEndpoint(f, c.side)} reset the connection at close, ${MAYBE}because of too many orphaned sockets or too little TCP memory: ${c.because()}.`,
    remedy:
      'Look for "too many orphaned sockets" in dmesg and at /proc/net/sockstat; raise tcp_max_orphans or tcp_mem, or lower tcp_orphan_retries.',
    missing: [...wanted('out-of-memory', c.side), ...wanted('reset-reason', c.side)],
  }),
};
