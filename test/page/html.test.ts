import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { buildCharts } from '../../src/charts/index.ts';
import { renderHtml } from '../../src/page/html.ts';
import type { Result } from '../../src/tables/result.ts';
import { draw } from '../charts/draw.ts';
import { exp1Result } from '../tables/fixture.ts';
import { bigResult, HOSTILE, hostileResult } from '../tables/variants.ts';
import { THOROUGH } from '../thorough.ts';

async function chartsOf(result: Result) {
  const drawn = [];
  for (const chart of buildCharts(result)) drawn.push({ chart, svg: await draw(chart) });
  return drawn;
}

async function page(result: Result): Promise<string> {
  return renderHtml(result, await chartsOf(result));
}

/** Without what the two script elements hold. */
const markup = (html: string) => html.replace(/(<script[^>]*>)[\s\S]*?(<\/script>)/g, '$1$2');

const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((m) => m[1]!);

describe('the page of experiment 1', async () => {
  const html = await page(exp1Result());

  test('asks nothing of any other place', () => {
    const own = markup(html);
    expect(own).not.toMatch(/<(link|img|iframe|object|embed|base|form)\b/i);
    expect(own).not.toMatch(/\s(src|srcset|action|style|on\w+)=/i);
    expect(own).not.toMatch(/@import|url\((?!#)/);
    const addresses = all(own, /(https?:\/\/[^\s"'<]+)/g);
    expect(new Set(addresses)).toEqual(
      new Set(['http://www.w3.org/2000/svg', 'http://www.w3.org/1999/xlink']),
    );
  });

  test('its policy allows its own style sheet and its own script alone', () => {
    const hash = (text: string) => createHash('sha256').update(text).digest('base64');
    const [style] = all(html, /<style>([\s\S]*?)<\/style>/g);
    const [script] = all(html, /<script>([\s\S]*?)<\/script>/g);
    expect(html).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash(style!)}'; script-src 'sha256-${hash(script!)}'; base-uri 'none'; form-action 'none'"`,
    );
    expect(html.match(/<script\b/g)).toHaveLength(2);
    expect(script).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(|fetch\(|__vi/);
  });

  test('what happened comes first, then the story, then the causes, worst first', () => {
    expect(all(html, /<h1>([^<]*)/g)).toEqual([exp1Result().incidents[0]!.headline]);
    expect(html.indexOf('<h1>')).toBeLessThan(html.indexOf('Ten clients on 172.16.58.147'));
    for (const label of ['When', 'Who', 'Affected', 'Confidence'])
      expect(html).toContain(`<dt>${label}</dt>`);
    expect(html).toContain('<dt class="do">Do this</dt>');
    expect(all(html, /<article class="card (\w+)" id="cause-/g)).toEqual([
      'error',
      'error',
      'error',
      'warning',
      'warning',
      'info',
    ]);
    expect(all(html, /<h2[^>]*>([^<]*)/g)).toEqual([
      'In order',
      'Causes',
      'Charts',
      'Step by step',
      'Connections',
      'Settings',
      'Questions',
      'Counters',
      'Clocks',
      'Data quality',
      'Inputs',
    ]);
  });

  test('every part that a reader needs is there', () => {
    for (const text of [
      'Incomplete input: 1 kind of loss or damage.',
      'the pattern and its context point to one cause',
      '[client-tcpstates.txt, line 36',
      'the RST itself: it is in no transcript',
      'tcpautopsy analyze exp1 -o report',
      '42 µs',
      '17 is a total since boot',
      'SYN_SENT -&gt; ESTABLISHED of port 43798',
    ]) {
      expect(html).toContain(text);
    }
  });

  test('ids are unique, links lead somewhere, headings have no gaps', () => {
    const ids = all(html, /\sid="([^"]+)"/g);
    expect(new Set(ids).size).toBe(ids.length);
    for (const target of all(html, /href="#([^"]+)"/g)) expect(ids).toContain(target);
    for (const target of all(html, /aria-labelledby="([^"]+)"/g)) expect(ids).toContain(target);
    const levels = all(html, /<h([1-6])/g).map(Number);
    expect(levels.filter((l) => l === 1)).toHaveLength(1);
    for (const [i, level] of levels.entries())
      if (i > 0) expect(level).toBeLessThanOrEqual(levels[i - 1]! + 1);
  });

  test('tables name their headers, boxes that scroll can be reached by keyboard', () => {
    expect(html).not.toMatch(/<th(?![^>]*scope=)(?=[\s>])/);
    for (const box of html.match(/<div class="scroll[^>]*>/g)!)
      expect(box).toMatch(/role="region" aria-label="[^"]+" tabindex="0"/);
    expect(html).toMatch(/<html lang="en">/);
    expect(html).toMatch(/<a class="skip" href="#causes">/);
  });

  test('tags are balanced', () => {
    const open: string[] = [];
    const empty = new Set(['meta', 'br', 'path', 'line', 'rect', 'input', 'circle']);
    for (const [, close, tag, selfClosed] of markup(html).matchAll(
      /<(\/?)([a-z][a-z0-9]*)\b[^>]*?(\/?)>/gi,
    )) {
      if (close) expect(open.pop()).toBe(tag);
      else if (!selfClosed && !empty.has(tag!)) open.push(tag!);
    }
    expect(open).toEqual([]);
  });
});

test.each(HOSTILE)('no name becomes markup, or breaks out of a chart: %j', async (text) => {
  const drawn = await chartsOf(hostileResult(text));
  for (const { chart, svg } of drawn) {
    expect(svg).not.toContain('<script');
    expect(svg).not.toContain('</style');
    expect(svg).not.toContain('<img');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
    expect(svg + JSON.stringify(chart.spec)).not.toMatch(/[\u0000-\u0008\u001b\u202e]/);
    // a visible escape is text: its backslash is escaped once more
    expect(JSON.stringify(chart.spec)).not.toMatch(/(?<!\\)\\u001b/);
  }
  const html = renderHtml(hostileResult(text), drawn);
  expect(html).not.toMatch(/<script>alert|<img|<\/style><\/svg>/i);
  expect(html.match(/<\/style>/g)).toHaveLength(1);
  expect(html.match(/<\/?script/g)).toHaveLength(4);
  const [data] = all(html, /id="connection-data">([\s\S]*?)<\/script>/g);
  expect(JSON.parse(data!)).toHaveLength(hostileResult(text).connections.length);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
  expect(/[\u0000-\u0009\u000b-\u001f\u202e]/.test(html.replace(/<script>[\s\S]*/, ''))).toBe(false);
});

test('a result without causes or connections is still a page', async () => {
  const html = await page({
    ...exp1Result(),
    story: ['Nothing was found.'],
    incidents: [],
    servers: [],
    settings: [],
    activity: null,
    durations: { handshake: null, lasted: null },
    causes: [],
    findings: [],
    connections: [],
    timeline: [],
    answers: [],
    counters: [],
    clocks: [],
    diagnostics: [],
  });
  expect(all(html, /<h1>([^<]*)/g)).toEqual(['Nothing was found.']);
  expect(html).toContain('Nothing was lost, skipped, truncated or ambiguous.');
  expect(all(html, /<h2[^>]*>([^<]*)/g)).toEqual(['Data quality', 'Inputs']);
});

test.skipIf(!THOROUGH)(
  '100,000 connections stay usable: grouped, in pages, below 5 MB, and it says so',
  async () => {
    const html = await page(bigResult(100_000));
    expect(html.length).toBeLessThan(5_000_000);
    expect(html).toContain('10,000 of 100,000 connections can be searched here');
    expect(html).toContain('200 of 100,000 connections');
    expect(html).toMatch(/\d groups? of problem connections with the same server/);
    expect(html).toContain('30 examples of 83,333 problem connections');
    const ids = new Set(all(markup(html), /\sid="([^"]+)"/g));
    for (const target of all(markup(html), /href="#([^"]+)"/g)) expect(ids).toContain(target);
  },
  180_000,
);
