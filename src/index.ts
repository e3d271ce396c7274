/**
 * Use as a library: `import { analyze } from 'tcpautopsy'`. Reference: docs/library.md, made from these types.
 */
export { type AnalyzeOptions, analyze, type Investigation, investigate } from './analyze.ts';
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
export type { Answer, CauseGroup, CloseKind, Reconciliation } from './model/result.ts';
export type { ClockLabel } from './model/time.ts';
export { OutputError } from './platform/output.ts';
export type { GivenBytes, Input } from './read/given.ts';
export { Redactor } from './redact/redactor.ts';
export { redactResult } from './redact/result.ts';
export type { ConnectionRow } from './tables/connections.ts';
export type { Aggregation, Result, TimelineItem, TimelineKind } from './tables/result.ts';
export type { InputSummary } from './tables/sources.ts';
export { parseFilter } from './view/filter.ts';
export { type Annotated, type AnnotateOptions, annotate } from './wireshark/annotate.ts';
export { type WriteOptions, writeReport } from './write.ts';
