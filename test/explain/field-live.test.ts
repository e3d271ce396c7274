// Live scenarios (test/live/scenarios), each whole and in every reduction of its evidence: what is proved must be true.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { readBatch } from '../live/scenarios/batch.ts';
import { judge } from '../live/scenarios/judgement.ts';
import { reductionsOf } from '../live/scenarios/reductions.ts';
import { THOROUGH } from '../thorough.ts';

const SAMPLES = path.join(import.meta.dirname, '../../samples/field/live');
/** Moments to cut at. */
const CUTS = THOROUGH ? 3 : 1;

for (const name of readdirSync(SAMPLES, { withFileTypes: true }).filter((e) => e.isDirectory())) {
  test(`${name.name}: no false proof, whatever part of it is given`, async () => {
    const batch = await readBatch(path.join(SAMPLES, name.name));
    const wrong: string[] = [];
    for (const { name: reduction, inputs } of reductionsOf(batch, CUTS)) {
      const judged = judge(batch.truth, await analyze(inputs));
      if (reduction === 'whole') {
        expect(judged.filter((j) => j.kind.startsWith('wrong'))).toEqual([]);
        expect(judged).toHaveLength(
          new Set(batch.truth.map((t) => `${t.client_port} ${t.server_port} ${t.group}`)).size,
        );
      }
      for (const j of judged.filter((each) => each.kind === 'FALSE PROOF')) {
        wrong.push(`${reduction}: ${j.ports} ${j.group} ${j.claimed}, true is ${j.truth}`);
      }
    }
    expect(wrong).toEqual([]);
  });
}
