/** What every page is: one file without any request. */
import type { Chart } from '../charts/chart.ts';
import { inlineSvg } from '../charts/render.ts';
import { sha256OfText } from '../platform/hash.ts';
import { html, Markup } from './markup.ts';
import { STYLE } from './style.ts';

const source = (text: string) => `'sha256-${sha256OfText(text)}'`;

/** A whole page; `script` is the only one that it runs. */
export function documentOf(title: string, version: string, body: Markup, script = ''): string {
  const policy = [
    "default-src 'none'",
    `style-src ${source(STYLE)}`,
    ...(script === '' ? [] : [`script-src ${source(script)}`]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="tcpautopsy ${version}">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
${body}${script !== '' && html`<script>${new Markup(script)}</script>\n`}</body>
</html>
`.text;
}

export interface DrawnChart {
  chart: Chart;
  /** A whole SVG document. */
  svg: string;
}

export function figure({ chart, svg }: DrawnChart): Markup {
  return html`<figure role="group" aria-labelledby="chart-${chart.id}">
<div class="scroll" role="region" aria-label="${chart.title}" tabindex="0">${new Markup(inlineSvg(svg))}</div>
<figcaption id="chart-${chart.id}">${chart.description}</figcaption>
</figure>
`;
}
