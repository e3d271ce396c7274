// A few of the live scenarios for real, on this kernel: what is proved of them must be true, in every reduction of the evidence.
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { cannotCapture, has, temporary } from '../capture/kit.ts';
import { readBatch } from './scenarios/batch.ts';
import { judge } from './scenarios/judgement.ts';
import { reductionsOf } from './scenarios/reductions.ts';

const lacking = ['ip', 'nft', 'ss'].filter((tool) => !has(tool));
const why = cannotCapture() ?? (lacking.length > 0 ? `no ${lacking.join(', ')}` : null);
const folder = why ? '' : temporary();
afterAll(() => {
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test.skipIf(why)(
  `live scenarios without a false proof${why ? ` (skipped: ${why})` : ''}`,
  async () => {
    const out = path.join(folder, 'out');
    const run = path.join(import.meta.dirname, 'scenarios/run.py');
    execFileSync('/usr/bin/python3', [run, '--quick', '-o', out], {
      env: { ...process.env, LAB_TAG: `lab${process.pid}`, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 240_000,
    });
    const wrong: string[] = [];
    const rightWhole = new Set<string>();
    for (const name of readdirSync(out)) {
      const batch = await readBatch(path.join(out, name));
      for (const { name: reduction, inputs } of reductionsOf(batch, 4)) {
        for (const j of judge(batch.truth, await analyze(inputs))) {
          if (reduction === 'whole' && j.kind === 'true') rightWhole.add(j.scenario);
          if (j.kind === 'FALSE PROOF')
            wrong.push(`${j.scenario}, ${reduction}: ${j.claimed}, true is ${j.truth}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(rightWhole.size).toBeGreaterThan(8);
  },
  400_000,
);
