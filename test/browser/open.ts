/** Opens reports in headless Chromium (Debian's; CHROMIUM names another), and watches for what must not happen. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { analyze } from '../../src/analyze.ts';
import { buildCharts } from '../../src/charts/index.ts';
import { renderSvg } from '../../src/charts/render.ts';
import type { DrawnChart } from '../../src/page/document.ts';
import { renderHtml } from '../../src/page/html.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);

export const SAMPLES = new URL('../../samples/', import.meta.url).pathname;
export const ARTIFACTS = new URL('../../ci-artifacts/', import.meta.url).pathname;

export async function launch(): Promise<Browser> {
  await mkdir(ARTIFACTS, { recursive: true });
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

const reports = new Map<string, Promise<string>>();

/** Path of the report of a folder or file of samples/, as `analyze` writes it; made once. */
export function reportOf(sample: string): Promise<string> {
  const known = reports.get(sample) ?? writeReportOf(sample);
  reports.set(sample, known);
  return known;
}

async function writeReportOf(sample: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'browser-')), 'report.html');
  const result = await analyze([join(SAMPLES, sample)], {
    command: `tcpautopsy analyze samples/${sample} -o report`,
  });
  const drawn: DrawnChart[] = [];
  for (const chart of buildCharts(result)) drawn.push({ chart, svg: await renderSvg(chart) });
  await writeFile(path, renderHtml(result, drawn));
  return path;
}

export interface Opened {
  page: Page;
  /** Console errors and warnings, exceptions, requests, and violations of the policy, of the report shown. */
  faults: string[];
  /** Shows another report on the same page, which costs far less than a new one. */
  show(path: string): Promise<void>;
  close(): Promise<void>;
}

/** A page of its own, and the report at `path` on it. */
export async function openReport(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults: string[] = [];
  let url = '';
  page.on('console', (m) => {
    if (m.type() === 'error' || m.type() === 'warning') faults.push(`console: ${m.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('request', (request) => {
    if (request.url() !== url) faults.push(`request: ${request.url()}`);
  });
  await page.addInitScript(() => {
    // what the policy stops is also an error on the console; this names the directive
    addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective}`));
  });
  const show = async (path: string) => {
    url = pathToFileURL(path).href;
    faults.length = 0;
    await page.goto(url);
  };
  await show(path);
  return { page, faults, show, close: () => context.close() };
}
