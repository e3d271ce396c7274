import type { Chart } from '../../src/charts/chart.ts';
import { renderSvg } from '../../src/charts/render.ts';

const drawn = new Map<string, Promise<string>>();

/** The SVG of a chart, made once for all tests of this process: Vega takes a tenth of a second for each. */
export function draw(chart: Chart): Promise<string> {
  const key = JSON.stringify(chart.spec);
  const svg = drawn.get(key) ?? renderSvg(chart);
  drawn.set(key, svg);
  return svg;
}
