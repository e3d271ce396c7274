/** Rules that are not asked of a connection would have nothing to say of it. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { ORDERLY, PACKETS } from '../../src/explain/mask.ts';
import { rules } from '../../src/explain/rules/index.ts';
import { some } from '../thorough.ts';
import { bundleSamples, DOCUMENTS, liveSamples } from './samples.ts';

/** Asked of every connection, but for a healthy one, and where a rule asks for a kind of evidence and not for a sign. */
const EVERYWHERE = rules.map((r) => ({
  ...r,
  when: r.when & PACKETS ? r.when : r.when & ORDERLY ? ~0 : ~ORDERLY,
}));

/** Files of one run: whole samples, and their packets alone. */
function inputs(): string[][] {
  const live = liveSamples().flatMap((s) => [
    readdirSync(s.folder).flatMap((f) => (/\.(pcap|txt)$/.test(f) ? [path.join(s.folder, f)] : [])),
    [path.join(s.folder, 'packets.pcap')],
  ]);
  const documents = readdirSync(DOCUMENTS).map((name) => [path.join(DOCUMENTS, name)]);
  return [...live, ...bundleSamples().map((s) => [s.folder]), ...documents].filter((_, i) => i % 6 === 0);
}

test('the rules that a mask names say what all of them do', async () => {
  for (const files of some(inputs(), 12)) {
    const [few, all] = [await analyze(files), await analyze(files, { rules: EVERYWHERE })];
    expect(few.findings, files[0]).toEqual(all.findings);
    expect([few.story, few.connections], files[0]).toEqual([all.story, all.connections]);
  }
}, 240_000);
