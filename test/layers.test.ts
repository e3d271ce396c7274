// Rooms and their order: a module imports its own room and earlier ones; platform/ alone knows Node; only the command line prints.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');
const STAGES = ['platform', 'model', 'read', 'decode', 'connect', 'align', 'explain'];
const OUTPUTS = [
  'tables',
  'view',
  'json',
  'compare',
  'charts',
  'markdown',
  'terminal',
  'page',
  'wireshark',
  'redact',
];
/** The files directly under src/ (analyze, write, index) stand above these, the command line above them. */
const ROOMS = [...STAGES, ...OUTPUTS, 'workers', 'archive'];

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));
const textOf = new Map(files.map((f) => [f, readFileSync(join(SRC, f), 'utf8')]));

const roomOf = (file: string) => file.split('/')[0]!;

function placeOf(file: string): number {
  if (file === 'cli.ts') return ROOMS.length + 2;
  if (roomOf(file) === 'command') return ROOMS.length + 1;
  return roomOf(file).endsWith('.ts') ? ROOMS.length : ROOMS.indexOf(roomOf(file));
}

function importsOf(file: string): string[] {
  const specifiers = [...textOf.get(file)!.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((m) => m[1]!);
  return specifiers.map((s) => relative(SRC, resolve(SRC, dirname(file), s)));
}

/** `file: what`, for every file of the rooms where the pattern is found. */
function found(pattern: RegExp, isMeant: (file: string) => boolean): string[] {
  const of = files.filter(isMeant);
  return of.flatMap((f) => [...textOf.get(f)!.matchAll(pattern)].map(([what]) => `${f}: ${what}`));
}

it('every folder is a room', () => {
  expect(files.filter((f) => placeOf(f) < 0)).toEqual([]);
});

it('a module imports its own room and earlier ones', () => {
  const backwards = files.flatMap((file) =>
    importsOf(file).flatMap((target) =>
      placeOf(target) > placeOf(file) ? [`${file} imports ${target}`] : [],
    ),
  );
  expect(backwards).toEqual([]);
});

it('platform/ alone imports Node, and the stages use none of its globals', () => {
  expect(found(/'node:\w+/g, (f) => roomOf(f) !== 'platform')).toEqual([]);
  const isStage = (f: string) => STAGES.includes(roomOf(f)) && roomOf(f) !== 'platform';
  expect(found(/\bBuffer\.|\bNodeJS\.|\bprocess\.(?:std|env|argv|on|once|exit|hrtime)\b/g, isStage)).toEqual(
    [],
  );
});

it('what platform/ has for Node it has for browsers, as far as the stages need it', () => {
  const needed = new Set(
    files
      .filter((f) => STAGES.includes(roomOf(f)) && roomOf(f) !== 'platform')
      .flatMap((f) => importsOf(f).filter((t) => roomOf(t) === 'platform' && t !== 'platform/types.ts')),
  );
  const missing = [...needed].filter((t) => !textOf.has(t.replace('platform/', 'platform/browser/')));
  expect(missing).toEqual([]);
});

it('only the command line prints', () => {
  const prints = /console\.|process\.(?:stdout|stderr)\.write/g;
  expect(found(prints, (f) => f !== 'cli.ts' && roomOf(f) !== 'command')).toEqual([]);
});
