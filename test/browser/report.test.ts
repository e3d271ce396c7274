/** The report as a reader meets it: every sample opens in a real browser, with and without script. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunOptions } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderHtml } from '../../src/page/html.ts';
import { bigResult } from '../tables/variants.ts';
import { ARTIFACTS, hasChromium, launch, type Opened, openReport, reportOf, SAMPLES } from './open.ts';

const folders = (path: string): string[] =>
  readdirSync(join(SAMPLES, path))
    .map((name) => `${path}/${name}`)
    .filter((name) => statSync(join(SAMPLES, name)).isDirectory());
/** One incident each: samples of a behaviour lie in a folder for each kernel. */
const EVERY = ['documents', 'bundle', 'live'].flatMap((kind) =>
  folders(kind).flatMap((s) => (folders(s).length > 0 ? folders(s) : [s])),
);
/** The first of each behaviour: those of other kernels, and the plain files beside a bundle, give reports like it. */
const EACH = EVERY.filter((s, i) => EVERY.findIndex((e) => e.split('/')[1] === s.split('/')[1]) === i);
/** Reports that hold every part a report can have, looked at in all modes and kept as pictures. */
const TELLING = [
  'documents/000',
  'documents/004',
  'documents/exp1',
  'bundle/accept-queue-ack/6.18',
  'bundle/deferred-accept/6.18',
  'bundle/fin-wait2-expired/6.18',
  // those of docs/first-screen.md
  'bundle/accept-queue-incident/6.18',
  'bundle/unread-data/6.18',
  'field/stories/filtered-syns.pcap',
  'live/syn-lost-on-path/6.18',
  'live/graceful-client-first/6.18/packets.pcap',
  'tools/netstat/netstat-anp.txt',
];
/** REPORTS=all opens every sample, and looks at each in all modes: far too long for every run. */
const ALL = process.env.REPORTS === 'all';
const OPENED = ALL ? EVERY : [...new Set([...EACH, ...TELLING])];
const LOOKED_AT = ALL ? EVERY : TELLING;
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 900 };
/** Pictures of reports end here: the rest is more of the same. Chromium draws none above 16,000. */
const HIGHEST = ALL ? 16_000 : 4_000;

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Faults of the kinds `serious` and `critical`, each with the first element it concerns. */
async function accessibilityFaults(page: Page, options: RunOptions = {}): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async (options) => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document, { resultTypes: ['violations'], ...options });
    return violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map((v) => `${v.id} (${v.nodes.length}): ${v.nodes[0]?.html.slice(0, 200)}`);
  }, options);
}

/** What stands on the page, with the sizes of its pictures in pixels. */
const whatStands = (page: Page) =>
  page.evaluate(() => {
    const boxes = (selector: string) =>
      [...document.querySelectorAll(selector)].map((e) => e.getBoundingClientRect());
    return {
      title: document.querySelector('h1')?.textContent,
      sentences: document.querySelectorAll('.story li').length,
      charts: boxes('section > figure svg').map((b) => b.width * b.height),
      lanes: boxes('details[open] .lanes svg.plot').map((b) => b.width),
      rows: document.querySelectorAll('#connection-table tbody tr').length,
    };
  });

/** The page itself is not scrolled sideways. */
const fits = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

async function picture(page: Page, path: string, width: number): Promise<void> {
  const height = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), HIGHEST);
  const clip = { x: 0, y: 0, width, height };
  await page.screenshot({ path, type: 'jpeg', quality: 60, fullPage: true, clip });
}

/** What is folded is looked at as well. */
const unfold = (page: Page) =>
  page.evaluate(() => {
    for (const part of document.querySelectorAll('details')) part.open = true;
  });

const names = (page: Page, column = 0) =>
  page.locator(`#connection-table tbody tr > :nth-child(${column + 1})`).allTextContents();

