/** Words about SYNs that a RST answered: for findings, and for rows without any. */
import { type Wanted, wanted } from '../missing.ts';
import type { RuleId } from '../rules/index.ts';
import { MAYBE } from '../words.ts';

export const REFUSED_BECAUSE =
  'a SYN was answered with a RST: no socket listens there, or a firewall rejects with a RST';

/** Of the RST, and of the packet before it. */
export const AN_ANSWER = 'no window, no options: an answer to a packet, not from a socket';
export const ANSWERED = 'the packet it answers';

export const REFUSAL_REMEDY =
  'Check with `ss -ltn` on the server that something listens on that very address and port (127.0.0.1 alone is not enough), in the right network namespace, ' +
  'and that the service was not just restarting. A firewall rule with REJECT --reject-with tcp-reset looks the same: look at its counters.';

export const REFUSAL_MISSING: readonly Wanted[] = wanted('reset-reason', 'server');

/** What else can send it. */
export const REFUSAL_CAUSES: readonly RuleId[] = ['netfilter-drop', 'middlebox-reset'];

/** `server`, `client`: endpoints as text. */
export function refusalSummary(server: string, client: string, because = REFUSED_BECAUSE): string {
  return `${server} ${MAYBE}refused the connection from ${client}: ${because}.`;
}
