import { CONFIDENCE_ORDER } from '../model/finding.ts';
import type { Result } from '../model/result.ts';
import { shortened } from '../view/escape.ts';
import { bySeverity } from '../view/focus.ts';
import { confidenceCounts, sharing } from '../view/words.ts';
import { type Chart, type ChartBuilder, chart, INK, WIDTH } from './chart.ts';
import { CONFIDENCE_COLORS } from './palette.ts';

const LIMIT = 20;

interface Count {
  rule: string;
  confidence: string;
  connections: number;
}

/** Connections per cause, coloured by how sure the cause is. One cause needs no picture. */
export const causes: ChartBuilder = {
  id: 'causes',
  build(result) {
    const all = bySeverity(result.causes.filter((c) => sharing(c) > 0));
    if (all.length < 2) return null;
    const shown = all.slice(0, LIMIT);
    const titles = new Map(shown.map((c) => [c.rule, shortened(c.title, 72)]));
    const values = counts(result)
      .filter((c) => titles.has(c.rule))
      .map((c) => ({
        ...c,
        cause: titles.get(c.rule),
        certainty: CONFIDENCE_ORDER.indexOf(c.confidence as never),
      }));
    const totals = shown.map((c) => ({ cause: titles.get(c.rule), connections: sharing(c) }));
    return causesChart(values, totals, all.length - shown.length);
  },
};

function counts(result: Result): Count[] {
  return result.causes.flatMap((cause) =>
    confidenceCounts(cause, result).map(([confidence, connections]) => ({
      rule: cause.rule,
      confidence,
      connections,
    })),
  );
}

function causesChart(
  values: object[],
  totals: { cause: string | undefined; connections: number }[],
  hidden: number,
): Chart {
  const y = {
    field: 'cause',
    type: 'nominal',
    sort: totals.map((t) => t.cause),
    title: null,
    axis: { ticks: false, domain: false },
  };
  const top = totals.slice(0, 3).map((t) => `${t.cause} (${t.connections})`);
  const description = `Connections for each of ${totals.length} causes, most severe first: ${top.join(', ')}${totals.length > 3 ? ', and so on' : ''}.`;
  const body = {
    width: WIDTH / 2,
    height: { step: 26 },
    layer: [
      {
        data: { values },
        mark: { type: 'bar', height: 16, stroke: INK, strokeWidth: 0.5 },
        encoding: {
          y,
          x: {
            field: 'connections',
            type: 'quantitative',
            title: 'connections',
            axis: { tickMinStep: 1, format: 'd', grid: true },
          },
          color: {
            field: 'confidence',
            type: 'nominal',
            title: 'how sure',
            scale: {
              domain: [...CONFIDENCE_ORDER],
              range: CONFIDENCE_ORDER.map((c) => CONFIDENCE_COLORS[c]),
            },
          },
          order: { field: 'certainty', type: 'quantitative' },
        },
      },
      {
        data: { values: totals },
        mark: { type: 'text', align: 'left', dx: 5, fontSize: 12 },
        encoding: {
          y,
          x: { field: 'connections', type: 'quantitative' },
          text: { field: 'connections', type: 'quantitative', format: ',d' },
        },
      },
    ],
  };
  const subtitle = hidden > 0 ? [`the ${LIMIT} most severe; ${hidden} more are in findings.csv`] : [];
  return chart('causes', 'Connections by cause', description, body, subtitle);
}
