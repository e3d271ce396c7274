/** What is the same of a result whether its connections are listed or only counted. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Tables } from '../../src/tables/assemble.ts';
import type { Result } from '../../src/tables/result.ts';
import { confidenceCounts, sharing } from '../../src/view/words.ts';
import { writeReport } from '../../src/write.ts';

/** Texts of files of its report. */
export async function filesOf(result: Result, names: readonly string[], tables?: Tables): Promise<string[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'report-'));
  try {
    await writeReport(result, folder, { html: false, ...(tables && { tables }) });
    return names.map((name) => readFileSync(path.join(folder, name), 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Its causes, but for which connections are listed. */
export function causesOf(result: Result) {
  return result.causes.map((c) => ({
    ...c,
    connections: sharing(c),
    confidences: confidenceCounts(c, result),
    unlisted: null,
  }));
}