describe.skipIf(!hasChromium)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  describe('every report', () => {
    let opened: Opened;
    beforeAll(async () => {
      opened = await openReport(browser, await reportOf(OPENED[0]!), { viewport: WIDE });
    });
    afterAll(() => opened.close());

    test.each(OPENED)('%s: no fault, all is drawn, wide and narrow', async (sample) => {
      const path = await reportOf(sample);
      expect(statSync(path).size).toBeLessThan(5_000_000);
      const { page, faults } = opened;
      await opened.show(path);
      const { title, sentences, charts, lanes, rows } = await whatStands(page);
      expect(title).toMatch(/^.{10,}\.$/);
      expect(sentences).toBeLessThanOrEqual(5);
      for (const area of charts) expect(area).toBeGreaterThan(5_000);
      for (const width of lanes) expect(width).toBeGreaterThan(500);
      await unfold(page);
      if (rows > 0) {
        const head = page.locator('#connection-table th').first();
        await head.locator('button').focus();
        await page.keyboard.press('Enter');
        expect(await head.getAttribute('aria-sort')).toBe('ascending');
      }
      expect(await fits(page)).toBe(true);
      await page.setViewportSize(NARROW);
      expect(await fits(page)).toBe(true);
      await page.setViewportSize(WIDE);
      expect(faults).toEqual([]);
    });

    test.each(LOOKED_AT)('%s: accessible and legible in light and dark, wide and narrow', async (sample) => {
      const { page, faults } = opened;
      await opened.show(await reportOf(sample));
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        // contrast is of the colours, and all else of the layout
        const contrast: RunOptions = { runOnly: ['color-contrast'] };
        expect(await accessibilityFaults(page, contrast), colorScheme).toEqual([]);
        for (const [name, viewport] of Object.entries({ narrow: NARROW, wide: WIDE })) {
          await page.setViewportSize(viewport);
          const rules = { 'color-contrast': { enabled: false } };
          if (colorScheme === 'light') expect(await accessibilityFaults(page, { rules }), name).toEqual([]);
          const file = `${sample.replaceAll('/', '-')}-${colorScheme}-${name}.jpg`;
          await picture(page, join(ARTIFACTS, file), viewport.width);
        }
      }
      expect(faults).toEqual([]);
    });
  });

  test('a fault would be seen', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'browser-')), 'bad.html');
    const html = readFileSync(await reportOf('documents/exp1'), 'utf8');
    writeFileSync(path, html.replace('</main>', '<script>1</script><img src="https://192.0.2.1/x"></main>'));
    const { faults, close } = await openReport(browser, path);
    expect(faults.filter((f) => f.includes('policy: script-src'))).toHaveLength(1);
    expect(faults.filter((f) => f.includes('policy: img-src'))).toHaveLength(1);
    await close();
  });

  test.each(['documents/exp1', 'bundle/accept-queue-ack/6.18'])(
    '%s: on paper no page is cut',
    async (sample) => {
      const { page, close } = await openReport(browser, await reportOf(sample));
      await page.pdf({ path: join(ARTIFACTS, `${sample.replaceAll('/', '-')}.pdf`), format: 'A4' });
      // A4 without margins, in CSS pixels
      await page.setViewportSize({ width: 794, height: 1123 });
      await page.emulateMedia({ media: 'print' });
      expect(await fits(page)).toBe(true);
      for (const control of await page.locator('.zoom, .controls, .show, nav').all())
        expect(await control.isVisible()).toBe(false);
      await close();
    },
  );

  test('an incident of 60 connections is short, folded and on paper', async () => {
    const { page, close } = await openReport(browser, await reportOf('bundle/accept-queue-incident/6.18'));
    for (const viewport of [WIDE, NARROW]) {
      await page.setViewportSize(viewport);
      expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThan(8000);
    }
    const paper = await page.pdf({ format: 'A4' });
    expect(paper.toString('latin1').match(/\/Type\s*\/Page\b/g)!.length).toBeLessThan(8);
    await close();
  });

  test('the lanes are zoomed by keyboard', async () => {
    const { page, close } = await openReport(browser, await reportOf('documents/exp1'));
    const plot = page.locator('.lanes svg.plot').first();
    const width = async () => (await plot.boundingBox())!.width;
    const before = await width();
    await page.locator('.lanes input:checked').first().focus();
    await page.keyboard.press('ArrowRight');
    expect((await width()) / before).toBeCloseTo(2, 1);
    await page.locator('.lanes .scroll').first().focus();
    await page.keyboard.press('+');
    expect((await width()) / before).toBeCloseTo(4, 1);
    await page.keyboard.press('-');
    expect((await width()) / before).toBeCloseTo(2, 1);
    await close();
  });

  test('everything is there without script', async () => {
    const { page, faults, close } = await openReport(browser, await reportOf('documents/exp1'), {
      javaScriptEnabled: false,
    });
    expect(await page.locator('#connection-table tbody tr').count()).toBe(10);
    expect(await page.locator('.controls').count()).toBe(0);
    const plot = page.locator('.lanes svg.plot').first();
    const before = (await plot.boundingBox())!.width;
    await page.locator('.lanes input[value="4"]').first().check();
    expect((await plot.boundingBox())!.width / before).toBeCloseTo(4, 1);
    expect(faults).toEqual([]);
    await close();
  });

  describe('the table of connections', () => {
    let page: Page;
    beforeAll(async () => {
      ({ page } = await openReport(browser, await reportOf('documents/exp1')));
      await unfold(page);
    });

    test('is sorted by keyboard, up, down and back, and says so', async () => {
      const original = await names(page);
      const head = page.locator('#connection-table th', { hasText: 'lasts' });
      await head.locator('button').focus();
      await page.keyboard.press('Enter');
      expect(await head.getAttribute('aria-sort')).toBe('ascending');
      const up = await names(page, 4);
      expect(up[0]).toBe('927 µs');
      await page.keyboard.press('Space');
      expect(await head.getAttribute('aria-sort')).toBe('descending');
      expect((await names(page, 4))[0]).toBe('16 min 0 s');
      await page.keyboard.press('Enter');
      expect(await head.getAttribute('aria-sort')).toBeNull();
      expect(await names(page)).toEqual(original);
    });

    test('is searched, and filtered by cause', async () => {
      const status = page.locator('.controls [role=status]');
      await page.getByLabel('Search connections').fill('43782');
      expect(await names(page, 1)).toEqual(['172.16.58.147:43782']);
      expect(await status.textContent()).toBe('1 of 10 connections');
      await page.getByLabel('Search connections').fill('');
      await page.locator('.controls select').selectOption('cookie-overflow-reset');
      expect(await status.textContent()).toBe('3 of 10 connections');
      await page.locator('.controls select').selectOption('');
    });

    test('shows the connections of a card', async () => {
      await page
        .locator('#cause-request-expired-reset')
        .getByRole('button', { name: 'Show them in the table' })
        .click();
      expect(await names(page, 1)).toEqual(['172.16.58.147:43782']);
      await page.locator('.controls select').selectOption('');
    });

    test('a step pointed at is marked in the picture and in the table', async () => {
      const life = page.locator('details.life').first();
      await life.locator('.ladder tbody tr[data-step]').nth(1).hover();
      expect(await life.locator('.chosen').count()).toBeGreaterThan(1);
    });
  });

  test('100,000 connections: pages, groups, a search in well under a second', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'browser-')), 'big.html');
    writeFileSync(path, renderHtml(bigResult(100_000), []));
    expect(statSync(path).size).toBeLessThan(5_000_000);
    const { page, faults, close } = await openReport(browser, path);
    await unfold(page);
    expect(await names(page)).toHaveLength(100);
    await page.getByRole('button', { name: 'next →' }).click();
    expect(await page.locator('.controls [role=status]').textContent()).toMatch(/^101 to 200 of 10000/);
    const milliseconds = await page.evaluate(() => {
      const input = document.querySelector<HTMLInputElement>('input[type=search]')!;
      input.value = ':2024';
      const start = performance.now();
      input.dispatchEvent(new Event('input'));
      return performance.now() - start;
    });
    expect(milliseconds).toBeLessThan(1000);
    await page.evaluate(() => {
      location.hash = '#c9001';
    });
    await expect.poll(() => page.locator('#c9001').count()).toBe(1);
    expect(faults).toEqual([]);
    await close();
  });
});
