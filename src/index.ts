/**
 * Use as a library: `import { analyze } from 'tcpautopsy'`. Reference: docs/library.md, made from these types.
 */
export { type AnalyzeOptions, analyze } from './analyze.ts';
export type { Endpoint } from './model/address.ts';
export type { ClockFit } from './model/case.ts';
export type { Diagnostic, DiagnosticSeverity } from './model/diagnostic.ts';
export type {
  Confidence,
  Evidence,
  Finding,
  FindingSide,
  Group,
  Missing,
  Role,
  Severity,
} from './model/finding.ts';
export type {
  Aggregation,
  Answer,
  CauseGroup,
  CloseKind,
  ConnectionRow,
  InputSummary,
  Reconciliation,
  Result,
  TimelineItem,
  TimelineKind,
} from './model/result.ts';
export type { ClockLabel } from './model/time.ts';
export type { GivenBytes, Input } from './read/given.ts';
export { type Annotated, type AnnotateOptions, annotate } from './report/annotate/annotate.ts';
export { parseFilter } from './report/filter.ts';
export { Redactor } from './report/redact/redactor.ts';
export { redactResult } from './report/redact/result.ts';
export { OutputError, type WriteOptions, writeReport } from './report/write.ts';
