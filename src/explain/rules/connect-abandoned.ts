import { formatEndpoint } from '../../model/address.ts';
import { CLIENT, type Transition } from '../../model/connection.ts';
import { transitionEvidence } from '../facts/evidence.ts';
import { STATES } from '../mask.ts';
import { abandoned } from '../procedures/abandoned.ts';
import type { Rule, Verdict } from '../rule.ts';
import { howMany, toServers } from '../together.ts';
import { MAYBE, span } from '../words.ts';

export const rule: Rule<'connect-abandoned', Verdict & { end: Transition }> = {
  id: 'connect-abandoned',
  group: 'syn',
  title: 'The client closed its socket before an answer reached it',
  severity: 'warning',
  happened: 'were given up by the client itself before an answer came',
  condition:
    'The process closed the socket in SYN_SENT (a timeout of its own, or its end). Neither a RST nor an ICMP error had refused it, and no RST is sent: nothing was established.',
  when: STATES,
  closes: 'unanswered',
  reference: '__tcp_close, tcp_disconnect in SYN_SENT (net/ipv4/tcp.c)',
  signatures: [
    {
      by: ['fields'],
      kernels: '5.5+ with BTF',
      claims: 'proved',
      sign: 'SYN_SENT → CLOSE with sk_err 0 and sk_shutdown 3 before the SYN was due again, and no error was reported to the socket',
    },
    {
      by: ['states'],
      kernels: '4.16+',
      claims: 'possible',
      sign: 'SYN_SENT → CLOSE in its own process, later than a refusal would come',
    },
  ],
  decide: (f) => {
    const found = abandoned(f);
    if (!found) return null;
    const { life, end, confidence } = found;
    return {
      confidence,
      side: 'client',
      moment: f.atTransition(life, end),
      evidence: [
        transitionEvidence(
          f,
          life,
          end,
          end.fields ? 'no error was set: its own process closed it' : 'in its own process',
        ),
      ],
      alternatives: confidence === 'proved' ? [] : ['unanswered-syn', 'connection-refused'],
      end,
    };
  },
  tell: (f, { end }) => {
    const by = end.comm === null ? 'its process' : `${end.comm} (${end.pid})`;
    const after = end.duration === null ? '' : `${span(end.duration)} after its SYN, `;
    const ending = end.fields?.exiting ? ', which was ending' : '';
    return {
      summary: `${f.name(CLIENT)} was ${MAYBE}closed by ${by}${ending} ${after}before an answer of ${formatEndpoint(f.case.server)} reached it.`,
      remedy:
        "Compare the client's connect timeout with the time an answer takes. If the SYN had no answer at all, find where it was lost; the closing is only the consequence.",
    };
  },
  together: (all) =>
    `${howMany(all)}${toServers(all)} were ${MAYBE}closed by the client itself before an answer reached it.`,
};
