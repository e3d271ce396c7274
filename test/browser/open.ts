/** Opens reports in headless Chromium (Debian's; CHROMIUM names another), and watches for what must not happen. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { analyze } from '../../src/analyze.ts';
import { writeReport } from '../../src/report/write.ts';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);

export const SAMPLES = new URL('../../samples/', import.meta.url).pathname;
export const ARTIFACTS = new URL('../../ci-artifacts/', import.meta.url).pathname;

export async function launch(): Promise<Browser> {
  await mkdir(ARTIFACTS, { recursive: true });
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

/** Path of the report of a folder or file of samples/. */
export async function reportOf(sample: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'browser-'));
  const result = await analyze([join(SAMPLES, sample)], {
    command: `tcpautopsy analyze samples/${sample} -o report`,
  });
  await writeReport(result, dir, { html: true });
  return join(dir, 'report.html');
}

export interface Opened {
  page: Page;
  /** Console errors and warnings, exceptions, requests, and violations of the policy. */
  faults: string[];
  close(): Promise<void>;
}

export async function openReport(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults: string[] = [];
  const url = pathToFileURL(path).href;
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
  await page.goto(url);
  return { page, faults, close: () => context.close() };
}
