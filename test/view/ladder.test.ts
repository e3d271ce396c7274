/** A packet that one capture has and the other lacks is marked in every picture of its connection. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { mermaid } from '../../src/markdown/mermaid.ts';
import { lanesOf } from '../../src/page/lane-rows.ts';
import { sequence } from '../../src/page/sequence.ts';
import { focusOf } from '../../src/view/focus.ts';
import { ladderOf } from '../../src/view/ladder.ts';
import { briefLadder } from '../../src/view/ladder-text.ts';

const SAMPLE = new URL('../../samples/live/syn-lost-on-path/6.18/', import.meta.url).pathname;

test.each([
  ['c1', 'SYN', 'packets.pcap', 'from-client', '├───▶✗  │', 'C-xS'],
  ['c2', 'SYN|ACK', 'client.pcap', 'from-server', '│  ✗◀───┤', 'S-xC'],
])('%s: two %s, not in %s', async (id, what, without, lane, rung, arrow) => {
  const result = await analyze([`${SAMPLE}client.pcap`, `${SAMPLE}packets.pcap`]);
  const ladder = ladderOf(focusOf(result), id);
  const lost = ladder.steps.filter((s) => s.lost);
  expect(lost).toHaveLength(2);
  for (const step of lost) {
    expect(step.lane).toBe(lane);
    expect(step.what.startsWith(`${what}, `)).toBe(true);
    expect(step.what.endsWith(`, not in ${SAMPLE}${without}`)).toBe(true);
  }
  expect(briefLadder(ladder, 200).filter((line) => line.includes(rung))).toHaveLength(2);
  expect(mermaid(ladder).filter((line) => line.includes(arrow))).toHaveLength(2);
  expect(sequence(ladder).text.match(/class="lost"/g)).toHaveLength(2);
  expect(lanesOf(ladder)!.arrows.filter((a) => a.lost)).toHaveLength(2);
});

test('one capture alone shows no packet as lost', async () => {
  const ladder = ladderOf(focusOf(await analyze([`${SAMPLE}client.pcap`])), 'c1');
  expect(ladder.steps.some((s) => s.lost)).toBe(false);
});
