/** How a broken axis is drawn: Vega-Lite layers that several charts put below and above their own marks. */
import { type AxisSpan, type AxisTick, type BrokenAxis, LABEL } from './broken-axis.ts';
import { FAINT, INK, PAPER } from './chart.ts';

/** The x channel of everything placed on a broken axis. */
export function onAxis(field: string): object {
  return { field, type: 'quantitative', scale: { domain: [0, 100], nice: false, zero: false }, axis: null };
}

/** Below the marks: a faint line at each tick. */
export function tickLines(ticks: readonly AxisTick[]): object {
  return {
    data: { values: ticks },
    mark: { type: 'rule', color: FAINT, opacity: 0.35 },
    encoding: { x: onAxis('x'), y: { value: 0 }, y2: { value: 'height' } },
  };
}

/** Above the marks: each break as a gap in the paper between two dashed lines. */
export function breakBands(axis: BrokenAxis): object[] {
  if (axis.breaks.length === 0) return [];
  const edges = axis.breaks.flatMap((b) => [{ x: b.x + 0.6 }, { x: b.x2 - 0.6 }]);
  const bands = axis.breaks.map((b) => ({ x: b.x + 0.6, x2: b.x2 - 0.6 }));
  return [
    {
      data: { values: bands },
      mark: { type: 'rect', color: PAPER },
      encoding: { x: onAxis('x'), x2: { field: 'x2' }, y: { value: -3 }, y2: { value: 'height' } },
    },
    {
      data: { values: edges },
      mark: { type: 'rule', color: INK, strokeDash: [3, 3], opacity: 0.7 },
      encoding: { x: onAxis('x'), y: { value: -3 }, y2: { value: 'height' } },
    },
  ];
}

/** Room below a plot that `axisLabels` with ticks needs, in pixels: what comes after must keep clear of it. */
export const LABEL_ROOM = 44;

/** Labels: how much each break leaves out above the plot; below it the times, and the scale of each stretch. */
export function axisLabels(axis: BrokenAxis, where: { breaks: boolean; ticks: boolean }): object[] {
  const layers: object[] = [];
  if (where.breaks && axis.breaks.length > 0) {
    const style = { baseline: 'bottom', fontStyle: 'italic' };
    for (const [row, labels] of rowsOf(middles(axis.breaks, '// ')).entries()) {
      layers.push(texts(labels, 0, { ...style, dy: -6 - 14 * row }));
    }
  }
  if (where.ticks) layers.push(texts([...axis.ticks], 'height', { baseline: 'top', dy: 5 }));
  if (where.ticks && axis.stretches.length > 0) {
    const mark = { type: 'rule', color: INK, opacity: 0.5, yOffset: 22 };
    const encoding = { x: onAxis('x'), x2: { field: 'x2' }, y: { value: 'height' } };
    layers.push({ data: { values: axis.stretches }, mark, encoding });
    layers.push(
      texts(middles(axis.stretches, ''), 'height', { baseline: 'top', dy: 25, fontStyle: 'italic' }),
    );
  }
  return layers;
}

/** Labels that would run into their left neighbour go one row up. */
function rowsOf(labels: readonly AxisTick[]): AxisTick[][] {
  const rows: AxisTick[][] = [];
  for (const label of labels) {
    const free = rows.find((row) => label.x - row.at(-1)!.x >= LABEL);
    if (free) free.push(label);
    else rows.push([label]);
  }
  return rows;
}

function middles(spans: readonly AxisSpan[], prefix: string): AxisTick[] {
  return spans.map((s) => ({ x: (s.x + s.x2) / 2, label: `${prefix}${s.label}` }));
}

function texts(values: readonly AxisTick[], y: number | 'height', mark: object): object {
  return {
    data: { values },
    mark: { type: 'text', fontSize: 11, align: 'center', ...mark },
    encoding: { x: onAxis('x'), y: { value: y }, text: { field: 'label', type: 'nominal' } },
  };
}
