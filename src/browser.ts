/** The part of the library that needs no machine around it: for pages, where inputs are given as bytes. */
export { type AnalyzeOptions, analyze } from './analyze.ts';
export type { GivenBytes, Input } from './read/given.ts';
export { parseFilter } from './view/filter.ts';
