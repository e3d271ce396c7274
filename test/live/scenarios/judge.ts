// npx tsx test/live/scenarios/judge.ts DIR [--cuts N] [--wrong] [--only BATCH]
// Explains every reduction of what run.py left in DIR, and counts how it stands to the truth. Exit status 1: a false proof.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { analyze } from '../../../src/analyze.ts';
import { readBatch } from './batch.ts';
import { type Judged, judge, KINDS } from './judgement.ts';
import { reductionsOf } from './reductions.ts';

const { values, positionals } = parseArgs({
  options: { cuts: { type: 'string', default: '6' }, wrong: { type: 'boolean' }, only: { type: 'string' } },
  allowPositionals: true,
});
const table = new Map<string, Record<string, number>>();
const wrong = new Map<string, Set<string>>();
for (const name of readdirSync(positionals[0]!).sort()) {
  const folder = path.join(positionals[0]!, name);
  if ((values.only && values.only !== name) || !existsSync(path.join(folder, 'truth.json'))) continue;
  const batch = await readBatch(folder);
  for (const { name: reduction, inputs } of reductionsOf(batch, Number(values.cuts))) {
    const row = table.get(reduction) ?? Object.fromEntries(KINDS.map((k) => [k, 0]));
    table.set(reduction, row);
    for (const judged of judge(batch.truth, await analyze(inputs))) {
      row[judged.kind]!++;
      if (judged.kind === 'FALSE PROOF' || (values.wrong && judged.kind.startsWith('wrong')))
        note(judged, reduction);
    }
  }
}

function note({ kind, scenario, group, claimed, truth }: Judged, reduction: string): void {
  const key = `${kind}: ${scenario}, ${group}: ${claimed}; true is ${truth}`;
  wrong.set(key, (wrong.get(key) ?? new Set()).add(reduction));
}

console.log(`| reduction | ${KINDS.join(' | ')} |\n|---|${KINDS.map(() => '---|').join('')}`);
for (const [reduction, row] of table)
  console.log(`| ${reduction} | ${KINDS.map((k) => row[k]).join(' | ')} |`);
for (const [key, where] of [...wrong].sort()) console.log(`${key} (${[...where].join('; ')})`);
process.exitCode = [...table.values()].some((row) => row['FALSE PROOF']! > 0) ? 1 : 0;
