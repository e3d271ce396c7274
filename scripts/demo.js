// The main job on shipped samples: the accept-queue incident of document 002 from its transcripts, and a real capture.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const inputs = ['samples/documents/exp1', 'samples/live/accept-queue-syn/6.18/packets.pcap'];
const args = ['dist/cli.js', 'analyze', ...inputs, '-o', 'demo-report'];
execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
