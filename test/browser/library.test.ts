/** The library in a page: a capture that is dropped on it is explained there. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/index.ts';
import { hasChromium, launch, SAMPLES } from './open.ts';

const LIBRARY = resolve(import.meta.dirname, '../../dist/browser.js');
const CAPTURE = join(SAMPLES, 'live/unread-data/6.18/packets.pcap');

test.skipIf(!hasChromium)('a File in Chromium gives the same result as the file in Node', async () => {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    await page.route('http://page.test/**', (route) =>
      route.request().url().endsWith('.js')
        ? route.fulfill({ contentType: 'text/javascript', body: readFileSync(LIBRARY) })
        : route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>page</title>' }),
    );
    await page.goto('http://page.test/');
    const capture = readFileSync(CAPTURE).toString('base64');
    // as text: a function would be changed by the runner of this test
    const there = await page.evaluate<string>(`(async () => {
      const bytes = Uint8Array.from(atob('${capture}'), (c) => c.charCodeAt(0));
      const { analyze } = await import('http://page.test/browser.js');
      return JSON.stringify(await analyze([{ name: 'packets.pcap', bytes: new File([bytes], 'packets.pcap') }]));
    })()`);
    const here = await analyze([{ name: 'packets.pcap', bytes: readFileSync(CAPTURE) }]);
    expect(JSON.parse(there)).toEqual(JSON.parse(JSON.stringify(here)));
    expect(here.findings.map((f) => f.rule)).toContain('unread-data-reset');
  } finally {
    await browser.close();
  }
});
