import type { Diagnostic } from '../model/diagnostic.ts';
import type { Table } from './column.ts';

export const diagnosticsTable: Table<Diagnostic> = {
  file: 'diagnostics.csv',
  doc: 'What was lost, skipped, truncated or ambiguous: a row for each kind and input.',
  columns: [
    { name: 'code', doc: 'kind of trouble; stable, for scripts', value: (d) => d.code },
    {
      name: 'severity',
      doc: '`error`: a part of the input could not be read; `data-loss`: evidence is missing; `info`: worth knowing, nothing is missing',
      value: (d) => d.severity,
    },
    { name: 'source', doc: 'the input; empty when it concerns the whole analysis', value: (d) => d.source },
    { name: 'locator', doc: 'where it was seen first: byte, line or frame', value: (d) => d.locator },
    { name: 'count', doc: 'how often', value: (d) => d.count },
    { name: 'message', doc: 'in words', value: (d) => d.message },
  ],
};
