/** The first screen of the page: what happened, to whom, what to do, and one picture. */
import type { Incident } from '../model/incident.ts';
import type { IncidentView, Overview } from '../view/overview.ts';
import type { Strip, StripRow } from '../view/strip.ts';
import { counted } from '../view/words.ts';
import { severityMark } from './causes.ts';
import { html, type Markup, NOTHING, prose } from './markup.ts';
import { sequence } from './sequence.ts';

/** `anchors`: rules that have a place on the page to link to. */
export function overviewSection(
  overview: Overview,
  anchors: ReadonlySet<string>,
  redaction: string | undefined,
): Markup {
  const { headline, incidents, others, more, healthy, looked, incomplete, triggered } = overview;
  const isOne = incidents.length === 1;
  const severity = isOne
    ? html`<p class="facts">${severityMark(incidents[0]!.incident.severity)}</p>`
    : NOTHING;
  return html`${severity}<h1>${headline}</h1>
${triggered !== '' && html`<p class="facts">${triggered}</p>`}
${redaction !== undefined && html`<p class="notice">${redaction}</p>`}
${incidents.map((view) => incidentArticle(view, anchors, isOne))}
${others.length > 0 && html`<ul class="others">${others.map(shortly)}</ul>`}
${more > 0 && html`<p>${counted(more, 'more problem')}: see the causes below.</p>`}
<dl class="about">
${healthy().length > 0 && html`<dt>Healthy</dt><dd>${healthy().map((line, i) => html`${i > 0 && html`<br>`}${line}`)}</dd>`}
<dt>Looked at</dt><dd>${looked}${incomplete !== '' && html`. <strong>${incomplete}</strong> <a href="#quality">Data quality</a>`}</dd>
</dl>`;
}

function shortly({ headline, severity, action }: Incident): Markup {
  return html`<li>${severityMark(severity)} ${prose(headline)}${action !== '' && html` <strong>Do this:</strong> ${prose(action)}`}</li>`;
}

function incidentArticle(
  { incident, facts, strip, ladder }: IncidentView,
  anchors: ReadonlySet<string>,
  isOne: boolean,
): Markup {
  const title = html`<h2>${prose(incident.headline)}</h2><p class="facts">${severityMark(incident.severity)}</p>`;
  const rows = facts.map(
    ({ label, text }) =>
      html`<dt${label === 'Do this' && html` class="do"`}>${label}</dt><dd${label === 'Do this' && html` class="do"`}>${prose(text)}</dd>`,
  );
  return html`<article class="incident ${incident.severity}">
${!isOne && title}
<dl class="about">${rows}</dl>
${strip && stripFigure(strip, anchors)}
${ladder && sequence(ladder)}
</article>`;
}

/** The tree of causes, with bars beside those that met connections at several moments. */
function stripFigure({ rows, axis }: Strip, anchors: ReadonlySet<string>): Markup {
  const below =
    axis &&
    html`<tr class="axis"><td></td><td><div class="ends-of-axis"><span>${axis.from}</span><span>${axis.to}</span></div></td><td></td></tr>`;
  return html`<div class="scroll" role="region" aria-label="Causes over time" tabindex="0"><table class="strip"><thead><tr><th scope="col">What followed from what</th><th scope="col">${axis ? 'connections over time' : ''}</th><th scope="col" class="num">connections</th></tr></thead>
<tbody>${rows.map((row) => stripRow(row, anchors))}
${below}</tbody></table></div>
${axis && html`<p class="place">${axis.scale}</p>`}`;
}

function stripRow({ label, rule, depth, note, bars, queue }: StripRow, anchors: ReadonlySet<string>): Markup {
  const name = anchors.has(rule) ? html`<a href="#cause-${rule}">${label}</a>` : html`${label}`;
  return html`<tr><th scope="row" class="depth-${Math.min(depth, 5)}">${name}</th><td class="plot">${bars.length > 0 && barsOf(bars, queue)}</td><td class="num">${note}</td></tr>
`;
}

/** Heights as shares of 20, positions as steps: the style sheet stretches it. */
function barsOf(bars: readonly (number | null)[], queue: StripRow['queue']): Markup {
  const rects = bars.flatMap((share, i) => {
    if (share === null || share === 0) return [];
    const height = Math.max(1, Math.round(share * 200) / 10);
    return [html`<rect x="${i}" y="${20 - height}" width="${0.85}" height="${height}"/>`];
  });
  const limit =
    queue?.limit == null
      ? NOTHING
      : html`<line x1="0" x2="${bars.length}" y1="${20 - 20 * queue.limit}" y2="${20 - 20 * queue.limit}"/>`;
  return html`<svg class="bars${queue && ' level'}" viewBox="0 0 ${bars.length} 20" preserveAspectRatio="none" aria-hidden="true" focusable="false">${rects}${limit}</svg>`;
}
