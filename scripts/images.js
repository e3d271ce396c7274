// npm run images [-- NAME...]: docs/images, the first screens of docs/first-screen.md as a reader meets them: the page at two widths, light and
// dark, and the terminal at 80 columns. WebP, which Chromium (Debian's; CHROMIUM names another) writes itself.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { makeInputs } from '../bench/loads.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const images = join(root, 'docs/images');
const work = mkdtempSync(join(tmpdir(), 'images-'));
const lost = 'samples/live/syn-lost-on-path/6.18';

/** @type {Record<string, () => string[]>} */
const screens = {
  'accept-queue-transcripts': () => ['samples/documents/exp1'],
  'accept-queue-bundle': () => ['samples/bundle/accept-queue-incident/6.18'],
  'unread-data': () => ['samples/bundle/unread-data/6.18'],
  'syn-flood': () => [flood(join(work, 'flood.txt'))],
  'both-ends': () => [`${lost}/client.pcap`, `${lost}/packets.pcap`],
  'million-packets': () => makeInputs({ shape: { kind: 'small', packets: 1_000_000 } }, work),
  clean: () => ['samples/live/graceful-client-first/6.18/packets.pcap'],
  netstat: () => ['samples/tools/netstat/netstat-anp.txt'],
};

/** What tcpdump prints of 5,000 SYNs of as many addresses in 10 s, 2,018 of them answered, beside 60 connections that are served. @param {string} path */
function flood(path) {
  /** @type {[number, string, string, string][]} */
  const lines = [];
  const server = '203.0.113.20.443';
  for (let i = 0; i < 5_000; i++) {
    const client = `11.${i % 251}.${i % 241}.${i % 239}.${1_024 + i}`;
    lines.push([2 * i, client, server, `Flags [S], seq ${i}, win 64240, length 0`]);
    if (i < 2_018)
      lines.push([2 * i + 0.2, server, client, `Flags [S.], seq 7, ack ${i + 1}, win 65160, length 0`]);
  }
  for (let i = 0; i < 60; i++) {
    const client = `192.0.2.${i % 20}.${40_000 + i}`;
    const say = [
      '[S], seq 1',
      '[S.], seq 9, ack 2',
      '[.], ack 10',
      '[F.], seq 2, ack 10',
      '[F.], seq 10, ack 3',
      '[.], ack 11',
    ];
    for (const [n, flags] of say.entries())
      lines.push([
        160 * i + n,
        ...(n === 1 || n === 4 ? [server, client] : [client, server]),
        `Flags ${flags}, win 64240, length 0`,
      ]);
  }
  lines.sort((a, b) => a[0] - b[0]);
  const at = (/** @type {number} */ ms) => new Date(1_700_000_000_000 + ms).toISOString().slice(11, 23);
  writeFileSync(
    path,
    lines.map(([ms, from, to, what]) => `${at(ms)}000 IP ${from} > ${to}: ${what}\n`).join(''),
  );
  return path;
}

/** @param {string[]} args */
function run(...args) {
  const env = { ...process.env, FORCE_COLOR: '1', COLUMNS: '80' };
  const { stdout, stderr, status } = spawnSync(process.execPath, ['dist/cli.js', ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

const COLOURS = {
  1: 'font-weight:bold',
  2: 'opacity:.7',
  31: 'color:#f66',
  33: 'color:#fc6',
  32: 'color:#7d7',
  36: 'color:#7cf',
};

/** What a terminal shows of a text with escape sequences. @param {string} text */
function terminal(text) {
  const safe = text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  const [before, ...parts] = safe.split('\u001b[');
  const coloured = parts.map((part) => {
    const end = part.indexOf('m');
    const style = /** @type {Record<string, string>} */ (COLOURS)[part.slice(0, end)];
    return `${style ? `<span style="${style}">` : '</span>'}${part.slice(end + 1)}`;
  });
  return `<body style="margin:0;background:#111;color:#ddd"><pre style="margin:12px;font:14px/1.25 'DejaVu Sans Mono',monospace">${before}${coloured.join('')}</pre>`;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});

/** @param {string} name @param {string} url @param {{ width: number, height: number }} viewport @param {'light' | 'dark'} colorScheme */
async function shoot(name, url, viewport, colorScheme) {
  const page = await browser.newPage({ viewport, colorScheme });
  await page.goto(url);
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 30 });
  writeFileSync(join(images, `${name}.webp`), Buffer.from(data, 'base64'));
  await page.close();
}

try {
  const asked = process.argv.slice(2);
  for (const [name, inputs] of Object.entries(screens)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const given = inputs();
    const folder = join(work, name);
    run('analyze', ...given, '-o', folder);
    const report = pathToFileURL(join(folder, 'report.html')).href;
    for (const scheme of /** @type {const} */ (['light', 'dark'])) {
      await shoot(`${name}-wide-${scheme}`, report, { width: 1300, height: 900 }, scheme);
      await shoot(`${name}-narrow-${scheme}`, report, { width: 390, height: 844 }, scheme);
    }
    const text = run('explain', ...given);
    const printed = join(work, `${name}.html`);
    writeFileSync(printed, `<!doctype html><meta charset="utf-8">${terminal(text)}`);
    const rows = Math.min(text.split('\n').length, 30);
    await shoot(
      `${name}-terminal`,
      pathToFileURL(printed).href,
      { width: 720, height: 24 + rows * 18 },
      'dark',
    );
  }
} finally {
  await browser.close();
  rmSync(work, { recursive: true, force: true });
}
const bytes = readdirSync(images).reduce((sum, name) => sum + statSync(join(images, name)).size, 0);
console.log(`docs/images: ${readdirSync(images).length} files, ${Math.round(bytes / 1000)} kB`);
