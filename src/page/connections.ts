/** The connections: groups that share server, ending and cause; then a table of the connections themselves. */

import { formatSpan } from '../align/format-time.ts';
import { formatEndpoint } from '../model/address.ts';
import { SEVERITY_ORDER } from '../model/finding.ts';
import { visible } from '../model/visible.ts';
import type { ConnectionRow } from '../tables/connections.ts';
import { rulesOfRow } from '../tables/selection.ts';
import { shortTime, trimTime } from '../view/ladder.ts';
import { allOf, counted, endingOf, number } from '../view/words.ts';
import { dataTable, html, Markup, NOTHING } from './markup.ts';
import type { Page } from './page.ts';

/** From so many connections on they are also told in groups. */
const MANY = 50;
const GROUPS = 100;
/** Marks a time of day among times in UTC. */
const LOCAL = '(local)';

export function connectionsSection(page: Page): Markup {
  return html`${allOf(page.result) >= MANY ? groupsTable(page) : NOTHING}${connectionsTable(page)}`;
}

interface Group {
  row: Pick<ConnectionRow, 'server' | 'closeKind' | 'closedBy' | 'resetBy'>;
  rules: string[];
  /** Addresses of clients of connections that are listed; and how many those have that are only counted. */
  clients: Set<string>;
  unlisted: number;
  count: number;
}

function groupsTable({ result: { connections, unlisted, causes }, title }: Page): Markup {
  const severities = new Map(causes.map((c) => [c.rule, SEVERITY_ORDER.indexOf(c.severity)]));
  const normal = SEVERITY_ORDER.indexOf('info');
  const rank = ({ rules }: Group) => Math.min(normal, ...rules.map((r) => severities.get(r) ?? normal));
  const groups = new Map<string, Group>();
  for (const row of connections) {
    const key = [formatEndpoint(row.server), endingOf(row), ...rulesOfRow(row)].join('\0');
    const group = groups.get(key) ?? {
      row,
      rules: rulesOfRow(row),
      clients: new Set(),
      count: 0,
      unlisted: 0,
    };
    group.count++;
    group.clients.add(row.client.address);
    groups.set(key, group);
  }
  for (const own of unlisted?.groups ?? []) {
    const { rules } = own;
    const key = [formatEndpoint(own.server), endingOf(own), ...rules].join('\0');
    const group = groups.get(key) ?? { row: own, rules, clients: new Set(), count: 0, unlisted: 0 };
    group.count += own.connections;
    group.unlisted = Math.max(group.unlisted, own.clients);
    groups.set(key, group);
  }
  const sorted = [...groups.values()]
    .filter((g) => rank(g) < normal)
    .sort((a, b) => rank(a) - rank(b) || b.count - a.count);
  if (sorted.length === 0) return NOTHING;
  const rows = sorted
    .slice(0, GROUPS)
    .map(({ row, rules, clients, count, unlisted }) => [
      html`${formatEndpoint(row.server)}`,
      number(count),
      unlisted === 0
        ? number(clients.size)
        : `${clients.size > 0 ? 'at least ' : ''}${number(Math.max(clients.size, unlisted))}`,
      endingOf(row),
      html`<ul class="plain">${rules.map((rule) => html`<li><a href="#cause-${rule}" title="${title(rule)}">${rule}</a></li>`)}</ul>`,
    ]);
  const head = [
    { text: 'server' },
    { text: 'connections', numeric: true },
    { text: 'clients', numeric: true },
    { text: 'ends' },
    { text: 'why' },
  ];
  const more = sorted.length - rows.length;
  return html`<h3>${counted(sorted.length, 'group')} of problem connections with the same server, ending and causes</h3>
${dataTable('Groups of connections', head, rows)}${more > 0 && html`<p class="notice">${counted(more, 'smaller group')} not shown: connections.csv has all connections.</p>`}
<h3>One by one</h3>
`;
}

/** Columns of the table; `packets`: only where there are captures. The script relies on this order. */
function headOf(packets: boolean) {
  return [
    { text: 'id' },
    { text: 'client' },
    { text: 'server' },
    { text: 'begins' },
    { text: 'lasts', numeric: true },
    { text: 'ends' },
    { text: 'why' },
    { text: 'process' },
    ...(packets
      ? [
          { text: 'packets', numeric: true },
          { text: 'bytes', numeric: true },
        ]
      : []),
  ];
}

