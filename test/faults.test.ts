// How the command ends when a pipe, the disk, a signal or a rule of ours is at fault.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  copyFileSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyze } from '../src/analyze.ts';
import { EXIT_INTERNAL, endOf, faultsIn, statusOf } from '../src/command/faults.ts';
import { rules } from '../src/explain/rules/index.ts';
import { run } from './command/run.ts';

const CLI = resolve('dist/cli.js');
const PCAP = resolve('samples/live/pcap-and-tcpstates/packets.pcap');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faults-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In a process of its own, compiled. */
const spawned = (args: string[]) =>
  spawnSync(process.execPath, [CLI, ...args], { cwd: folder, encoding: 'utf8' });

describe('a pipe', () => {
  const pipe = (name: string) => {
    const path = join(folder, name);
    execFileSync('mkfifo', [path]);
    return path;
  };

  it.each(['explain', 'analyze'])('with a name is read by %s, once its writer comes', async (command) => {
    const path = pipe(`${command}.fifo`);
    const child = spawn(
      process.execPath,
      [CLI, command, path, ...(command === 'analyze' ? ['--no-html', '-o', 'piped'] : [])],
      {
        cwd: folder,
      },
    );
    createWriteStream(path).end(readFileSync(PCAP));
    const [status] = await once(child, 'close');
    expect(status).toBe(0);
  });

  it('of process substitution is read', () => {
    const script = `"${process.execPath}" "${CLI}" explain <(gzip -c "${PCAP}")`;
    const { status, stdout } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, expect.stringContaining('/dev/fd/')]);
  });

  it('cannot be read twice by annotate, which says so', async () => {
    const { status, stderr } = await run(['annotate', pipe('twice.fifo'), '-o', 'x.pcapng']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('twice.fifo is a pipe')]);
  });
});

describe('what is no file', () => {
  it('is named for what it is', async () => {
    const path = join(folder, 'socket');
    const server = createServer().listen(path);
    await once(server, 'listening');
    expect(await run(['explain', path])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('is a socket'),
    });
    expect(await run(['explain', '/dev/zero'])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('is a device'),
    });
    server.close();
  });
});

describe('a name that begins with a dash', () => {
  it('is a file behind --', () => {
    copyFileSync(PCAP, join(folder, '-odd.pcap'));
    const { status, stdout } = spawned(['explain', '--rule', 'half-close', '--', '-odd.pcap']);
    expect([status, stdout]).toEqual([0, expect.stringContaining('-odd.pcap')]);
    expect(spawned(['explain', '-odd.pcap']).status).toBe(1);
  });
});

describe('output that cannot be written', () => {
  const mounted = join(tmpdir(), `faults-mount-${process.pid}`);
  const mount = (...options: string[]) =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options.join(','), 'none', mounted]);
  mkdirSync(mounted, { recursive: true });
  const canMount = mount('size=16k').status === 0;
  afterAll(() => {
    spawnSync('umount', [mounted]);
    rmSync(mounted, { recursive: true, force: true });
  });

  it.skipIf(!canMount)('ends with 74, names the file, and leaves nothing', async () => {
    mkdirSync(join(mounted, 'empty'));
    for (const args of [
      ['analyze', PCAP, '-o', join(mounted, 'new')],
      ['analyze', PCAP, '--no-html', '-o', join(mounted, 'empty')],
      ['annotate', PCAP, '-o', join(mounted, 'a.pcapng')],
    ]) {
      const { status, stderr } = await run(args);
      expect([args[0], status, stderr]).toEqual([
        args[0],
        74,
        expect.stringMatching(`${args.at(-1)} could not be written`),
      ]);
    }
    expect(readdirSync(mounted, { recursive: true })).toEqual(['empty']);
    spawnSync('mount', ['-o', 'remount,ro', mounted]);
    const { status, stderr } = await run(['analyze', PCAP, '--no-html', '-o', join(mounted, 'new')]);
    expect([status, stderr]).toEqual([74, expect.stringContaining('read-only file system')]);
    expect(await run(['capture-kit', '-o', join(mounted, 'kit.tgz')])).toMatchObject({
      status: 74,
      stderr: expect.stringContaining('kit.tgz could not be written'),
    });
  });

  it('is told of standard output too', () => {
    const script = `"${process.execPath}" "${CLI}" explain "${PCAP}" > /dev/full`;
    const { status, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([74, expect.stringContaining('standard output could not be written')]);
  });
});

/** Descriptor of a pipe's writing end, once somebody has opened the other. */
async function onceRead(path: string): Promise<number> {
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      await setTimeout(20);
    }
  }
}

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s while a pipe is waited for ends with %i', async (signal, status) => {
    const path = join(folder, `${signal}.fifo`);
    execFileSync('mkfifo', [path]);
    const child: ChildProcess = spawn(process.execPath, [CLI, 'analyze', path, '-o', 'none'], {
      cwd: folder,
    });
    const writer = await onceRead(path);
    child.kill(signal);
    expect((await once(child, 'close'))[0]).toBe(status);
    closeSync(writer);
    expect(readdirSync(folder)).not.toContain('none');
  });

  it('ends what keeps the thread busy, and its exit handlers still run', async () => {
    const program = `
      import { endOnSignals, interruptible, orNothing } from '${resolve('dist/platform/interrupt.js')}';
      endOnSignals(() => {});
      await orNothing(() => console.log('cleaned'), async () => {
        console.log('begun');
        interruptible(() => { for (;;); });
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
      if (said === 'begun\n') setTimeout(500).then(() => child.kill('SIGINT'));
    });
    expect((await once(child, 'close'))[0]).toBe(130);
    expect(said).toBe('begun\ncleaned\n');
  });
});

describe('a fault of ours', () => {
  it.each(['decide', 'tell'])(
    'in a rule (%s) is told with its stack, ends with 70, and leaves the rest whole',
    async (step) => {
      const fails = () => {
        throw new TypeError('a hook');
      };
      const broken = rules.map((r) => (r.id === 'connection-refused' ? { ...r, [step]: fails } : r));
      const result = await analyze([PCAP], { rules: broken });
      expect(result.findings.length).toBeGreaterThan(0);
      expect(statusOf(result.diagnostics)).toBe(EXIT_INTERNAL);
      const [text] = faultsIn(result.diagnostics);
      expect(text).toMatch(/please report it[\s\S]+TypeError: a hook\n {4}at /);
      expect(statusOf((await analyze([PCAP])).diagnostics)).toBe(0);
    },
  );

  it('elsewhere as well; what the file system refuses is none', () => {
    expect(endOf(new TypeError('x'))).toMatchObject({ status: 70, text: expect.stringContaining('    at ') });
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { errno: -28 });
    expect(endOf(full)).toEqual({
      status: 74,
      text: 'tcpautopsy: a temporary file could not be written: no space left on device',
    });
  });
});
