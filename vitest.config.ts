import { readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Root, a browser, or minutes: only in `npm run test:rest`. */
const REST_ONLY = [
  'test/align/both-sides.test.ts',
  'test/archive/batch.test.ts',
  'test/archive/dying.test.ts',
  'test/archive/faults.test.ts',
  'test/archive/queue.test.ts',
  'test/archive/s3.test.ts',
  'test/archive/tables.test.ts',
  'test/browser/library.test.ts',
  'test/browser/report.test.ts',
  'test/capture/bad-hosts.test.ts',
  'test/capture/live.test.ts',
  'test/capture/other-programs.test.ts',
  'test/capture/service.test.ts',
  'test/connect/tracker-load.test.ts',
  'test/determinism.test.ts',
  'test/explain/catalogue.test.ts',
  'test/explain/forgetting.test.ts',
  'test/fuzz/loads.test.ts',
  'test/live/scenarios.test.ts',
  'test/notebooks/many-captures.test.ts',
  'test/packages/packages.test.ts',
  'test/recorder/recorder.test.ts',
  'test/tables/listed.test.ts',
];
/** Files that take a part of what is alike in `npm test` (test/thorough.ts): the rest takes all of it. */
const inPart = () =>
  readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((name) => `test/${name}`)
    .filter((f) => f.endsWith('.test.ts') && /\/thorough\.ts'/.test(readFileSync(f, 'utf8')));

const rest = Boolean(process.env.THOROUGH);

/** Tests that replace modules (vi.mock): vite has to read the source for them. */
const REPLACING = ['test/archive/dying.test.ts', 'test/explain/forgetting.test.ts'];

/** For the others, what is tested is what users run: compiled, and loaded by Node itself, which is a fifth faster. */
const compiled = {
  name: 'compiled',
  enforce: 'pre' as const,
  resolveId(id: string, importer = '') {
    const [, up, module] = /^((?:\.\.\/)+)src\/(.+)\.ts$/.exec(id) ?? [];
    return up ? resolve(dirname(importer), up, 'dist', `${module}.js`) : null;
  },
};

export default defineConfig({
  test: {
    server: { deps: { external: [/\/dist\//] } },
    globalSetup: ['test/build.ts'],
    reporters: ['default', './test/skipped.ts'],
    // the default leaves a core to others: of two, half of them. Live captures keep it
    ...(rest ? {} : { maxWorkers: '100%' }),
    // without it each of a hundred files loads the engine anew; what the rest measures keeps a process of its own
    isolate: rest,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        plugins: [compiled],
        test: {
          name: 'compiled',
          include: rest ? [...REST_ONLY, ...inPart()] : ['test/**/*.test.ts'],
          exclude: rest ? REPLACING : REST_ONLY,
        },
      },
      ...(rest ? [{ extends: true as const, test: { name: 'source', include: REPLACING } }] : []),
    ],
  },
});
