/** The capture command: the same script that runs on hosts without Node, and the kit that carries it there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The package: capture/ and bpf/ lie beside dist/. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs capture/tcpautopsy-capture with these arguments. Returns its exit status (125 when it cannot be run). */
export async function runCapture(args: readonly string[]): Promise<number> {
  const script = spawn('sh', [`${ROOT}capture/tcpautopsy-capture`, ...args], { stdio: 'inherit' });
  // the script stops in good order by itself; a terminal sends SIGINT to both
  process.removeAllListeners('SIGINT');
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => script.kill(signal));
  try {
    const [status, signal] = await once(script, 'close');
    return signal ? 125 : status;
  } catch {
    // no sh on this host: there is nothing to capture with
    return 125;
  }
}

/** Writes a tar.gz with the script and its BPF programs. Throws when tar fails, with what it said. */
export async function writeKit(file: string): Promise<void> {
  const tar = spawn('tar', ['-czf', file, '-C', ROOT, 'capture', 'bpf'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  tar.stderr.on('data', (text) => {
    said += text;
  });
  const [status] = await once(tar, 'close');
  if (status !== 0) throw new Error(`tar could not write ${file}: ${said.trim()}`);
}
