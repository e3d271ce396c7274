import { describe, expect, test } from 'vitest';
import { rules } from '../../src/explain/rules/index.ts';
import { captureFormats, lineFormats } from '../../src/read/formats.ts';
import { renderFormats, renderRules } from '../../src/terminal/lists.ts';
import { renderExplain, renderOverview, renderSummary } from '../../src/terminal/terminal.ts';
import { wrap } from '../../src/view/columns.ts';
import { exp1Result } from '../tables/fixture.ts';
import { HOSTILE, hostileResult } from '../tables/variants.ts';

const plain = { width: 80, color: false };

describe('explain', () => {
  const text = renderExplain(exp1Result(), plain);

  test('tells the story, then causes with evidence, fix, what is missing and what else fits', () => {
    expect(text.match(/^[A-Z0-9 ]+$/gm)).toEqual([
      'WHAT HAPPENED',
      'CAUSES',
      '3 EXAMPLES OF 10 PROBLEM CONNECTIONS',
      'QUESTIONS ANSWERED',
      'SETTINGS',
      'COUNTERS',
      'WHAT WAS LOST OR SKIPPED',
    ]);
    expect(text).toContain('✗ Accept queue full when the SYN cookie came back (3 connections, likely)');
    for (const label of ['cause:', 'confidence:', 'fix:', 'missing evidence:', 'could also be:', 'evidence'])
      expect(text).toContain(`  ${label}`);
    expect(text).toMatch(/client-tcpstates\.txt,\s+line\s+36\]/);
  });

  test('steps that cannot be put in order stand at the end of a ladder', () => {
    expect(text).toMatch(/CLOSE_WAIT → CLOSE[\s\S]*not in order with the above:\n.*socket table: FIN_WAIT2/);
  });

  test('names a process that was only interrupted as such', () => {
    expect(text).toContain('ESTABLISHED → FIN_WAIT1  client[6099]');
    expect(text).toContain('SYN_SENT → ESTABLISHED  during client[6099]');
  });

  test.each([60, 80, 110])('keeps to %d columns', (width) => {
    for (const line of renderExplain(exp1Result(), { width, color: false }).split('\n')) {
      expect([...line].length, line).toBeLessThanOrEqual(width);
    }
  });

  test('colours only when asked', () => {
    expect(text).not.toContain('\x1b');
    const colored = renderExplain(exp1Result(), { width: 80, color: true });
    expect(colored).toContain('\x1b[31m✗ \x1b[0m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours
    expect(colored.replace(/\x1b\[\d+m/g, '')).toBe(text);
  });
});

test.each(HOSTILE)('no name steers the terminal: %j', (hostile) => {
  const result = hostileResult(hostile);
  const text =
    renderExplain(result, plain) + renderOverview(result, plain) + renderSummary(result, hostile, plain);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
});

describe('the first screen', () => {
  const text = renderOverview(exp1Result(), plain);

  test('says what happened, since when, to whom, what to do and how sure, in 30 lines', () => {
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
    for (const label of ['When', 'Who', 'Affected', 'Do this', 'Confidence', 'Looked at'])
      expect(text).toMatch(new RegExp(`^ *${label} `, 'm'));
    expect(text).toContain('10 of 10 connections, from 1 client');
  });

  test('of many problems shows the gravest, and as many others as have room', () => {
    const one = exp1Result();
    const [incident] = one.incidents;
    for (const n of [2, 5, 40]) {
      const many = { ...one, incidents: Array.from({ length: n }, () => incident!) };
      const lines = renderOverview(many, plain).trimEnd().split('\n');
      expect(lines.length).toBeLessThanOrEqual(30);
      expect(lines[0]).toBe(`${n} problems found, the gravest first.`);
    }
  });

  test('says that nothing is wrong, and what was looked at', () => {
    const well = renderOverview({ ...exp1Result(), incidents: [], diagnostics: [] }, plain);
    expect(well).toMatch(/^✓ No problems found\.\n/);
    expect(well).toContain('10 connections to 1 server in client-tcpstates.txt');
  });
});

test('the summary names causes, losses and where to read on', () => {
  const text = renderSummary(exp1Result(), 'out', plain);
  expect(text).toMatch(/└ Accept queue full when the SYN cookie .* 3 likely/);
  expect(text).toContain('Incomplete input: 1 kind of loss or damage.');
  expect(text).toContain('Written to out; start with report.html, or report.md.');
  expect(renderSummary(exp1Result(), 'out', plain, false)).toContain('Written to out; start with report.md.');
});

test('rules are listed by group, and one is told in full', () => {
  const list = renderRules(rules, plain, false);
  for (const rule of rules) expect(list).toContain(rule.id);
  const one = renderRules(rules.slice(0, 1), plain, true);
  expect(one).toContain('condition:');
  expect(one).toContain(rules[0]!.id);
});

test('formats say what they can prove', () => {
  const formats = [...captureFormats, ...lineFormats];
  const text = renderFormats(formats, plain);
  for (const f of formats) expect(text).toContain(f.id);
  expect(text.match(/proves:/g)).toHaveLength(formats.length);
});

test('a command stays on one line where it has room, and is never cut within a word', () => {
  const [incident] = exp1Result().incidents;
  const long = '`nstat TcpExtListenOverflows TcpExtListenDrops TcpExtTCPReqQFullDrop`';
  const action = `On the server compare ${long}, then look at \`ss -ltn sport = :8080\`.`;
  const text = renderOverview({ ...exp1Result(), incidents: [{ ...incident!, action }] }, plain);
  expect(text).toMatch(/TcpExtTCPReqQFullDrop`/);
  expect(text).toContain('`ss -ltn sport = :8080`');
});

test('the characters that stand for blanks and moved lines while text is wrapped do nothing in a name', () => {
  const [incident] = exp1Result().incidents;
  const who = ['\ue001 x (7)', '\ue000y'];
  const text = renderOverview({ ...exp1Result(), incidents: [{ ...incident!, who }] }, plain);
  expect(text).not.toContain('undefined');
  expect(text).toContain('\ufffd x (7); \ufffdy');
});

describe('wrap', () => {
  test('breaks at spaces and cuts what is too long for a line', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
    expect(wrap('', 10)).toEqual(['']);
  });
});
