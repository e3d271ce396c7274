// The main job on shipped samples: the accept-queue incident of document 002 from its transcripts alone, and a real
// capture together with the tcpstates log of the same traffic. One folder each, as one would attach it to a ticket.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const capture = 'samples/live/pcap-and-tcpstates';
const demos = [
  {
    title: 'An incident told from pasted transcripts',
    inputs: ['samples/documents/exp1'],
    output: 'accept-queue-incident',
  },
  {
    title: 'A capture and a tcpstates log of the same traffic',
    inputs: [`${capture}/packets.pcap`, `${capture}/tcpstates.txt`],
    output: 'capture-and-log',
  },
];

mkdirSync(`${root}demo-report`, { recursive: true });
for (const { title, inputs, output } of demos) {
  console.log(`\n── ${title}: tcpautopsy analyze ${inputs.join(' ')}\n`);
  const args = ['dist/cli.js', 'analyze', ...inputs, '-o', `demo-report/${output}`];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
