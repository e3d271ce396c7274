/** comparison.html: one file without any request or script. */
import type { Comparison, Rate } from '../compare/compare.ts';
import { CHANGE_NAMES, rateText, verdictOf } from '../compare/words.ts';
import { VERSION } from '../platform/package.ts';
import { counted } from '../view/words.ts';
import { documentOf } from './document.ts';
import { dataTable, html } from './markup.ts';

/** Rows of each table. */
const ROWS = 200;

export function renderComparisonHtml(comparison: Comparison): string {
  const { before, after, causes, servers } = comparison;
  const rates = (c: { before: Rate; after: Rate }) => [rateText(c.before), rateText(c.after)];
  const causeRows = causes
    .slice(0, ROWS)
    .map((c) => [
      `${CHANGE_NAMES[c.change]}${c.clear || c.change === 'same' ? '' : ', may be chance'}`,
      html`${c.title}${c.rule !== '' && html` <code>${c.rule}</code>`}`,
      ...(c.ofHost ? ['of a host', 'of a host'] : rates(c)),
    ]);
  const serverRows = servers.slice(0, ROWS).map((s) => [html`<code>${s.server}</code>`, ...rates(s)]);
  const heads = (...texts: string[]) => texts.map((text) => ({ text }));
  const body = html`<main>
<h1>${verdictOf(comparison)}</h1>
<p>Before: <code>${before.name}</code>, ${counted(before.connections, 'connection')}. After: <code>${after.name}</code>, ${counted(after.connections, 'connection')}.</p>
<section aria-labelledby="causes">
<h2 id="causes">Causes</h2>
${dataTable('Causes before and after', heads('', 'Cause', 'Before', 'After'), causeRows, 'stack')}
</section>
${
  serverRows.length > 0 &&
  html`<section aria-labelledby="servers">
<h2 id="servers">Servers with affected connections</h2>
${dataTable('Servers before and after', heads('Server', 'Before', 'After'), serverRows, 'stack')}
</section>`
}
</main>
`;
  return documentOf('Before and after: tcpautopsy', VERSION, body);
}
