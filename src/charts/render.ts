/**
 * Vega-Lite to SVG in Node, without browser and canvas. Vega is loaded on first use: it costs more time than most
 * analyses of a log.
 */
import type { Spec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import { type Chart, INK, PAPER } from './chart.ts';

/** Width of text as a share of the font size, on average over the sans-serif fonts that the charts name. */
function roughWidth(text: string): number {
  const wide = text.match(/[A-Z_]/g)?.length ?? 0;
  return 0.72 * wide + 0.56 * (text.length - wide);
}

let loading: Promise<(spec: Chart['spec']) => Promise<string>> | null = null;

/** Before the first chart is there to be drawn. */
export async function loadVega(): Promise<void> {
  loading ??= loadRenderer();
  await loading;
}

/** Ids within SVG count on from drawing to drawing: from here on they are those of a new process. */
async function restartIds(): Promise<void> {
  const { resetSVGDefIds } = (await import('vega')) as unknown as { resetSVGDefIds(): void };
  resetSVGDefIds();
}

let turn: Promise<unknown> = Promise.resolve();

/** The charts of one document as SVG, with ids as in a new process, whatever else is drawn in this one meanwhile. */
export function renderDocument(charts: readonly Chart[]): Promise<string[]> {
  const drawn = turn.then(async () => {
    await restartIds();
    const all: string[] = [];
    for (const chart of charts) all.push(await renderSvg(chart));
    return all;
  });
  turn = drawn.catch(() => undefined);
  return drawn;
}

/** The chart as a complete SVG document. Rejects when the specification is wrong: a fault of ours. */
export async function renderSvg(chart: Chart): Promise<string> {
  loading ??= loadRenderer();
  return (await loading)(chart.spec);
}

async function loadRenderer(): Promise<(spec: Chart['spec']) => Promise<string>> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  // Vega's guess without a canvas is 0.8, which pushes the plot far away from its labels
  const metrics = (vega as unknown as { textMetrics: TextMetrics }).textMetrics;
  metrics.width = (item, text) => metrics.height(item) * roughWidth(String(text ?? ''));
  return async (spec) => {
    const compiled = vegaLite.compile(spec as TopLevelSpec).spec as Spec;
    const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
    try {
      return await view.toSVG();
    } finally {
      view.finalize();
    }
  };
}

interface TextMetrics {
  height(item: unknown): number;
  width(item: unknown, text: unknown): number;
}

/** Pixels per pixel of the SVG: sharp on today's screens, and when put into a document. */
const PNG_SCALE = 2;

/** Rejects where there is none: it is native, and no part of the one executable file. */
export function loadPng(): Promise<typeof import('@resvg/resvg-js')> {
  return import('@resvg/resvg-js').catch(() => {
    throw new Error(
      'this tcpautopsy draws no PNG: it lacks the native library resvg, which the package of npm has. The same charts are in charts/*.svg',
    );
  });
}

/** The picture as PNG, with the fonts of this machine. */
export async function renderPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await loadPng();
  const font = { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans' };
  return new Resvg(svg, { fitTo: { mode: 'zoom', value: PNG_SCALE }, font }).render().asPng();
}

/**
 * The SVG for a page that is light or dark: ink takes the text colour of the page and paper its background. The page
 * names the picture, so that it is one image to a screen reader.
 */
export function inlineSvg(svg: string): string {
  return svg
    .replaceAll(`"${INK}"`, '"currentColor"')
    .replaceAll(`"${PAPER}"`, '"var(--paper)"')
    .replace('<svg ', '<svg aria-hidden="true" focusable="false" ');
}
