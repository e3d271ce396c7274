import type { Picture } from '../model/incident.ts';
import type { Result } from '../tables/result.ts';
import { shortened } from '../view/escape.ts';
import { type ChartBuilder, chart, INK, WIDTH } from './chart.ts';
import { ACCENT, SECOND } from './palette.ts';
import { stepAxis } from './time-axis.ts';

const LISTENERS = 6;
/** Causes by which a full queue shows: what it dropped. */
const DROPS = new Set(['accept-queue-overflow-syn', 'accept-queue-overflow-ack', 'cookie-overflow-reset']);

/** How full each accept queue was, against its limit, over the connections it dropped; a panel a listener. */
export const acceptQueues: ChartBuilder = {
  id: 'accept-queues',
  build(result) {
    const panels = panelsOf(result).slice(0, LISTENERS);
    if (panels.length === 0) return null;
    const said = panels.map(({ who, queue }) => {
      const most = Math.max(...queue.held.map((h) => h ?? 0));
      return `${who} held at most ${most}${queue.limit === null ? '' : ` (limit ${queue.limit})`}`;
    });
    const body = { vconcat: panels.map(panel), spacing: 20 };
    return chart(
      'accept-queues',
      'Accept queue against its limit, over the connections it dropped',
      `In the accept queue, as probes and tables saw it: ${said.join('; ')}. Below, connections whose SYN or last ACK was dropped.`,
      body,
    );
  },
};

interface Queue {
  who: string;
  picture: Picture;
  queue: NonNullable<Picture['queue']>;
}

/** Seen at several moments. */
function panelsOf({ incidents }: Result): Queue[] {
  return incidents.flatMap(({ picture, who }) => {
    const queue = picture?.queue;
    if (!picture || !queue || queue.held.filter((h) => h !== null).length < 3) return [];
    return [{ who: shortened(who[0] ?? 'the listener', 60), picture, queue }];
  });
}

function panel({ who, picture, queue }: Queue): object {
  const axis = stepAxis(picture);
  const held = queue.held.flatMap((n, i) => (n === null ? [] : [{ ...axis.at(i), n }]));
  const drops = picture.causes
    .filter((c) => DROPS.has(c.rule))
    .flatMap(({ counts }) => counts.flatMap((n, i) => (n === 0 ? [] : [{ ...axis.at(i), n }])));
  const y = (title: string) => ({
    field: 'n',
    type: 'quantitative',
    title,
    scale: { zero: true },
    axis: { tickMinStep: 1, tickCount: 3, format: 'd' },
  });
  // the same stretch of time in both
  const ends = [0, queue.held.length - 1].map((i) => ({ ...axis.at(i), n: 0 }));
  const bars = (values: object[], color: string, title: string) => ({
    data: { values: [...values, ...ends] },
    mark: { type: 'rect', color },
    encoding: { ...axis.x, y: y(title), y2: { datum: 0 } },
  });
  const limit = {
    data: { values: [{ n: queue.limit, label: `limit ${queue.limit}` }] },
    mark: { type: 'rule', color: INK, strokeDash: [5, 4] },
    encoding: { y: { field: 'n', type: 'quantitative' } },
  };
  return {
    vconcat: [
      {
        width: WIDTH,
        height: 70,
        title: { text: who, fontSize: 12, offset: 4 },
        layer: [bars(held, SECOND, 'in the queue'), ...(queue.limit === null ? [] : [limit])],
      },
      {
        width: WIDTH,
        height: 50,
        layer: [bars(drops, ACCENT, 'dropped')],
      },
    ],
    spacing: 4,
  };
}
