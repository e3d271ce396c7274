import { formatSpan } from '../align/format-time.ts';
import { rounded } from '../explain/facts/durations.ts';
import type { Durations } from '../model/result.ts';
import { counted } from '../view/words.ts';
import { type ChartBuilder, chart, INK, PAPER, WIDTH } from './chart.ts';
import { LABELS, TICKS } from './log-time.ts';
import { SECOND } from './palette.ts';

/** Fewer connections, or all alike, are read off the table of connections. */
const FEW = 5;

/** How long handshakes took and connections lasted: all of them, in four bins a decade. */
export const durations: ChartBuilder = {
  id: 'durations',
  build({ durations: { handshake, lasted } }) {
    const panels = [
      { title: 'handshake, SYN to third segment', own: handshake },
      { title: 'first to last packet or state', own: lasted },
    ].flatMap(({ title, own }) => (own && isTold(own) ? [{ title, own }] : []));
    if (panels.length === 0) return null;
    const said = panels.map(
      ({ title, own }) =>
        `${title}: ${counted(sum(own), 'connection')}, ${formatSpan(own.shortest * 1e9)} to ${formatSpan(own.longest * 1e9)}`,
    );
    const body = { vconcat: panels.map(({ title, own }) => panel(title, own)), spacing: 16 };
    return chart(
      'durations',
      'How long handshakes took and connections lasted',
      `Counts on a logarithmic scale. ${said.join('; ')}.`,
      body,
    );
  },
};

function sum({ bins }: Durations): number {
  return bins.reduce((n, b) => n + b.connections, 0);
}

function isTold(own: Durations): boolean {
  return own.bins.length > 1 && sum(own) >= FEW;
}

/** A quarter of a decade, around the middle of a bin. */
const EDGE = 10 ** (1 / 8);

function panel(title: string, { bins }: Durations): object {
  const values = bins.map(({ seconds, connections }) => ({
    from: rounded(seconds / EDGE),
    to: rounded(seconds * EDGE),
    connections,
  }));
  return {
    width: WIDTH,
    height: 80,
    data: { values },
    mark: { type: 'rect', color: SECOND, stroke: PAPER, strokeWidth: 0.5 },
    encoding: {
      x: {
        field: 'from',
        type: 'quantitative',
        title,
        scale: { type: 'log', nice: false, domain: [values[0]!.from, values.at(-1)!.to] },
        axis: { values: TICKS, labelExpr: LABELS, titleColor: INK },
      },
      x2: { field: 'to' },
      y: {
        field: 'connections',
        type: 'quantitative',
        title: 'connections',
        axis: { tickCount: 3, tickMinStep: 1, format: ',d' },
      },
      y2: { datum: 0 },
    },
  };
}
