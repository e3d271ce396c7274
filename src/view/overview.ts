/** The first screen: one model of it, which page, Markdown and terminal draw each in its own way. */

import { formatSpan } from '../align/format-time.ts';
import { moment, serversCounted } from '../explain/words.ts';
import type { Incident } from '../model/incident.ts';
import type { ClockLabel } from '../model/time.ts';
import type { Result } from '../tables/result.ts';
import type { Focus } from './focus.ts';
import { type Ladder, ladderOf } from './ladder.ts';
import { type Strip, stripOf } from './strip.ts';
import { allOf, CONFIDENCE_NAMES, CONFIDENCE_WORDS, counted, number } from './words.ts';

/** Incidents shown with everything; of the others a line each, up to a limit. */
const SHOWN = 3;
const OTHERS = 8;
const SERVERS = 5;
/** Steps of an example connection, where there is no axis to draw: with what divides them 16 lines. */
const STEPS = 14;

/** The diagnostic that says what a flight recorder was triggered by. */
const TRIGGERED = 'capture-triggered';

export interface Overview {
  /** What happened in one sentence; of several incidents how many there are. */
  headline: string;
  /** Connections were looked at and answered, and nothing was wrong. */
  isFine: boolean;
  incidents: IncidentView[];
  /** The next ones in short. */
  others: Incident[];
  /** How many are not even named. */
  more: number;
  /** Connections that had no problem: a line each of so many servers, and one for the others. */
  healthy(servers?: number): string[];
  /** What was looked at. */
  looked: string;
  /** What is missing in it; '' where it is whole. */
  incomplete: string;
  /** What made a flight recorder write its bundles, and when; '' where none did. */
  triggered: string;
}

export interface IncidentView {
  incident: Incident;
  /** `When`, `Who`, `Affected`, `Do this`, `Confidence`: those that are known. */
  facts: { label: string; text: string }[];
  /** Its causes, and when each of them met connections; null where it is one at one moment. */
  strip: Strip | null;
  /** In place of it: an example connection step by step. */
  ladder: Ladder | null;
}

export function overviewOf(focus: Focus): Overview {
  const { result } = focus;
  const { incidents } = result;
  const lost = result.diagnostics.filter((d) => d.severity !== 'info').length;
  return {
    headline: headlineOf(result, lost > 0),
    isFine: incidents.length === 0 && allOf(result) > 0 && unansweredOf(result) === 0,
    incidents: incidents.slice(0, SHOWN).map((i) => viewOf(i, focus)),
    others: incidents.slice(SHOWN, SHOWN + OTHERS),
    more: Math.max(0, incidents.length - SHOWN - OTHERS),
    healthy: (servers = SERVERS) => healthyOf(result, servers),
    looked: lookedAt(result),
    incomplete: [
      ...(result.cut === undefined ? [] : [result.cut]),
      ...(lost === 0 ? [] : [`Incomplete input: ${counted(lost, 'kind')} of loss or damage.`]),
    ].join(' '),
    triggered: result.diagnostics
      .filter((d) => d.code === TRIGGERED)
      .map((d) => d.message)
      .join(' '),
  };
}

function headlineOf(result: Result, isCut: boolean): string {
  const { incidents, story } = result;
  if (incidents.length === 1) return incidents[0]!.headline;
  if (incidents.length > 1) return `${counted(incidents.length, 'problem')} found, the gravest first.`;
  if (allOf(result) === 0) return story[0] ?? 'No TCP connection was found in these files.';
  const unanswered = unansweredOf(result);
  if (unanswered > 0)
    return `These files do not show what became of ${number(unanswered)} of ${counted(allOf(result), 'connection')}, nor the cause of a problem.`;
  return isCut ? 'No problems found in what could be read.' : 'No problems found.';
}

/** Neither hurt nor well: a SYN_SENT in a table, or a SYN or SYN-ACK at the end of a capture, which may still be answered. */
function unansweredOf({ servers }: Result): number {
  return servers.reduce((n, s) => n + s.connections - s.hurt - s.well, 0);
}

function viewOf(incident: Incident, focus: Focus): IncidentView {
  const strip = stripOf(incident);
  const steps = focus.timeline.get(incident.example)?.length ?? 0;
  const isDrawn = strip.axis === null && focus.rows.has(incident.example) && steps > 1;
  return {
    incident,
    facts: factsOf(incident, focus.result),
    strip: strip.axis !== null || strip.rows.length > 1 ? strip : null,
    ladder: isDrawn ? ladderOf(focus, incident.example, STEPS) : null,
  };
}

