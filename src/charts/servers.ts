import { formatSpan } from '../align/format-time.ts';
import { shortened } from '../view/escape.ts';
import { counted, number } from '../view/words.ts';
import { type ChartBuilder, chart, WIDTH } from './chart.ts';
import { isPicture, stepAxis } from './time-axis.ts';

/** Which servers had problem connections when. Of one or two servers the other charts say it. */
export const servers: ChartBuilder = {
  id: 'servers',
  build({ activity }) {
    if (!activity || activity.servers.length < 3 || !isPicture(activity.servers.map((s) => s.counts)))
      return null;
    // a port each, as of a scan: nothing to compare
    if (activity.servers.every((s) => s.counts.reduce((a, b) => a + b, 0) === 1)) return null;
    const axis = stepAxis(activity);
    const most = activity.servers.flatMap((s) => s.counts).reduce((a, b) => Math.max(a, b), 1);
    const classes = classesOf(most);
    const shareOf = (n: number) => classes.find((c) => n <= c.to)!.name;
    const values = activity.servers.flatMap(({ label, counts }) =>
      counts.flatMap((connections, i) =>
        connections === 0
          ? []
          : [{ ...axis.at(i), server: shortened(label, 46), connections, share: shareOf(connections) }],
      ),
    );
    const step = formatSpan(activity.step * 1e9);
    return chart(
      'servers',
      `Problem connections per ${step}, by server`,
      `The ${counted(activity.servers.length, 'server')} with most problem connections, the darker the more of them in ${step}.`,
      {
        width: WIDTH,
        height: { step: 18 },
        data: { values },
        mark: { type: 'rect' },
        encoding: {
          ...axis.x,
          y: {
            field: 'server',
            type: 'nominal',
            sort: activity.servers.map((s) => shortened(s.label, 46)),
            title: null,
            axis: { ticks: false, domain: false },
          },
          color: {
            field: 'share',
            type: 'ordinal',
            title: 'connections',
            scale: { domain: classes.map((c) => c.name), range: SHADES.slice(-classes.length) },
          },
        },
      },
    );
  },
};

/** Light to dark. */
const SHADES = ['#f0c9a6', '#e08a3c', '#c05500', '#7a2f00'];

/** Up to four classes of counts, each about three times the one before. */
function classesOf(most: number): { name: string; to: number }[] {
  const tops = [...new Set([27, 9, 3, 1].map((d) => Math.max(1, Math.ceil(most / d))))];
  return tops.map((to, i) => {
    const from = i === 0 ? 1 : tops[i - 1]! + 1;
    return { name: from === to ? number(to) : `${number(from)} to ${number(to)}`, to };
  });
}
