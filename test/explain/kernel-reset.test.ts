// What the kernel itself says of a reset decides, where a capture recorded it (kernel-notes §2.0, §9).
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { analyze } from '../../src/analyze.ts';

const BUNDLE = resolve(import.meta.dirname, '../../samples/bundle/loopback/6.18');
const folder = mkdtempSync(join(tmpdir(), 'kernel-reset-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The real bundle with its events changed: another kernel's way of saying it, or another cause. */
async function withEvents(name: string, change: (events: string) => string) {
  const copy = join(folder, name);
  cpSync(BUNDLE, copy, { recursive: true });
  const path = join(copy, 'events.jsonl');
  writeFileSync(path, change(readFileSync(path, 'utf8')));
  const { findings } = await analyze([copy]);
  return findings.filter((f) => f.group === 'close' && f.role === 'verdict');
}

const verdict = (findings: Awaited<ReturnType<typeof withEvents>>, port: number) =>
  findings.find((f) => f.client.port === port)!;

describe('resets that the kernel explains', () => {
  it('are proved: unread data with its bytes, and a refused connection', async () => {
    const found = await withEvents('as-taken', (e) => e);
    expect(verdict(found, 39358)).toMatchObject({
      rule: 'unread-data-reset',
      confidence: 'proved',
      side: 'server',
      missing: [],
    });
    expect(verdict(found, 39358).summary).toContain('290 bytes');
    expect(verdict(found, 39358).summary).not.toContain('most likely');
    expect(verdict(found, 39378)).toMatchObject({ rule: 'connection-refused', confidence: 'proved' });
  });

  it('are proved by the struct fields where the kernel names no reason (before 6.12)', async () => {
    const found = await withEvents('no-reason', (e) => e.replaceAll('reason=11', 'reason=-1'));
    expect(verdict(found, 39358)).toMatchObject({ rule: 'unread-data-reset', confidence: 'proved' });
  });

  it('are SO_LINGER 0 when the reason is TCP_STATE and the socket lingers for 0', async () => {
    const found = await withEvents('linger', (e) =>
      e
        .replaceAll('reason=11', 'reason=14')
        .replace(/(from=1 to=7 cookie=\d+ unread=)290( shutdown=3) flags=300/, '$10$2 flags=310'),
    );
    expect(verdict(found, 39358)).toMatchObject({ rule: 'linger-zero-reset', confidence: 'proved' });
  });

  it('are never proved unread when nothing was unread and no reason is given', async () => {
    const found = await withEvents('nothing-unread', (e) =>
      e.replaceAll('reason=11', 'reason=-1').replace('unread=290', 'unread=0'),
    );
    expect(verdict(found, 39358).confidence).not.toBe('proved');
  });

  it('are not decided with another reason table when reasons.json is gone', async () => {
    const copy = join(folder, 'no-table');
    cpSync(BUNDLE, copy, { recursive: true });
    writeFileSync(join(copy, 'reasons.json'), '{}');
    const { findings } = await analyze([copy]);
    const refused = findings.find((f) => f.client.port === 39378 && f.role === 'verdict')!;
    // that no socket met the SYN is said without a number
    expect(refused).toMatchObject({ rule: 'connection-refused', confidence: 'proved' });
    expect(refused.evidence[0]!.fact).toContain('names no reason, without a socket');
  });
});
