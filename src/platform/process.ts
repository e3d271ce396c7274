/** This process. */
import { setFlagsFromString } from 'node:v8';

/**
 * How much the heap may grow over what is alive before V8 looks for garbage, in percent; 0 leaves it to V8, which lets it
 * grow to twice as much or more.
 */
export function growHeapBy(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
