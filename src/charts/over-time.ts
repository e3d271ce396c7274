import { formatSpan } from '../align/format-time.ts';
import { shortened } from '../view/escape.ts';
import { number } from '../view/words.ts';
import { type ChartBuilder, chart, WIDTH } from './chart.ts';
import { CAUSE_COLORS } from './palette.ts';
import { isPicture, stepAxis } from './time-axis.ts';

/** Problem connections in each step of time, stacked by cause: all of them, whatever is listed elsewhere. */
export const overTime: ChartBuilder = {
  id: 'over-time',
  build({ activity }) {
    if (!activity || !isPicture(activity.causes.map((c) => c.counts))) return null;
    const axis = stepAxis(activity);
    const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
    const largest = [...activity.causes].sort((a, b) => sum(b.counts) - sum(a.counts));
    const named = largest.slice(0, CAUSE_COLORS.length - 1);
    const names = new Map(named.map((c) => [c.rule, shortened(c.label, 60)]));
    const values = activity.causes.flatMap(({ rule, counts }) =>
      counts.flatMap((connections, i) =>
        connections === 0 ? [] : [{ ...axis.at(i), cause: names.get(rule) ?? 'other causes', connections }],
      ),
    );
    const domain = [...new Set([...names.values(), ...values.map((v) => v.cause)])];
    const step = formatSpan(activity.step * 1e9);
    const said = named.slice(0, 4).map((c) => `${shortened(c.label, 60)}: ${number(sum(c.counts))}`);
    return chart(
      'over-time',
      `Problem connections per ${step}, by cause`,
      `Connections that met each cause, counted per ${step}. ${said.join('; ')}.`,
      {
        width: WIDTH,
        height: 150,
        data: { values },
        mark: { type: 'bar' },
        encoding: {
          ...axis.x,
          y: {
            field: 'connections',
            type: 'quantitative',
            aggregate: 'sum',
            stack: 'zero',
            title: 'connections',
            axis: { tickMinStep: 1, format: 'd', tickCount: 4 },
          },
          color: {
            field: 'cause',
            type: 'nominal',
            title: null,
            legend: { columns: 2, labelLimit: 340 },
            scale: { domain, range: domain.map((_, i) => CAUSE_COLORS[i]) },
          },
        },
      },
    );
  },
};
