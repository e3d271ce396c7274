/** Lines of a kernel's log and counters of connection tracking that name no connection: what they may have cost. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

async function told(...lines: string[]) {
  const bytes = new TextEncoder().encode(`${lines.join('\n')}\n`);
  const { findings } = await analyze([{ name: 'x.txt', bytes }]);
  return findings;
}
const short = async (...lines: string[]) =>
  (await told(...lines)).map((f) => [f.rule, f.confidence, f.severity]);

test.each([
  ['IPv4: martian source 192.0.2.10 from 10.1.1.1, on dev eth0', 'martian-drop', 'possible'],
  ['swapper/0: page allocation failure: order:0, mode:0x20(GFP_ATOMIC)', 'memory-pressure-reset', 'possible'],
  ['Out of memory: Killed process 812 (java) total-vm:9081232kB', 'unread-data-reset', 'possible'],
  [
    'Memory cgroup out of memory: Kill process 812 (node) score 1 or sacrifice child',
    'unread-data-reset',
    'possible',
  ],
  ['Out of socket memory', 'memory-pressure-reset', 'proved'],
])('%s', async (line, rule, confidence) => {
  for (const prefix of ['[  812.123456] ', 'Nov 30 06:00:00 web kernel: ', '[Mon Nov 30 06:00:00 2026] ']) {
    const [finding, ...others] = await told(prefix + line);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ rule, confidence });
    expect(finding!.evidence[0]!.fact).toContain(line.slice(0, 20));
  }
});

test('what looks like them is none', async () => {
  const full = '[  812.100000] nf_conntrack: nf_conntrack: table full, dropping packet';
  const only = [['conntrack-table-full', 'proved', 'error']];
  for (const line of [
    'oom_reaper: reaped process 812 (java), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB',
    'java invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0',
    'Memory cgroup stats for /web: cache:0KB',
    'll header: 00000000: ff ff ff ff ff ff 52 54 00 12 34 56 08 06',
    'page allocation debugging is disabled',
  ])
    expect(await short(full, `[  812.200000] ${line}`)).toEqual(only);
});

const row = (cpu: number, invalid: number, failed = 0) =>
  `cpu=${cpu}   \tfound=0 invalid=${invalid} insert=0 insert_failed=${failed} drop=0 early_drop=0 error=0 search_restart=0 clash_resolve=0 chaintoolong=0`;

test('conntrack -S: INVALID packets may have been forwarded untranslated; clashes of entries were not', async () => {
  expect(await short(row(0, 3), row(1, 4), row(0, 3), row(1, 14))).toEqual([
    ['untranslated-packet-reset', 'possible', 'warning'],
  ]);
  expect(await short(row(0, 3), row(1, 4))).toEqual([['untranslated-packet-reset', 'possible', 'info']]);
  expect(await short(row(0, 0, 7), row(0, 0, 9))).toEqual([]);
  // a total that did not rise in between
  expect(await short(row(0, 3), row(0, 3))).toEqual([]);
});
