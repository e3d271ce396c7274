/** HTML by tagged template: every value is escaped unless it is markup itself, so that forgetting is harmless. */
import { codePieces, escapeHtml } from '../view/escape.ts';

/** Finished markup. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | null | false | undefined | readonly Value[];

/** `` html`<p class="${name}">${text}</p>` ``; lists are joined, null, undefined and false give nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  let text = parts[0]!;
  for (const [i, value] of values.entries()) text += render(value) + parts[i + 1]!;
  return new Markup(text);
}

export const NOTHING = new Markup('');

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escapeHtml(value);
  return value.map(render).join('');
}

/** A sentence of ours in which backticks mark code. */
export function prose(text: string): Markup {
  return html`${codePieces(text).map((piece, i) => (i % 2 === 0 ? piece : html`<code>${piece}</code>`))}`;
}

interface HeadCell {
  text: string;
  /** Right-aligned. */
  numeric?: boolean;
}

/**
 * A table in a box that scrolls sideways, reachable by keyboard. The first cell of each row is its header.
 * `label` names it to a screen reader. With the class `stack` each row stands as a block on narrow screens.
 */
export function dataTable(
  label: string,
  head: readonly HeadCell[],
  rows: readonly (readonly Value[])[],
  className = '',
): Markup {
  const named = className.includes('stack');
  const kind = (i: number) => (head[i]?.numeric ? html` class="num"` : NOTHING);
  const cell = (value: Value, i: number) =>
    i === 0
      ? html`<th scope="row"${kind(i)}>${value}</th>`
      : html`<td${kind(i)}${named && html` data-head="${head[i]?.text ?? ''}"`}>${value}</td>`;
  return html`<div class="scroll ${className}" role="region" aria-label="${label}" tabindex="0"><table>
<thead><tr>${head.map((h, i) => html`<th scope="col"${kind(i)}>${h.text}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`)}</tbody></table></div>`;
}