function connectionsTable(page: Page): Markup {
  const { connections } = page.result;
  const ladders = new Set(page.ladders);
  const packets = connections.some((r) => r.clientPackets !== null);
  const day = commonDay(page.listed);
  const rows = page.tableRows.map((r) => cells(r, ladders.has(r.id), packets, day));
  const local = day !== null && page.listed.some((r) => r.clock === 'wall' && r.startTime !== '');
  const times =
    day !== null &&
    html`<p class="facts">Times are UTC, of ${day}.${local && ` ${LOCAL} is the time of day in a log that prints neither date nor zone.`}</p>`;
  const data = page.listed.map((r) => record(r, ladders.has(r.id), packets, day));
  return html`${notes(page)}${times}<div id="connection-table">${dataTable('Connections', headOf(packets), rows)}</div>
<script type="application/json" id="connection-data">${new Markup(jsonInHtml(data))}</script>`;
}

function notes({ result, listed, tableRows }: Page): Markup {
  const all = allOf(result);
  const most = '<em>info</em>';
  const cut =
    listed.length < all &&
    html`<p class="notice">${number(listed.length)} of ${number(all)} connections can be searched here, those with a finding above ${new Markup(most)} first. All of them are in connections.csv.</p>`;
  const paged =
    tableRows.length < listed.length &&
    html`<p class="notice plain-only">${number(tableRows.length)} of ${number(all)} connections, those with a finding above ${new Markup(most)} first. With scripts allowed, this table has pages. All of them are in connections.csv.</p>`;
  return html`${cut}${paged}`;
}

/** `<` and `&` as escapes: nothing in it can end the element. */
function jsonInHtml(value: unknown): string {
  return visible(JSON.stringify(value)).replaceAll('<', '\\u003c').replaceAll('&', '\\u0026');
}

/** What the script needs of a row: the texts of its cells, its rules, numbers to sort by, and whether it has a ladder. */
function record(r: ConnectionRow, hasLadder: boolean, packets: boolean, day: string | null) {
  const sum = (a: number | null, b: number | null) => (a === null && b === null ? null : (a ?? 0) + (b ?? 0));
  const sort = packets
    ? [r.durationS, sum(r.clientPackets, r.serverPackets), sum(r.clientBytes, r.serverBytes)]
    : [r.durationS];
  return [texts(r, packets, day), rulesOfRow(r), sort, hasLadder ? 1 : 0];
}

/** Texts of the cells, without the one that says why. */
function texts(r: ConnectionRow, packets: boolean, day: string | null): string[] {
  const pair = (a: number | null, b: number | null) =>
    a === null && b === null ? '' : `${number(a ?? 0)} / ${number(b ?? 0)}`;
  return [
    r.id,
    formatEndpoint(r.client),
    formatEndpoint(r.server),
    beginsOf(r, day !== null),
    r.durationS === null ? '' : formatSpan(r.durationS * 1e9),
    endingOf(r),
    processes(r),
    ...(packets ? [pair(r.clientPackets, r.serverPackets), pair(r.clientBytes, r.serverBytes)] : []),
  ];
}

function cells(r: ConnectionRow, hasLadder: boolean, packets: boolean, day: string | null): Markup[] {
  const [id, client, server, begins, lasts, ends, ...rest] = texts(r, packets, day);
  const why = rulesOfRow(r).map((rule) => html`<li><a href="#cause-${rule}">${rule}</a></li>`);
  return [
    hasLadder ? html`<a href="#${id}">${id}</a>` : html`<span id="${id}">${id}</span>`,
    html`<span class="nowrap">${client}</span>`,
    html`<span class="nowrap">${server}</span>`,
    html`<span class="nowrap">${begins}</span>`,
    html`${lasts}`,
    html`<span class="ends">${ends}</span>`,
    why.length === 0 ? NOTHING : html`<ul class="plain">${why}</ul>`,
    ...rest.map((text) => html`${text}`),
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
  if (r.clock === 'wall' && text !== '') return `${shortTime(text)}${dayKnown ? ` ${LOCAL}` : ''}`;
  if (r.clock !== 'utc') return shortTime(text);
  return dayKnown ? shortTime(text).replace('Z', '') : trimTime(text).replace('T', ' ');
}

function processes(r: ConnectionRow): string {
  const name = (comm: string, pid: number | null, pod: string, container: string) =>
    [comm && `${comm}${pid === null ? '' : `[${pid}]`}`, pod || container].filter(Boolean).join(' in ');
  const client = name(r.clientComm, r.clientPid, r.clientPod, r.clientContainer);
  const server = name(r.serverComm, r.serverPid, r.serverPod, r.serverContainer);
  if (client === '' && server === '') return '';
  return `${client || '?'} → ${server || '?'}`;
}
