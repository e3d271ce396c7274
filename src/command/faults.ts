/** How the command ends when something goes wrong, and what it says then. */

import type { Diagnostic } from '../model/diagnostic.ts';
import { OutputError } from '../platform/output.ts';
import { toUsageError, UsageError } from './arguments.ts';

export const EXIT_OK = 0;
const EXIT_USAGE = 1;
export const EXIT_DAMAGED = 2;
export const EXIT_NOTHING = 3;
/** --fail-on: what it names was found. */
export const EXIT_FOUND = 4;
/** sysexits.h: EX_SOFTWARE, EX_IOERR. */
export const EXIT_INTERNAL = 70;
export const EXIT_OUTPUT = 74;

/** Output that could not be written: the message names it, and says why. */
export class WriteError extends Error {}

/** What writing `path` rejects with when the file system refuses. */
export async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new WriteError(`${path} could not be written: ${reasonOf(error)}`);
  }
}

/** As toUsageError, but for what the file system says. */
export function toUsageOrWriteError(path: string): (error: unknown) => never {
  return (error) => {
    if (!isSystemError(error)) toUsageError(error);
    throw new WriteError(`${path} could not be written: ${reasonOf(error)}`);
  };
}

function isSystemError(error: unknown): error is Error & { errno: number; path?: string } {
  return error instanceof Error && typeof (error as { errno?: unknown }).errno === 'number';
}

/** `no space left on device` out of Node's `ENOSPC: no space left on device, write`. */
export function reasonOf(error: Error): string {
  return /^[A-Z0-9]+: ([^,]+)/.exec(error.message)?.[1] ?? error.message;
}

/** Inputs are read to their end whatever is in them: what the file system refuses otherwise is a file of our own. */
export function endOf(error: unknown): { status: number; text: string } {
  if (error instanceof UsageError) {
    return { status: EXIT_USAGE, text: `tcpautopsy: ${error.message}\nTry: tcpautopsy --help` };
  }
  if (error instanceof WriteError || error instanceof OutputError)
    return { status: EXIT_OUTPUT, text: `tcpautopsy: ${error.message}` };
  if (isSystemError(error)) {
    const file = error.path ?? 'a temporary file';
    return { status: EXIT_OUTPUT, text: `tcpautopsy: ${file} could not be written: ${reasonOf(error)}` };
  }
  return {
    status: EXIT_INTERNAL,
    text: fault(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  };
}

/** Status of a run that came to its end. */
export function statusOf(diagnostics: readonly Diagnostic[]): number {
  if (diagnostics.some((d) => d.fault !== undefined)) return EXIT_INTERNAL;
  return diagnostics.some((d) => d.severity !== 'info' && !d.upstream) ? EXIT_DAMAGED : EXIT_OK;
}

/** What to report of faults of ours that left the rest of the output whole. */
export function faultsIn(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics.flatMap((d) => (d.fault === undefined ? [] : fault(d.fault)));
}

function fault(stack: string): string {
  return `tcpautopsy: an internal error; please report it with the command, the version (tcpautopsy --version) and this:\n${stack}`;
}
