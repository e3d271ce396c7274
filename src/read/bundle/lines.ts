/** JSON lines of a bundle's file, to the end of what is there. */
import type { Diagnostics } from '../../model/diagnostic.ts';
import type { Files } from '../../platform/types.ts';
import { BLOCK_BYTES, openBytes } from '../bytes.ts';

/** Longer lines are no line of ours (the longest real ones are full counter readings, some 15 kB). */
const LONGEST = 1 << 20;

/**
 * Calls `take` with each line's value and 1-based number. A line that is no JSON, or that `take` throws a SyntaxError
 * for, is reported as `bundle-line` with its place; a last line without its end is what a killed capture leaves.
 */
export async function readJsonLines(
  path: string,
  files: Files,
  diagnostics: Diagnostics,
  take: (value: Record<string, unknown>, line: number) => void,
): Promise<void> {
  const bytes = await openBytes(path, path, diagnostics, BLOCK_BYTES, files);
  if (!bytes) return;
  const decoder = new TextDecoder();
  let rest = '';
  let number = 0;
  const one = (text: string) => {
    number++;
    if (text.trim() === '') return;
    tryLine(path, number, diagnostics, () => {
      const value: unknown = JSON.parse(text);
      if (typeof value !== 'object' || value === null) throw new SyntaxError('no object');
      take(value as Record<string, unknown>, number);
    });
  };
  for await (const block of bytes.blocks()) {
    const lines = (rest + decoder.decode(block, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines) one(line);
    if (rest.length > LONGEST) rest = rest.slice(0, LONGEST);
  }
  if (rest.trim() === '') return;
  const locator = `line ${number + 1}`;
  const message = 'the last line has no end: the capture was cut off here';
  diagnostics.add({ code: 'bundle-cut-off', severity: 'data-loss', source: path, locator, message });
  if (isWhole(rest)) one(rest);
}

/** Does something with a line; when it throws a SyntaxError the line is reported as no event. */
export function tryLine(path: string, line: number, diagnostics: Diagnostics, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const locator = `line ${line}`;
    const message = `is not an event of a capture: ${error.message}`;
    diagnostics.add({ code: 'bundle-line', severity: 'data-loss', source: path, locator, message });
  }
}

function isWhole(text: string): boolean {
  return text.trimEnd().endsWith('}');
}
