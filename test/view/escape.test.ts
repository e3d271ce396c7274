import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { visible } from '../../src/model/visible.ts';
import { encodeCell } from '../../src/tables/csv-text.ts';
import {
  codePieces,
  escapeHtml,
  markdown,
  markdownBlock,
  markdownCode,
  markdownProse,
  shortened,
} from '../../src/view/escape.ts';
import { HOSTILE } from '../tables/variants.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

describe('visible', () => {
  test('writes what cannot be seen as an escape that JSON understands', () => {
    expect(visible('a\x1b[31m\u202e\n\u{e0041}')).toBe('a\\u001b[31m\\u202e\\n\\udb40\\udc41');
    const text = 'x\u0085\u2066y\ud800';
    expect(JSON.parse(visible(JSON.stringify(text)))).toBe(text);
  });

  test('leaves readable text of any script alone', () => {
    for (const text of ['plain', 'größe', '连接', 'שלום', '🙂 ok']) expect(visible(text)).toBe(text);
  });

  test('lets nothing unseen through', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (s) => !UNSEEN.test(visible(s))));
  });
});

describe('a cell of a CSV file', () => {
  test.each(['=1+1', '+cmd', '-cmd', '@SUM(A1)', '＝1', HOSTILE[0]!])('disarms %j', (text) => {
    expect(encodeCell(text)).toBe(`'${text}`);
  });

  test.each(['-1.5', '+3', '42', '::1', '10.0.0.1', 'plain', 'a=b'])('leaves %j alone', (text) => {
    expect(encodeCell(text)).toBe(text);
  });

  test('makes tab and CR visible, which would arm a cell as well', () => {
    expect(encodeCell('\t=1')).toBe('\\t=1');
    expect(encodeCell('\r=1')).toBe('\\r=1');
  });
});

test('escapeHtml leaves no character that ends text or attribute', () => {
  expect(escapeHtml(`<a href="x" title='y'>&`)).toBe('&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;');
});

describe('markdown', () => {
  test('escapes what is active and nothing else', () => {
    expect(markdown('10.0.0.1:80 in FIN_WAIT2 (RST|ACK) -> closed')).toBe(
      '10.0.0.1:80 in FIN_WAIT2 (RST\\|ACK) -> closed',
    );
    expect(markdown('<b>*x* `y` [z](u) _i_ ~s~ $m$ a&b')).toBe(
      '&lt;b>\\*x\\* \\`y\\` \\[z\\](u) \\_i\\_ \\~s\\~ \\$m\\$ a&amp;b',
    );
  });

  test('links, mentions and issue numbers do not come alive', () => {
    expect(markdown('http://evil.example')).toBe('http\\://evil.example');
    expect(markdown('www.evil.example')).toBe('www\\.evil.example');
    expect(markdown('ask @octocat about #12')).toBe('ask @&#8203;octocat about #&#8203;12');
    expect(markdown('dump.txt#2')).toBe('dump.txt#2');
  });

  test.each([
    ['# x', '\\# x'],
    ['- x', '\\- x'],
    ['1. x', '1\\. x'],
    ['10 clients', '10 clients'],
  ])('nothing begins a block: %j', (text, expected) => expect(markdown(text)).toBe(expected));

  test('a code span is fenced by more backticks than it holds', () => {
    expect(markdownCode('a|b')).toBe('`a\\|b`');
    expect(markdownCode('a``b')).toBe('```a``b```');
    expect(markdownCode('`')).toBe('`` ` ``');
  });

  test('a block is fenced by more backticks than it holds', () => {
    expect(markdownBlock(['a', '````'])).toBe('`````text\na\n````\n`````');
  });

  test('prose keeps code between backticks, and an odd one is text', () => {
    expect(markdownProse('run `ss -K` now')).toBe('run `ss -K` now');
    expect(codePieces('run `ss')).toEqual(['run `ss']);
  });
});

test('shortened counts characters, not code units', () => {
  expect(shortened('🙂🙂🙂', 3)).toBe('🙂🙂🙂');
  expect(shortened('🙂🙂🙂🙂', 3)).toBe('🙂🙂…');
});
