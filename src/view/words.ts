/** Words that several outputs share, so that they say the same. */
import type { Confidence, Missing, Severity } from '../model/finding.ts';
import type { CauseGroup } from '../model/result.ts';
import type { ConnectionRow } from '../tables/connections.ts';
import { type Result, TIMELINE_FILE } from '../tables/result.ts';

/** As users read them; `inferred` is the word of the data. */
export const CONFIDENCE_NAMES: Record<Confidence, string> = {
  proved: 'proved',
  inferred: 'likely',
  possible: 'possible',
};

export const CONFIDENCE_WORDS: Record<Confidence, string> = {
  proved: 'the kernel said so, or no other cause fits the packets',
  inferred: 'the pattern and its context point to one cause',
  possible: 'it fits, and so do other causes',
};

export const SEVERITY_SIGNS: Record<Severity, string> = { error: '✗', warning: '!', info: 'i' };

/** `1 connection`, `12,345 connections`. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${number(n)} ${n === 1 ? noun : plural}`;
}

/** With commas between thousands. */
export function number(n: number): string {
  return n.toLocaleString('en-US');
}

const CLOSE_WORDS: Record<ConnectionRow['closeKind'], string> = {
  fin: 'closed with FIN',
  rst: 'reset',
  timeout: 'timed out without a RST',
  refused: 'refused',
  unanswered: 'unanswered',
  open: 'still open at the end of the evidence',
  unknown: 'end unknown',
};

/** How a connection ended, and who ended it: `reset, by the server`. */
export function endingOf(row: Pick<ConnectionRow, 'closeKind' | 'closedBy' | 'resetBy'>): string {
  const who = row.closeKind === 'rst' && row.resetBy !== '' ? row.resetBy : row.closedBy;
  const names: Record<string, string> = {
    client: ', by the client',
    server: ', by the server',
    both: ', by both at once',
    middle: ', by something on the path',
  };
  return `${CLOSE_WORDS[row.closeKind]}${names[who] ?? ''}`;
}

/** Connections of a cause by confidence, strongest first: `4 inferred, 1 possible`. */
export function confidenceCounts(cause: CauseGroup, result: Result): [Confidence, number][] {
  const ids: Record<Confidence, Set<string>> = {
    proved: new Set(),
    inferred: new Set(),
    possible: new Set(),
  };
  for (const f of result.findings) if (f.rule === cause.rule) ids[f.confidence].add(f.connection);
  const isFound = ids.proved.size + ids.inferred.size + ids.possible.size > 0;
  // a normal close is no finding: where they are not counted already, the rows have it
  if (!isFound && !cause.unlisted)
    for (const { id, closeRule, closeConfidence } of result.connections)
      if (closeRule === cause.rule && closeConfidence !== '') ids[closeConfidence].add(id);
  const counts = (['proved', 'inferred', 'possible'] as const).map((c): [Confidence, number] => [
    c,
    ids[c].size + (cause.unlisted?.confidences[c] ?? 0),
  ]);
  return counts.filter(([, n]) => n > 0);
}

/** `likely`, or `4 likely, 1 possible`. */
export function sureness(cause: CauseGroup, result: Result): string {
  const counts = confidenceCounts(cause, result);
  return counts
    .map(([c, n]) => (counts.length === 1 ? CONFIDENCE_NAMES[c] : `${number(n)} ${CONFIDENCE_NAMES[c]}`))
    .join(', ');
}

/** Connections that share a cause, listed or only counted. */
export function sharing({ connections, unlisted }: CauseGroup): number {
  return connections.length + (unlisted?.connections ?? 0);
}

/** Connections with a finding above info that are counted and not listed, those of several causes several times. */
export function unlistedWarnings({ causes }: Pick<Result, 'causes'>): number {
  const graver = causes.filter((c) => c.severity !== 'info');
  return graver.reduce((sum, c) => sum + (c.unlisted?.connections ?? 0), 0);
}

/** All connections that were analysed and told of. */
export function allOf({ connections, unlisted }: Result): number {
  return connections.length + (unlisted?.connections ?? 0);
}

/** What many findings miss, each thing once, in the order of first sight: what, and the command that records it where. */
export function missingWords(lists: readonly (readonly Missing[])[]): string[] {
  const asked = new Map<string, { hosts: Set<string>; commands: Set<string> }>();
  for (const { what, host, command } of lists.flat()) {
    const known = asked.get(what) ?? { hosts: new Set(), commands: new Set() };
    known.hosts.add(host);
    known.commands.add(command);
    asked.set(what, known);
  }
  return [...asked].map(([what, { hosts, commands }]) => {
    const [[host], [command]] = [[...hosts], [...commands]];
    if (command === '') return `${what}.`;
    const where = hosts.size === 1 ? host : `each of ${counted(hosts.size, 'host')}`;
    if (where === '') return `${what}. To show it: \`${command}\``;
    const others = commands.size > 1 ? `, and for ${counted(commands.size - 1, 'other port')}` : '';
    return `${what}. To record it on ${where}: \`${command}\`${others}`;
  });
}

/** Where the timeline counts connections instead of listing them: what a chart of it shows. */
export function shareShown({ aggregated = [] }: Result): string[] {
  return aggregated
    .filter((a) => a.file === TIMELINE_FILE)
    .map((a) => `from ${number(a.listed)} of ${number(a.of)} connections with a finding above info`);
}

/** Ids in short: `c1, c2, c3 and 97 more`, or `97 connections` where none is listed; `of`: how many there are in all. */
export function someOf(ids: readonly string[], of = ids.length, limit = 8): string {
  if (ids.length === 0) return counted(of, 'connection');
  const shown = ids.slice(0, limit);
  return of > shown.length ? `${shown.join(', ')} and ${number(of - shown.length)} more` : shown.join(', ');
}
