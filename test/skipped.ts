// What a run left out, and what this machine or the environment lacks for it.
import { spawnSync } from 'node:child_process';
import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const TOOLS = [
  'tshark',
  'editcap',
  'tcpdump',
  'clang',
  'nft',
  'zstd',
  'xz',
  'chromium',
  'redis-server',
  'mmdebstrap',
];

function lacks(): string[] {
  const here = (tool: string) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
  const { CORPUS, LONG, THOROUGH } = process.env;
  return [
    ...TOOLS.filter((t) => !here(t)),
    ...(process.getuid?.() === 0 ? [] : ['root']),
    ...(CORPUS ? [] : ['CORPUS (a folder of captures)']),
    ...(THOROUGH ? [] : ['THOROUGH=1 (npm run test:rest)']),
    ...(LONG ? [] : ['LONG=1 (loads of minutes)']),
  ];
}

export default class Skipped implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) => {
      const skipped = [...module.children.allTests('skipped')];
      if (skipped.length === 0) return [];
      const [first] = skipped;
      return `  ${relative(process.cwd(), module.moduleId)}: ${skipped.length}, the first is "${first!.fullName}"`;
    });
    if (lines.length === 0) return;
    console.log(`\nSkipped, because this run has no ${lacks().join(', ')}:\n${lines.join('\n')}`);
  }
}
