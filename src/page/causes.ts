/** Causes: a table of all of them for the first screen, then a card each. */
import { firstSentence, moment } from '../explain/words.ts';
import { formatEndpoint } from '../model/address.ts';
import type { Finding, Severity } from '../model/finding.ts';
import type { CauseGroup } from '../model/result.ts';
import type { Result } from '../tables/result.ts';
import { bySeverity, findingsOf } from '../view/focus.ts';
import { placeOf } from '../view/ladder.ts';
import {
  CONFIDENCE_NAMES,
  CONFIDENCE_WORDS,
  confidenceCounts,
  counted,
  missingWords,
  number,
  SEVERITY_SIGNS,
  sharing,
  sureness,
} from '../view/words.ts';
import { html, type Markup, NOTHING, prose } from './markup.ts';
import type { Page } from './page.ts';

const EVIDENCE = 12;
const OTHERS = 20;
const LINKS = 16;

export function severityMark(severity: Severity): Markup {
  return html`<span class="severity ${severity}-text">${SEVERITY_SIGNS[severity]} ${severity}</span>`;
}

/** Those above info each with what a reader needs at once; the rest of each, and the normal ones, folded. */
export function causeCards(page: Page): Markup {
  const causes = bySeverity(page.result.causes);
  const above = causes.filter((c) => c.severity !== 'info');
  const normal = causes.filter((c) => c.severity === 'info');
  const titles = normal.map((c) => c.title).join('; ');
  return html`${above.map((c) => card(c, page))}
${normal.length > 0 && html`<details class="part"><summary>${counted(normal.length, 'normal thing')} worth knowing: ${titles}</summary>\n${normal.map((c) => card(c, page))}</details>`}`;
}

function card(cause: CauseGroup, page: Page): Markup {
  const group = findingsOf(cause, page.findings);
  const missing = missingWords(group.map((f) => f.missing)).slice(0, EVIDENCE);
  const others = [...new Set(group.flatMap((f) => f.alternatives))];
  const unlisted = cause.unlisted?.connections ?? 0;
  const many = sharing(cause) > 0 && html`${counted(sharing(cause), 'connection')} · `;
  const since = sinceOf(group);
  return html`<article class="card ${cause.severity}" id="cause-${cause.rule}">
<h3>${cause.title}</h3>
<p class="facts">${severityMark(cause.severity)} · ${many}${sureness(cause, page.result)}${since !== '' && html` · since ${since}`}${hostsOf(group)}</p>
${cause.severity !== 'info' && html`<p><strong>Fix:</strong> ${prose(firstSentence(cause.remedy || 'No action needed.'))}</p>`}
${cause.settled?.map((text) => html`<p>${prose(text)}</p>`)}
<details><summary>Evidence</summary>
<p>${prose(cause.summary)}</p>
<dl class="about">
<dt>Fix</dt><dd>${prose(cause.remedy || 'No action needed.')}</dd>
<dt>Confidence</dt><dd>${sureWords(cause, page)}</dd>
<dt>Evidence</dt><dd>${evidence(group, unlisted, page.result)}</dd>
${missing.length > 0 && html`<dt>Missing evidence</dt><dd><ul class="tight missing">${missing.map((m) => html`<li>${prose(m)}</li>`)}</ul></dd>`}
${others.length > 0 && html`<dt>Could also be</dt><dd>${alternatives(others, page)}</dd>`}
${sharing(cause) > 0 && html`<dt>Connections</dt><dd>${links(cause, page)}</dd>`}
<dt>Id</dt><dd><code>${cause.rule}</code></dd>
</dl>
</details>
</article>
`;
}

/** The earliest of its findings that are listed; '' without times of one clock. */
function sinceOf(group: readonly Finding[]): string {
  const clocks = new Set(group.map((f) => f.clock));
  const times = group.map((f) => f.time).filter((t) => t !== '');
  const [clock] = clocks;
  if (clocks.size !== 1 || clock === 'order' || times.length === 0) return '';
  const first = clock === 'relative' ? String(Math.min(...times.map(Number))) : times.sort()[0]!;
  return moment(first);
}

/** ` · 10.77.0.1 → 10.77.0.2:8080`, where they are few. */
function hostsOf(group: readonly Finding[]): Markup | false {
  const pairs = new Set(group.map((f) => `${f.client.address} → ${formatEndpoint(f.server)}`));
  if (pairs.size === 0 || pairs.size > 2) return false;
  return html` · ${[...pairs].join(', ')}`;
}

function sureWords(cause: CauseGroup, page: Page): Markup {
  const counts = confidenceCounts(cause, page.result);
  const all = counts.length < 2;
  return html`${counts.map(([c, n], i) => html`${i > 0 && html`<br>`}${!all && `${number(n)} `}<strong>${CONFIDENCE_NAMES[c]}</strong>: ${CONFIDENCE_WORDS[c]}`)}`;
}

/** `unlisted`: findings of connections that are only counted. */
function evidence(group: readonly Finding[], unlisted: number, result: Result): Markup {
  const [first, ...rest] = group;
  if (!first) return html`in findings.csv`;
  const others = rest.length + unlisted;
  if (others === 0) return evidenceList(first, result);
  const shown = rest.slice(0, OTHERS);
  const more = others - shown.length;
  return html`${evidenceList(first, result)}
<details><summary>Evidence for ${number(others)} more ${others === 1 ? 'finding' : 'findings'}</summary>
${shown.map((f) => html`${f.connection !== '' && html`<h4>${f.connection} (client port ${f.client.port})</h4>`}<p>${prose(f.summary)}</p>${evidenceList(f, result)}`)}
${more > 0 && html`<p>${number(more)} more are in findings.csv.</p>`}
</details>`;
}

function evidenceList(f: Finding, result: Result): Markup {
  const items = f.evidence.slice(0, EVIDENCE).map((e) => {
    const place = placeOf(e, result);
    return html`<li>${prose(e.fact)}${place ? html` <span class="place">[${place}]</span>` : NOTHING}</li>`;
  });
  const more = f.evidence.length - items.length;
  return html`<ul class="tight">${items}${more > 0 && html`<li>${more} more in findings.csv</li>`}</ul>`;
}

function alternatives(ids: readonly string[], { title }: Page): Markup {
  return html`<ol class="tight">${ids.map((id) => html`<li>${title(id)} (<code>${id}</code>)</li>`)}</ol>`;
}

function links(cause: CauseGroup, page: Page): Markup {
  const shown = cause.connections.slice(0, LINKS).map((id, i) => {
    const row = page.rows.get(id);
    const label = row ? `${id} (port ${row.client.port})` : id;
    const link = page.anchors.has(id) ? html`<a href="#${id}">${label}</a>` : label;
    return html`${i > 0 && ', '}<span class="nowrap">${link}</span>`;
  });
  const more = sharing(cause) - shown.length;
  return html`${shown}${more > 0 && ` and ${number(more)} more, in connections.csv`}`;
}