function factsOf(i: Incident, { causes, inputs }: Result): { label: string; text: string }[] {
  const isTimeless = inputs.every(({ first }) => first === '');
  return [
    { label: 'When', text: when(i) || (isTimeless ? 'unknown: no time is shown in these files' : '') },
    { label: 'Who', text: i.who.join('; ') },
    { label: 'Affected', text: hurt(i) },
    { label: 'Do this', text: i.action },
    { label: 'Confidence', text: sure(i) },
    { label: 'Recorded', text: causes.find((c) => c.rule === i.cause.rule)?.settled?.join(' ') ?? '' },
  ].filter((f) => f.text !== '');
}

const CLOCKS: Record<ClockLabel, string> = {
  utc: '',
  wall: ' by the local clock of the logs',
  // of a file that counts from its start, or from the boot
  relative: ' by the clock of the file',
  order: '',
};

function when({ since, until, clock, lasted }: Incident): string {
  if (since === '') return '';
  const [from, to] = [moment(since), moment(until, since.slice(0, 10) !== until.slice(0, 10))];
  if (lasted === null || lasted === 0 || from === moment(until)) return `${from}${CLOCKS[clock]}`;
  return `${from.replace(/ UTC$/, '')} to ${to}${CLOCKS[clock]} (${formatSpan(lasted * 1e9)})`;
}

function hurt({ connections, of, clients, ofClients }: Incident): string {
  if (connections === 0) return '';
  const from =
    clients === ofClients
      ? counted(clients, 'client')
      : `${number(clients)} of ${counted(ofClients, 'client')}`;
  return `${number(connections)} of ${counted(of, 'connection')}, from ${from}`;
}

function sure({ confidence }: Incident): string {
  if (confidence === null) return '';
  return `${CONFIDENCE_NAMES[confidence]}: ${CONFIDENCE_WORDS[confidence]}`;
}

function healthyOf({ servers }: Result, most: number): string[] {
  const well = servers.filter((s) => s.well > 0).sort((a, b) => b.unserved - a.unserved || b.well - a.well);
  const lines = well.slice(0, most).map(({ server, connections, well: fine, clients, unserved }) => {
    // whose the others are is not known: a flood has more clients than were served
    const told =
      fine === connections
        ? `${server}: ${counted(fine, 'connection')} without a problem (${counted(clients, 'client')})`
        : `${server}: ${number(fine)} of ${counted(connections, 'connection')} without a problem`;
    return told + withoutAnswer(unserved, fine);
  });
  const rest = well.slice(most);
  if (rest.length === 0) return lines;
  const sum = (of: 'well' | 'unserved') => rest.reduce((all, s) => all + s[of], 0);
  const told = `${counted(rest.length, 'more server')}: ${counted(sum('well'), 'connection')} without a problem`;
  return [...lines, told + withoutAnswer(sum('unserved'), sum('well'))];
}

function withoutAnswer(unserved: number, well: number): string {
  if (unserved === 0) return '';
  const all = well === 1 ? 'it' : 'them';
  const them = unserved === well ? all : `${number(unserved)} of these`;
  return `; the server closed ${them} first and sent no data, though its client did`;
}

const NAMED = 3;

function lookedAt(result: Result): string {
  const { inputs, servers } = result;
  // the number of a descriptor names nothing
  const names = inputs.map(({ name }) =>
    name.startsWith('/dev/') ? name : name.slice(name.lastIndexOf('/') + 1),
  );
  const more = names.length - NAMED;
  const files = [...names.slice(0, NAMED), ...(more > 0 ? [`${number(more)} more`] : [])].join(', ');
  const clock = (['utc', 'wall'] as const).find((c) =>
    inputs.some((i) => i.clockLabel === c && i.first !== ''),
  );
  const own = inputs.filter((i) => i.clockLabel === clock && i.first !== '');
  const first = own.map((i) => i.first).sort()[0];
  const last = own
    .map((i) => i.last)
    .sort()
    .at(-1);
  const span =
    clock === undefined || first === undefined || last === undefined
      ? ''
      : `, ${moment(first).replace(/ UTC$/, '')} to ${moment(last, first.slice(0, 10) !== last.slice(0, 10))}`;
  const to = servers.length > 0 ? ` to ${serversCounted(servers.map((s) => s.server))}` : '';
  return `${counted(allOf(result), 'connection')}${to} in ${files}${span}`;
}
