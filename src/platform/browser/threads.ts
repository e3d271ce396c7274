/** A page does everything in the thread that it is called in. */
import type { ThisThread, Thread } from '../types.ts';

export const cores = () => 1;

export function hasProgram(): boolean {
  return false;
}

export function startThread(): Thread {
  throw new Error('no threads here');
}

export function thisThread(): ThisThread {
  throw new Error('no threads here');
}
