/** The notebooks run as they are, on the shipped samples, and their cells give what is known of those. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

describe('one incident: the accept queue of document 002', async () => {
  const cells = await import('../../notebooks/one-incident.ts');

  test('ten resets, six of them by a listener that closed', () => {
    const rows = cells.endings.objects() as { close_kind: string; close_rule: string; connections: number }[];
    expect(rows.reduce((n, r) => n + r.connections, 0)).toBe(10);
    expect(rows[0]).toMatchObject({ close_kind: 'rst', close_rule: 'listener-closed-reset', connections: 6 });
  });

  test('the server stood in CLOSE_WAIT for sixteen minutes, six times', () => {
    const [longest] = cells.stay.objects() as {
      side: string;
      state: string;
      longest_s: number;
      times: number;
    }[];
    expect(longest).toMatchObject({ side: 'server', state: 'CLOSE_WAIT', times: 6 });
    expect(longest!.longest_s).toBeCloseTo(960, 0);
  });

  test('the page has its tables, its chart, and the steps of the worst connection', () => {
    const page = readFileSync(cells.saved, 'utf8');
    for (const text of ['|close-wait-unaccepted|', '(one-incident-states.svg)', 'CLOSE_WAIT -> CLOSE'])
      expect(page).toContain(text);
    expect(cells.stayChart).toMatch(/^<svg[\s\S]*CLOSE_WAIT/);
    expect(cells.steps.numRows()).toBeGreaterThan(5);
  });
});
