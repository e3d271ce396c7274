import { expect, test } from 'vitest';
import { Spool } from '../../src/tables/spool.ts';

const encoder = new TextEncoder();

test('what is put aside comes back as it was, also what went to the temporary file', () => {
  const spool = new Spool();
  const pieces = Array.from({ length: 60_000 }, (_, i) => `${i},é→\u{1f40c},${'x'.repeat(i % 300)}\n`);
  for (const piece of pieces) spool.add(encoder.encode(piece));
  const text = [...spool].join('');
  expect(new TextEncoder().encode(text).length).toBeGreaterThan(8 << 20);
  // not as values: a difference of 9 MB is not to be printed
  expect(text === pieces.join('')).toBe(true);
  expect([...spool].join('').length).toBe(text.length);
});

test('a row that is longer than a chunk', () => {
  const spool = new Spool();
  const pieces = ['x', '\u{1f40c}→'.repeat(800_000), 'é'.repeat(400_000), 'y'];
  for (const piece of pieces) spool.add(encoder.encode(piece));
  expect([...spool].join('') === pieces.join('')).toBe(true);
});

test('nothing', () => {
  expect([...new Spool()].join('')).toBe('');
});

test('a few lines take a few kilobytes: a batch has two spools a group', () => {
  const spool = new Spool();
  for (let i = 0; i < 100; i++) spool.add(encoder.encode(`${i},${'x'.repeat(50)}\n`));
  expect(spool.parts()[0]!.bytes!.length).toBeLessThan(1 << 15);
});
