import { describe, expect, test } from 'vitest';
import { anchor, PLOT, placeLabels, widthOf, ZOOMS } from '../../src/page/labels.ts';
import { lanesOf } from '../../src/page/lane-rows.ts';
import { lanesFigure } from '../../src/page/lanes.ts';
import { focusOf } from '../../src/view/focus.ts';
import { ladderOf } from '../../src/view/ladder.ts';
import { exp1Result } from '../tables/fixture.ts';

const focus = focusOf(exp1Result());

describe('lanes of a connection of experiment 1', () => {
  const ladder = ladderOf(focus, 'c1');
  const lanes = lanesOf(ladder)!;

  test('each end goes through its states in order, and sixteen minutes are a break', () => {
    const states = (end: string) => lanes.bars.filter((b) => b.end === end).map((b) => b.state);
    expect(states('client')).toEqual(['SYN_SENT', 'ESTABLISHED', 'FIN_WAIT1', 'FIN_WAIT2']);
    expect(states('server').at(-1)).toBe('CLOSE_WAIT');
    expect(lanes.axis.breaks.some((b) => /^1[56] min/.test(b.label))).toBe(true);
    for (const b of lanes.bars) expect(b.x2).toBeGreaterThanOrEqual(b.x);
  });

  test('every step is drawn, or counted as left out', () => {
    const drawn = new Set([...lanes.bars, ...lanes.arrows, ...lanes.marks].map((d) => d.step));
    const closing = ladder.steps.filter((s) => s.item.stateAfter === 'CLOSE' && s.item.kind === 'state');
    expect(drawn.size + closing.length + lanes.unplaced).toBe(ladder.steps.length);
  });

  test('the picture says in words what it shows', () => {
    const svg = lanesFigure(ladder, ladder.steps).text;
    expect(svg).toContain('client: SYN_SENT, ESTABLISHED, FIN_WAIT1, FIN_WAIT2');
    expect(svg).toMatch(/<text class="middle span"[^>]*>\/\/ 1[56] min/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

test('a packet that one of two captures lacks is not joined to its repeat; one event in two streams is one', () => {
  const result = exp1Result();
  const model = result.timeline.find((i) => i.connection === 'c1' && i.kind === 'state')!;
  const packet = (source: string, at: number) => ({
    ...model,
    ...{ kind: 'packet' as const, side: 'client' as const, what: 'SYN, seq 1, ack 0, win 64240' },
    ...{ stateBefore: '', stateAfter: '', pid: null, comm: '', source, locator: `at ${at}`, at: at * 1e6 },
  });
  const again = (source: string, at: number) => ({
    ...packet(source, at),
    ...{ kind: 'retransmit' as const, what: 'retransmit: after 1 timeout' },
  });
  const timeline = [
    ...[packet('a.pcap', 0), packet('a.pcap', 1000), again('a.jsonl', 1000), again('b.jsonl', 1000.2)],
    ...[packet('a.pcap', 3000), packet('b.pcap', 3020), again('a.jsonl', 4000), again('b.jsonl', 4100)],
  ].map((item, i) => ({ ...item, seq: i + 1 }));
  const { steps } = ladderOf(focusOf({ ...result, timeline }), 'c1');
  expect(steps.map((s) => s.places.map((p) => p.locator))).toEqual([
    ['at 0'],
    ['at 1000'],
    ['at 1000', 'at 1000.2'],
    ['at 3000', 'at 3020'],
    ['at 4000'],
    ['at 4100'],
  ]);
});

test('a connection of which only the order is known is drawn in order', () => {
  const result = exp1Result();
  const timeline = result.timeline.map((i) => {
    const { elapsed: _, ...rest } = i;
    return { ...rest, at: null, clock: 'order' as const, time: '' };
  });
  const lanes = lanesOf(ladderOf(focusOf({ ...result, timeline }), 'c1'))!;
  expect(lanes.basis).toBe('order');
  expect(lanes.axis.breaks).toEqual([]);
  expect(lanes.bars.every((b) => b.lasted === null)).toBe(true);
});

test('labels never cover each other at the zoom from which they are shown', () => {
  const boxes = Array.from({ length: 60 }, (_, i) => ({
    x: () => (i * 37) % 100,
    text: 'PSH|ACK 120 B'.slice(0, 3 + (i % 10)),
    important: i % 7 === 0,
  }));
  const places = placeLabels(boxes, 3);
  for (const zoom of ZOOMS) {
    const shown = boxes.flatMap((b, i) =>
      places[i] && places[i].zoom <= zoom ? [{ ...b, level: places[i].level }] : [],
    );
    for (const [i, a] of shown.entries()) {
      for (const b of shown.slice(i + 1)) {
        if (a.level !== b.level) continue;
        const [left, right] = [a, b].map(({ x, text }) => {
          const from = { begin: 0, middle: 0.5, end: 1 }[anchor(x())];
          const start = (x() / 100) * PLOT * zoom - from * widthOf(text);
          return { start, end: start + widthOf(text) };
        }) as [{ start: number; end: number }, { start: number; end: number }];
        expect(Math.max(left.start, right.start) + 1e-6).toBeGreaterThanOrEqual(
          Math.min(left.end, right.end),
        );
      }
    }
  }
  expect(places.filter((p) => p?.zoom === 1).length).toBeGreaterThan(20);
});
