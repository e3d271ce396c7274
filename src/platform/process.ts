/** This process. */
import { setFlagsFromString } from 'node:v8';

/**
 * How much the heap may grow over what is alive before V8 looks for garbage, in percent. V8 by itself lets it
 * grow to four times as much.
 */
export function growHeapBy(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
