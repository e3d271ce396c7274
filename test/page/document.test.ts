/** All outputs of a real analysis: experiment 1 of seed document 002, and a live capture with packets. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { renderExplain } from '../../src/terminal/terminal.ts';
import { writeReport } from '../../src/write.ts';

const SAMPLES = new URL('../../samples/', import.meta.url).pathname;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'document-'));
});
afterAll(() => rm(root, { recursive: true }));

async function report(
  sample: string,
): Promise<{ read: (name: string) => Promise<string>; explained: string }> {
  const result = await analyze([join(SAMPLES, sample)], { command: `tcpautopsy analyze ${sample}` });
  const dir = join(root, sample.replaceAll('/', '-'));
  await writeReport(result, dir, { html: true });
  const explained = renderExplain(result, { width: 100, color: false });
  return { read: (name) => readFile(join(dir, name), 'utf8'), explained };
}

describe('the accept queue of document 002', async () => {
  let files: Awaited<ReturnType<typeof report>>;
  beforeAll(async () => {
    files = await report('documents/exp1');
  });

  test('page, Markdown and terminal name the same causes', async () => {
    const [html, markdown] = await Promise.all([files.read('report.html'), files.read('report.md')]);
    for (const rule of [
      'close-wait-unaccepted',
      'listener-closed-reset',
      'cookie-overflow-reset',
      'request-expired-reset',
    ]) {
      expect(html).toContain(`id="cause-${rule}"`);
      expect(markdown).toContain(`\`${rule}\``);
      expect(files.explained).toContain(`cause: ${rule}`);
    }
  });

  test('the charts show sixteen minutes in CLOSE_WAIT as a break, and FIN_WAIT2', async () => {
    const svg = await files.read('charts/state-timeline.svg');
    expect(svg).toMatch(/\/\/ 1[56] min/);
    expect(svg).toContain('FIN_WAIT2');
    expect(JSON.parse(await files.read('charts/fin-wait2.vl.json')).$schema).toContain('vega-lite/v6');
  });

  test('the ladder of 43768 begins with its SYN and ends with the RST', () => {
    const ladder = /43768 → [\s\S]*?\n\n/.exec(files.explained)?.[0] ?? '';
    expect(ladder.indexOf('CLOSE → SYN_SENT')).toBeGreaterThan(0);
    expect(ladder.indexOf('RST|ACK')).toBeGreaterThan(ladder.indexOf('FIN_WAIT2 → CLOSE'));
  });
});

test('the pressure on a listener: its accept queue against its limit, and the counters that rose', async () => {
  const { read } = await report('live/accept-queue-incident/6.18');
  const svg = await read('charts/listener-pressure.svg');
  for (const text of ['10.77.0.2:8080', 'limit 5', 'ListenOverflows = ListenDrops', 'SYN again'])
    expect(svg).toContain(text);
});

test.each(['documents', 'live/accept-queue-incident/6.18', 'bundle/accept-queue-incident/6.18'])(
  'the Markdown of %s fits into a ticket',
  async (sample) => {
    const { read } = await report(sample);
    expect((await read('report.md')).length).toBeLessThan(32_767);
  },
);

test('a packet that two captures show is one rung with two places', async () => {
  const { explained } = await report('live/data-after-close/6.18');
  const syns = explained.split('\n').filter((line) => line.includes('├──────▶│  SYN, seq'));
  expect(syns).toHaveLength(1);
  expect(syns[0]).toMatch(/\[\d, frame 1\] \[\d, frame 1\]/);
});
