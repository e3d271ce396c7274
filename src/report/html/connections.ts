/** The table of connections, and a ladder for each connection of interest. */

import { formatSpan } from '../../align/format-time.ts';
import { formatEndpoint } from '../../model/address.ts';
import type { ConnectionRow } from '../../model/result.ts';
import type { Focus } from '../focus.ts';
import { type Ladder, ladderOf, type Step, shortTime, trimTime, tupleOf } from '../ladder.ts';
import { UNPLACED } from '../ladder-text.ts';
import { endingOf, number } from '../words.ts';
import { dataTable, html, type Markup, NOTHING } from './markup.ts';
import type { Page } from './page.ts';

/** Ladders that are open from the start. */
const OPEN = 3;
const STEPS = 80;

export function connectionsTable(page: Page): Markup {
  const { connections } = page.result;
  const ladders = new Set(page.ladders);
  const day = commonDay(page.tableRows);
  const packets = connections.some((r) => r.clientPackets !== null);
  const head = [
    { text: 'id' },
    { text: 'client' },
    { text: 'server' },
    { text: 'begins' },
    { text: 'lasts', numeric: true },
    { text: 'ends' },
    { text: 'why' },
    ...(packets
      ? [
          { text: 'packets', numeric: true },
          { text: 'bytes', numeric: true },
        ]
      : []),
    { text: 'process' },
  ];
  const note =
    connections.length > page.tableRows.length
      ? html`<p class="notice">${number(page.tableRows.length)} of ${number(connections.length)} connections, those with a finding above <em>info</em> first. All of them are in connections.csv.</p>`
      : NOTHING;
  const table = dataTable(
    'Connections',
    head,
    page.tableRows.map((r) => cells(r, ladders.has(r.id), packets, day)),
  );
  const times = day !== null && html`<p class="facts">Times are UTC, of ${day}.</p>`;
  return html`${note}${times}${table}`;
}

function cells(r: ConnectionRow, hasLadder: boolean, packets: boolean, day: string | null): Markup[] {
  const rules = [...new Set([r.closeRule, r.synRule, r.finWait2Rule, r.stuckRule])].filter(
    (rule) => rule !== '',
  );
  const why = rules.map((rule) => html`<li><a href="#cause-${rule}">${rule}</a></li>`);
  const pair = (a: number | null, b: number | null) =>
    a === null && b === null ? '' : `${number(a ?? 0)} / ${number(b ?? 0)}`;
  const id = hasLadder ? html`<a href="#${r.id}">${r.id}</a>` : html`<span id="${r.id}">${r.id}</span>`;
  return [
    id,
    html`<span class="nowrap">${formatEndpoint(r.client)}</span>`,
    html`<span class="nowrap">${formatEndpoint(r.server)}</span>`,
    html`<span class="nowrap">${beginsOf(r, day !== null)}</span>`,
    html`${r.durationS === null ? '' : formatSpan(r.durationS * 1e9)}`,
    html`<span class="ends">${endingOf(r)}</span>`,
    why.length === 0 ? NOTHING : html`<ul class="plain">${why}</ul>`,
    ...(packets
      ? [html`${pair(r.clientPackets, r.serverPackets)}`, html`${pair(r.clientBytes, r.serverBytes)}`]
      : []),
    html`${processes(r)}`,
  ];
}

/** The day on which every row that has a date begins; null when there are several, or none. */
function commonDay(rows: readonly ConnectionRow[]): string | null {
  const days = new Set(rows.filter((r) => r.clock === 'utc').map((r) => r.startTime.slice(0, 10)));
  return days.size === 1 ? [...days][0]! : null;
}

/** To the microsecond. */
function beginsOf(r: ConnectionRow, dayKnown: boolean): string {
  const text = r.startTime.replace(/(\.\d{6})\d{3}(?=Z?$)/, '$1');
  if (r.clock !== 'utc') return shortTime(text);
  return dayKnown ? shortTime(text).replace('Z', '') : trimTime(text).replace('T', ' ');
}

function processes(r: ConnectionRow): string {
  const name = (comm: string, pid: number | null) =>
    comm === '' ? '' : `${comm}${pid === null ? '' : `[${pid}]`}`;
  const [client, server] = [name(r.clientComm, r.clientPid), name(r.serverComm, r.serverPid)];
  if (client === '' && server === '') return '';
  return `${client || '?'} → ${server || '?'}`;
}

export function ladderSections(page: Page): Markup {
  const ids = page.ladders;
  const of = page.telling.length;
  const note =
    of > ids.length
      ? html`<p class="notice">The ${number(ids.length)} most telling of ${number(of)} connections with a finding above <em>info</em>. All are in timeline.csv.</p>`
      : NOTHING;
  return html`${note}${ids.map((id, i) => section(ladderOf(page, id, STEPS), page, i < OPEN))}`;
}

function section(ladder: Ladder, focus: Focus, open: boolean): Markup {
  const { row } = ladder;
  const titles = (focus.findings.get(row.id) ?? [])
    .filter((f) => f.role === 'verdict')
    .map((f) => focus.title(f.rule));
  const begins = ladder.begins ? html`0 is ${ladder.begins}. ` : NOTHING;
  return html`<details class="life"${open && html` open`}>
<summary><strong>${row.id}</strong> ${tupleOf(row)} · ${endingOf(row)}${titles.length > 0 && html`<br><span class="facts">${[...new Set(titles)].join(' · ')}</span>`}</summary>
<p class="facts" id="${row.id}">${begins}</p>
<div class="scroll ladder" role="region" aria-label="What happened on ${row.id}" tabindex="0"><table>
<thead><tr><th scope="col" class="num">when</th><th scope="col">client</th><th scope="col" class="wire">between</th><th scope="col">server</th><th scope="col">where</th></tr></thead>
<tbody>
${ladder.steps.map((s, i) => html`${dividers(ladder, i)}${stepRow(s)}`)}</tbody></table></div>
<p class="place">${ladder.sources.map((s, i) => html`${i > 0 && ' · '}[${i + 1}] ${s}`)}</p>
</details>
`;
}

function dividers({ steps, omitted, resumes }: Ladder, i: number): Markup {
  const line = (text: string) => html`<tr><td colspan="5" class="divider">${text}</td></tr>\n`;
  const cut = omitted > 0 && i === resumes && line(`… ${number(omitted)} more steps, in timeline.csv`);
  return html`${cut}${steps[i]!.unplaced && !steps[i - 1]?.unplaced && line(UNPLACED)}`;
}

function stepRow(step: Step): Markup {
  const text = html`<span${step.alarming && html` class="alarm"`}>${step.what}</span>${step.who && html` <span class="who">${step.who}</span>`}`;
  const places = step.places.map((p, i) => html`${i > 0 && html`<br>`}[${p.source + 1}] ${p.locator}`);
  const at = (lane: Step['lane']) => (step.lane === lane ? text : NOTHING);
  const between =
    step.lane === 'from-client'
      ? html`${text} <b>⟶</b>`
      : step.lane === 'from-server'
        ? html`<b>⟵</b> ${text}`
        : NOTHING;
  return html`<tr><th scope="row" class="num when">${step.when}</th><td class="end-c">${at('client')}</td><td class="wire">${between}</td><td class="end-s">${at('server')}${at('listener')}</td><td class="place nowrap">${places}</td></tr>
`;
}
