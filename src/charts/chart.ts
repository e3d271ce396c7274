/** What a chart is: a Vega-Lite specification with its data inside, made from a result. */
import type { Result } from '../tables/result.ts';

export interface Chart {
  /** File name without extension. */
  id: string;
  title: string;
  /** What it shows, in one sentence, for those who cannot see it. */
  description: string;
  /** Of Vega-Lite, whose own type needs those of a browser: a library's user need not have them. */
  spec: { $schema: string };
}

/** Adding a chart: one file with a builder, one line in index.ts. Null when there is nothing to show. */
export interface ChartBuilder {
  id: string;
  build(result: Result): Chart | null;
}

/** Ink and paper: the two colours that follow the reader's light or dark page when a chart is put into HTML. */
export const INK = '#24292f';
export const PAPER = '#fffffe';
export const FAINT = '#8b949e';

/** Everything that all charts share. Width in pixels of the plot without labels. */
export const WIDTH = 720;

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

/** Frame around a chart: `body` is the part of the specification that differs. */
export function chart(
  id: string,
  title: string,
  description: string,
  body: Record<string, unknown>,
  subtitle?: string[],
): Chart {
  const spec = {
    $schema: SCHEMA,
    description,
    background: PAPER,
    padding: 8,
    title: {
      text: title,
      ...(subtitle && subtitle.length > 0 ? { subtitle } : {}),
      anchor: 'start',
      frame: 'group',
      offset: 12,
    },
    ...body,
    config: CONFIG,
  };
  return { id, title, description, spec };
}

/** Legend of symbols whose area is a count: one, the largest, and one between; none when all are one. */
export function sizeLegend(counts: readonly number[]): object | null {
  const largest = counts.reduce((a, b) => Math.max(a, b), 1);
  return largest === 1 ? null : { format: ',d', values: [...new Set([1, Math.ceil(largest / 4), largest])] };
}

const FONT = 'system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif';

const CONFIG = {
  aria: false,
  font: FONT,
  view: { stroke: null },
  title: { color: INK, subtitleColor: INK, fontSize: 15, subtitleFontSize: 12, subtitlePadding: 4 },
  axis: {
    labelColor: INK,
    titleColor: INK,
    tickColor: FAINT,
    domainColor: FAINT,
    gridColor: FAINT,
    gridOpacity: 0.25,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelLimit: 420,
  },
  legend: {
    labelColor: INK,
    titleColor: INK,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal',
    labelLimit: 300,
    orient: 'bottom',
    columns: 6,
    symbolStrokeColor: INK,
    symbolBaseFillColor: INK,
    symbolBaseStrokeColor: INK,
  },
  text: { color: INK, fontSize: 11 },
};
