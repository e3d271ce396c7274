/** Use as a library: `import { analyze } from 'tcpautopsy'`. */
export { type AnalyzeOptions, analyze } from './analyze.ts';
export type { Evidence, Finding, Missing } from './model/finding.ts';
export type { ConnectionRow, Result, TimelineItem } from './model/result.ts';
