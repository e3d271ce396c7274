// All texts that users may read, from the source: the worst phrases stay out (docs/texts.md lists them to be read in one sitting).
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
// @ts-expect-error plain JavaScript, as the other generators of docs/
import { textsOfSource, textsPage } from '../scripts/texts.js';

const BANNED = [
  /\bcame to stand\b/i,
  /\bany ?more\b/i,
  /\bbelieved? itself\b/i,
  /\bor else\b/i,
  /\bfits as well\b/i,
  /\bin good order\b/i,
  /\bnothing to repair\b/i,
  /\blives on in\b/i,
  /\bin silence\b/i,
  /\bkilled from outside\b/i,
  /\bwithout a word\b/i,
  /\bpasses the filter\b/i,
  /\bsay what to do\b/i,
  /\bfault of ours\b/i,
  /\btold file by file\b/i,
  /\bhow sure is sure\b/i,
  /\btells? of\b/i,
  /\bremed(?:y|ies)\b/i,
  /\bknown here\b/i,
];

const all = (textsOfSource() as { file: string; texts: string[] }[]).flatMap(({ file, texts }) =>
  texts.map((text) => ({ file, text })),
);

test('docs/texts.md is up to date (node scripts/docs.js writes it)', () => {
  expect(readFileSync('docs/texts.md', 'utf8')).toBe(textsPage());
});

test('the texts are found', () => {
  expect(all.length).toBeGreaterThan(2000);
  expect(all.some((t) => t.text.includes('did not accept connections as fast as they came'))).toBe(true);
});

test.each(BANNED)('no text says %s', (phrase) => {
  expect(all.filter((t) => phrase.test(t.text)).map((t) => `${t.file}: ${t.text}`)).toEqual([]);
});
