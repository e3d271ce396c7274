// The straight line: a stage imports model/ and earlier stages only, and only src/cli.ts prints.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');
const LINE = ['model', 'read', 'decode', 'connect', 'align', 'explain', 'report'];

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  const specifiers = [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((m) => m[1]!);
  return specifiers.map((s) => relative(SRC, resolve(SRC, dirname(file), s)));
}

/** Position on the line; files directly under src/ (cli, analyze, index) stand above it and may import all. */
function stage(file: string): number {
  const folder = file.split('/')[0]!;
  return folder.endsWith('.ts') ? LINE.length : LINE.indexOf(folder);
}

describe('the straight line', () => {
  it('has no folder that is not a stage', () => {
    expect(files.filter((f) => stage(f) < 0)).toEqual([]);
  });

  it.each(files)('%s imports only model and earlier stages', (file) => {
    const backwards = importsOf(file).filter(
      (target) => stage(target) > stage(file) && target !== 'version.ts',
    );
    expect(backwards).toEqual([]);
  });

  it('model/ imports nothing but itself', () => {
    const outside = files
      .filter((f) => stage(f) === 0)
      .flatMap((f) => importsOf(f).filter((t) => stage(t) !== 0));
    expect(outside).toEqual([]);
  });

  it.each(files.filter((f) => f !== 'cli.ts'))('%s does not print', (file) => {
    expect(readFileSync(join(SRC, file), 'utf8')).not.toMatch(/console\.|process\.(stdout|stderr)\.write/);
  });
});
