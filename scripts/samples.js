// samples/bundle/README.md: which behaviour of test/live/behaviours was captured on which kernel.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const BUNDLES = path.join(ROOT, 'samples/bundle');
const KERNELS = ['6.18', '6.1', '6.12'];

const HEAD = `# Bundles

Taken by \`test/live/take-bundles.sh\` with our own capture; each folder has the bundle (or server/ and client/), expected.json (truth, written by the program that did it) and README.md.
On 6.18 (neither fentry nor kprobes there, so the tracepoints tier) one folder a behaviour; on Debian's kernels in the virtual machine, with the functions tier attached, several behaviours a
folder (\`group\` in take-bundles.sh), since attaching takes a minute and a half there. loopback/6.18 is of one process and has no expected.json.
Those with events.bin are of the recorder, those with events.jsonl of the capture before it, which ran bpftrace.
Experiment 1 of document 002 is concurrent-unaccepted, 2 and 3 are one-request; the erlang shell of document 003 is unread-answer.

Written by \`npm run docs\` (–: not taken there; all three kernels can run all of them; clock-set sets the clock of its host, so virtual machines alone):
`;

/** Behaviour, with (IPv6) where it ran over it → kernel → folders. */
function captured() {
  const found = new Map();
  for (const sample of readdirSync(BUNDLES).sort()) {
    for (const kernel of KERNELS) {
      const truth = path.join(BUNDLES, sample, kernel, 'expected.json');
      if (!existsSync(truth)) continue;
      const rows = JSON.parse(readFileSync(truth, 'utf8')).connections;
      const names = rows.map((row) => row.behaviour + (row.client.startsWith('[') ? ' (IPv6)' : ''));
      for (const name of new Set(names)) {
        const kernels = found.get(name) ?? new Map();
        found.set(name, kernels.set(kernel, [...(kernels.get(kernel) ?? []), `${sample}/${kernel}`]));
      }
    }
  }
  return found;
}

function behaviours() {
  return readdirSync(path.join(ROOT, 'test/live/behaviours'))
    .filter((name) => name.endsWith('.py') && !['lab.py', 'run.py'].includes(name))
    .map((name) => name.slice(0, -3).replaceAll('_', '-'));
}

/** The page; every behaviour has a row, also one that was captured nowhere. */
export function bundlesPage() {
  const found = captured();
  const names = [...new Set([...behaviours(), ...found.keys()])].sort();
  const cell = (name, kernel) => {
    const folders = found.get(name)?.get(kernel);
    return folders ? folders.map((f) => `[${f.split('/')[0]}](${f})`).join(' ') : '–';
  };
  const rows = names.map((name) => `| ${name} | ${KERNELS.map((k) => cell(name, k)).join(' | ')} |`);
  return [HEAD, `| behaviour | ${KERNELS.join(' | ')} |`, '|---|---|---|---|', ...rows, ''].join('\n');
}
