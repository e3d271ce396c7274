/** The notebook of many captures runs as it is, over a batch of the live samples. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

describe('many captures: the live samples', async () => {
  const cells = await import('../../notebooks/many-captures.ts');

  test('faults are where the samples provoke them', () => {
    const grid = cells.grid.objects({ limit: 10_000 }) as { capture: string; rule: string }[];
    const has = (capture: string, rule: string) => grid.some((g) => g.capture === capture && g.rule === rule);
    expect(has('unread-data', 'unread-data-reset')).toBe(true);
    expect(has('close-wait-leak', 'close-wait-leak')).toBe(true);
    expect(has('graceful-client-first', 'unread-data-reset')).toBe(false);
  });

  test('every capture is in it, and the chart is drawn', () => {
    const captures = new Set(cells.connections.array('capture'));
    expect(captures.size).toBeGreaterThan(40);
    expect(cells.gridChart).toContain('unread-data-reset');
    expect(readFileSync(cells.saved, 'utf8')).toContain('|long-fin-wait2|');
  });
});
