/** Words about SYNs without an answer of which nothing shows where they died: for findings, and for rows without any. */
import type { Cases } from '../../model/case.ts';
import { CLIENT, SERVER } from '../../model/connection.ts';
import { UNANSWERED } from '../../model/outcome.ts';
import type { RuleId } from '../rules/index.ts';
import { capital, count, list, span } from '../words.ts';
import type { SilentSyn } from './silent-syn.ts';

export const NOWHERE = 'nothing here shows where the SYNs or their answers were lost';

/** A SYN-ACK came, or the client's socket was connected. */
export function gotSynAck(cases: Cases, n: number): boolean {
  if (cases.outcome(n) === UNANSWERED) return false;
  const { wires, lives } = cases.at(n);
  return (
    wires.some((w) => w.synAcks[CLIENT] + w.synAcks[SERVER] > 0) ||
    (lives[CLIENT]?.transitions.some((t) => t.to === 'ESTABLISHED') ?? false)
  );
}

export const FIRST_TRY = 'the first try';

export const SILENCE_REMEDY =
  'On the server run `nstat -az TcpExtListenOverflows TcpExtListenDrops TcpExtTCPReqQFullDrop` before and after one attempt, with a packet capture beside it: ' +
  'a SYN that it shows without an answer was dropped in the server (queue, firewall, rp_filter), one that it lacks was lost before, if the capture dropped nothing and covers all interfaces.';

/** What else can be the cause, likeliest first. */
export const SYN_CAUSES: readonly RuleId[] = [
  'accept-queue-overflow-syn',
  'syn-queue-full-drop',
  'netfilter-drop',
  'syn-lost-on-path',
  'syn-ack-lost-on-path',
  'syn-ack-lost-locally',
  'no-reply-route-drop',
  'syn-backlog-reserve-drop',
  'reverse-path-drop',
  'martian-drop',
  'checksum-drop',
  'other-ingress-drop',
];

export function silenceSummary(attempt: string, because = NOWHERE): string {
  return `${attempt}; ${because}.`;
}

/** `sent 7 SYNs, again after 1, 3 and 7 s`, or what a table or log shows instead; with the names of both sides. */
export function attemptText(client: string, to: string, silent: SilentSyn): string {
  if (silent.isTracked) return `Connection tracking saw ${client} call ${to}, and no answer`;
  const who = capital(client);
  const end =
    silent.answeredAfter !== null
      ? ` and was answered after ${span(silent.answeredAfter)}`
      : silent.gaveUp
        ? ' and gave up'
        : silent.isFiltered
          ? ' and the file, which holds nothing but SYNs, shows no answer'
          : ' and had no answer';
  if (silent.syns === null) {
    const again = silent.resent ? `sent its SYN again ${count(silent.resent, 'time')} and ` : '';
    return silent.answeredAfter === null && !silent.gaveUp
      ? `${who} ${again}waited in SYN_SENT for an answer of ${to}`
      : `${who} waited in SYN_SENT for ${to}${end}`;
  }
  const tries = silent.retries.map((s) => (s < 10 ? Number(s.toPrecision(2)) : Math.round(s)));
  const again = tries.length > 0 ? `, again after ${list(tries.map(String))} s` : '';
  return `${who} sent ${count(silent.syns, 'SYN')} to ${to}${again},${end}`;
}
