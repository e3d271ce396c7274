import { readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { defineConfig, type TestProjectConfiguration } from 'vitest/config';

/** Not in `npm test`, for they need root, measure, or share what the machine has once: one after the other, each in a process of its own. */
const ALONE = [
  'test/capture/bad-hosts.test.ts',
  'test/capture/live.test.ts',
  'test/capture/other-programs.test.ts',
  'test/capture/service.test.ts',
  'test/live/scenarios.test.ts',
  'test/recorder/recorder.test.ts',
];
/** Nor these, which start browsers and many processes: each in a process of its own too, but beside one another. */
const SPAWNING = [
  'test/archive/batch.test.ts',
  'test/archive/crew.test.ts',
  'test/archive/faults.test.ts',
  'test/archive/queue.test.ts',
  'test/browser/library.test.ts',
  'test/browser/report.test.ts',
  'test/connect/tracker-load.test.ts',
  'test/connect/tshark.test.ts',
  'test/faults.test.ts',
  'test/fuzz/loads.test.ts',
  'test/notebooks/many-captures.test.ts',
  'test/packages/packages.test.ts',
  'test/tables/listed.test.ts',
];
/** Nor these, which compute for long: `npm test` is to be run often, and takes less than 90 s on two cores. */
const LONG = [
  'test/align/both-sides.test.ts',
  'test/archive/hostile.test.ts',
  'test/archive/s3.test.ts',
  'test/archive/tables.test.ts',
  'test/compare/compare.test.ts',
  'test/determinism.test.ts',
  'test/explain/catalogue.test.ts',
  'test/explain/field-live.test.ts',
  'test/fuzz/fuzz.test.ts',
  'test/page/document.test.ts',
  'test/read/beside.test.ts',
  'test/read/bundle/cut.test.ts',
  'test/read/capture/properties.test.ts',
  'test/redact/redact.test.ts',
  'test/tables/csv-text.test.ts',
  'test/tables/selection.test.ts',
  'test/view/escape.test.ts',
  'test/wireshark/annotate.test.ts',
  'test/workers/ahead.test.ts',
  'test/workers/deciding.test.ts',
];
/** Nor these, which replace modules (vi.mock): vite has to read the source for them. */
const REPLACING = ['test/archive/dying.test.ts', 'test/explain/forgetting.test.ts'];

/** Files that take a part of what is alike in `npm test` (test/thorough.ts): the rest takes all of it. */
const inPart = () =>
  readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((name) => `test/${name}`)
    .filter((f) => f.endsWith('.test.ts') && /\/thorough\.ts'/.test(readFileSync(f, 'utf8')));

/** What is tested is what users run: compiled, and loaded by Node itself, which is a fifth faster. */
const compiled = {
  name: 'compiled',
  enforce: 'pre' as const,
  resolveId(id: string, importer = '') {
    const [, up, module] = /^((?:\.\.\/)+)src\/(.+)\.ts$/.exec(id) ?? [];
    return up ? resolve(dirname(importer), up, 'dist', `${module}.js`) : null;
  },
};

/** Projects of one `order` run at the same time, those of the next one after them. */
const project = (
  name: string,
  include: string[],
  {
    exclude = [] as string[],
    plugins = [compiled],
    isolate = false,
    workers = '100%' as string | number,
    order = 0,
  },
): TestProjectConfiguration => ({
  extends: true,
  plugins,
  // without isolation an engine that was loaded serves every file; by itself vitest leaves a core to others: of two, half of them
  test: { name, include, exclude, isolate, maxWorkers: workers, sequence: { groupOrder: order } },
});

export default defineConfig({
  test: {
    server: { deps: { external: [/\/dist\//] } },
    globalSetup: ['test/build.ts'],
    reporters: ['default', './test/skipped.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: process.env.THOROUGH
      ? [
          project('all', [...LONG, ...inPart()], { exclude: [...ALONE, ...SPAWNING] }),
          project('source', REPLACING, { plugins: [], isolate: true, order: 1 }),
          project('spawning', SPAWNING, { isolate: true, order: 2 }),
          project('alone', ALONE, { isolate: true, workers: 1, order: 3 }),
        ]
      : [project('test', ['test/**/*.test.ts'], { exclude: [...ALONE, ...SPAWNING, ...LONG, ...REPLACING] })],
  },
});
