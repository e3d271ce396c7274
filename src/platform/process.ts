/** This process. */
import { setFlagsFromString } from 'node:v8';

/**
 * How much the heap may grow over what is alive before V8 looks for garbage, in percent; 0 leaves it to V8, which lets it
 * grow to twice as much or more.
 */
export function growHeapBy(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}

/**
 * How much bytecode of others the optimising compiler may put into one function. V8 takes 920, and of a program of a thousand
 * functions that each run for a second or two compiles so long that it is a quarter of all there is to do.
 */
export function inlineUpTo(bytecode: number): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${bytecode}`);
}
