import { formatEndpoint } from '../../model/address.ts';
import { CLIENT, SERVER } from '../../model/connection.ts';
import type { Facts } from '../facts/facts.ts';
import { MAY_BE_RESET } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { clients, connectionsOf, howMany, measured, toServers } from '../together.ts';
import { capital, MAYBE, most, number, span } from '../words.ts';
import { ACCEPT_REMEDY } from './accept-queue-overflow-syn.ts';

export const rule: Rule<'cookie-overflow-reset', Candidate> = {
  id: 'cookie-overflow-reset',
  group: 'syn',
  title: 'SYN cookie, accept queue full: RST to a later segment',
  severity: 'error',
  happened:
    'were reset because the server had answered the SYN with a cookie and its accept queue was full when the ACK came',
  condition:
    "The SYN was answered with a cookie, so the server kept nothing; the accept queue was full when the cookie's ACK came, which is dropped silently. A later segment has another sequence number, fails the cookie check and is reset.",
  when: MAY_BE_RESET,
  closes: 'rst',
  linuxOnly: true,
  reference: 'cookie_v4_check → tcp_get_cookie_sock (net/ipv4/syncookies.c)',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'cookie_v4_check found the queue full, and a later segment is no valid cookie',
    },
    {
      by: ['packets', 'counters'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'a later segment of a handshake is reset, and cookies were sent',
    },
    {
      by: ['packets', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'the same, where other evidence excludes tcp_abort_on_overflow',
    },
    {
      by: ['states', 'counters'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'reset before anything was sent again, cookies sent, tcp_abort_on_overflow excluded',
    },
    {
      by: ['states', 'tables'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'the same with a full queue in a table',
    },
    { by: ['packets'], kernels: 'any', claims: 'possible', sign: 'a later segment of a handshake is reset' },
  ],
  namesReset: true,
  by: resetCandidates,
  tell: (f, c) => ({
    summary:
      `${f.name(SERVER)} reset the connection from ${formatEndpoint(f.case.client)}, ${MAYBE}because it had answered the SYN with a cookie ` +
      `and its accept queue was full: ${c.because()}.${unseen(f)}`,
    remedy: `${ACCEPT_REMEDY} SYN cookies do not help against a full accept queue.`,
    missing: [...wanted('cookie-check', 'server'), ...wanted('reset-reason', 'server')],
  }),
  together: (all) => {
    const { values, who } = measured(all, (f) => f.life(CLIENT)?.finWait1 ?? null);
    const waited =
      values.length === 0
        ? ''
        : ` ${capital(`${who || 'they '}got the RST at most ${span(most(values))} after the FIN.`)}`;
    const own = connectionsOf(all);
    const hidden = own.filter((f) => unseen(f) !== '').length;
    const which =
      hidden === own.length
        ? 'None of these RSTs is in a file'
        : `${number(hidden)} of these RSTs ${hidden === 1 ? 'is' : 'are'} in no file`;
    return (
      `${howMany(all)}${toServers(all)} were reset, ${MAYBE}because the server had answered the SYN with a cookie and its accept queue was full. ` +
      `They came from ${clients(all)}.${waited}${hidden > 0 ? ` ${which}; state changes of the client show ${hidden === 1 ? 'it' : 'them'}.` : ''}`
    );
  },
};

/** The RST itself may be in no file. */
function unseen(f: Facts): string {
  return f.wire?.decisiveReset || f.resetDrops.length > 0
    ? ''
    : ' No file has the RST; the state change of the client shows it.';
}
