/** The CSV files, and their reference for docs/columns.md. */
import type { Column } from './column.ts';
import { connectionsTable } from './connections.ts';
import { diagnosticsTable } from './diagnostics.ts';
import { findingsTable } from './findings.ts';
import { rulesTable } from './rules.ts';
import { sourcesTable } from './sources.ts';
import { timelineTable } from './timeline.ts';

export { connectionsTable, diagnosticsTable, findingsTable, rulesTable, sourcesTable, timelineTable };

const PREFACE = `# Columns

The files that \`tcpautopsy analyze\` writes. Made from the code by \`npm run docs\`; do not edit by hand.

All of them are CSV as in RFC 4180: UTF-8, LF, a header line, quotes doubled inside quotes. An empty cell means not known, or not
applicable. Numbers are plain, with a point. Control characters, bidi marks and other characters that cannot be seen are written as
\`\\u001b\`, \`\\n\`, \`\\t\`. A text that a spreadsheet would take for a formula (it begins with \`=\`, \`+\`, \`-\` or \`@\` and is not a number)
gets a \`'\` in front; a program that needs the text itself takes it off again.
`;

/** Markdown of docs/columns.md. */
export function columnReference(): string {
  const sections = [
    section(connectionsTable.file, connectionsTable.doc, connectionsTable.columns),
    section(findingsTable.file, findingsTable.doc, findingsTable.columns),
    section(timelineTable.file, timelineTable.doc, timelineTable.columns),
    section(rulesTable.file, rulesTable.doc, rulesTable.columns),
    section(sourcesTable.file, sourcesTable.doc, sourcesTable.columns),
    section(diagnosticsTable.file, diagnosticsTable.doc, diagnosticsTable.columns),
  ];
  return [PREFACE, ...sections].join('\n');
}

function section(
  file: string,
  doc: string,
  columns: readonly Pick<Column<never>, 'name' | 'doc' | 'unit'>[],
): string {
  const rows = columns.map((c) => `| \`${c.name}\` | ${c.unit ?? ''} | ${c.doc.replaceAll('|', '\\|')} |`);
  return [`## ${file}`, '', doc, '', '| column | unit | meaning |', '|---|---|---|', ...rows, ''].join('\n');
}
