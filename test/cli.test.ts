// The command as users run it: exit status, messages with file and place, nothing half written.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './command/run.ts';

const ROOT = resolve(import.meta.dirname, '..');
const EXP1 = join(ROOT, 'samples/documents/exp1');
const PCAP = join(ROOT, 'samples/live/pcap-and-tcpstates/packets.pcap');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tcpautopsy-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** In a process of its own, compiled; most of what follows needs none. */
function spawned(args: string[], input?: Buffer, env: NodeJS.ProcessEnv = {}) {
  const result = spawnSync(process.execPath, [join(ROOT, 'dist/cli.js'), ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    ...(input ? { input } : {}),
  });
  expect(result.stderr).not.toMatch(/\n\s+at .+:\d+/); // never a stack trace
  return result;
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('analyze', () => {
  let report: string;
  let ran: ReturnType<typeof spawned>;
  beforeAll(() => {
    report = join(folder, 'report');
    ran = spawned(['analyze', EXP1, PCAP, '-o', report]);
  });

  it('writes every output of the design and says what it found', () => {
    expect(ran.status).toBe(0);
    expect(ran.stdout).toContain('report.html');
    const files = readdirSync(report).sort();
    expect(files).toEqual([
      'charts',
      'connections.csv',
      'diagnostics.csv',
      'findings.csv',
      'report.html',
      'report.md',
      'result.json',
      'rules.csv',
      'sources.csv',
      'timeline.csv',
    ]);
    const charts = readdirSync(join(report, 'charts'));
    for (const chart of ['over-time', 'fin-wait2', 'state-timeline', 'listener-pressure']) {
      expect(charts).toContain(`${chart}.vl.json`);
      expect(charts).toContain(`${chart}.svg`);
    }
  });

  it('refuses a folder that is not its own, and replaces one that is, with --no-html by one without HTML and SVG', async () => {
    const taken = join(folder, 'taken');
    mkdirSync(taken);
    writeFileSync(join(taken, 'precious.txt'), 'x');
    const refused = await run(['analyze', PCAP, '-o', taken]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('taken');
    expect(readFileSync(join(taken, 'precious.txt'), 'utf8')).toBe('x');

    const own = join(folder, 'own');
    cpSync(report, own, { recursive: true });
    writeFileSync(join(own, 'stale.csv'), 'old');
    expect((await run(['analyze', PCAP, '-o', own, '--no-html'])).status).toBe(0);
    expect(existsSync(join(own, 'stale.csv'))).toBe(false);
    expect(existsSync(join(own, 'report.html'))).toBe(false);
    expect(readdirSync(join(own, 'charts')).filter((f) => f.endsWith('.svg'))).toEqual([]);
  });

  it('gives the same bytes for the same input', async () => {
    const again = join(folder, 'again');
    expect((await run(['analyze', EXP1, PCAP, '-o', again, '--no-html'])).status).toBe(0);
    for (const name of ['connections.csv', 'findings.csv', 'timeline.csv', 'diagnostics.csv']) {
      expect(readFileSync(join(report, name), 'utf8')).toBe(readFileSync(join(again, name), 'utf8'));
    }
  });

  it('reads standard input, and uses no colour in a pipe', () => {
    const { status, stdout } = spawned(['explain', '-'], readFileSync(PCAP));
    expect(status).toBe(0);
    expect(stdout).toContain('10.77.0.2');
    expect(stdout).not.toContain('\u001b[');
  });

  it('keeps to --filter', async () => {
    const out = join(folder, 'filtered');
    expect(
      (await run(['analyze', PCAP, '-o', out, '--no-html', '--filter', 'rule connection-refused'])).status,
    ).toBe(0);
    const rows = readFileSync(join(out, 'connections.csv'), 'utf8').trim().split('\n');
    expect(rows.length).toBe(3);
    expect(rows.slice(1).every((r) => r.includes('connection-refused'))).toBe(true);
    const { story } = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8'));
    expect(story.at(-1)).toMatch(/\d+ other connections filtered out/);
    expect(story.join(' ')).not.toContain('listener was closed');
  });

  it('says so when no connection passes the filter', async () => {
    const { status, stdout } = await run(['explain', PCAP, '--filter', 'port 1']);
    expect(status).toBe(0);
    expect(stdout).toContain('No connections match (22 filtered out).');
  });
});

describe('bad input', () => {
  const explain = (...inputs: string[]) => run(['explain', ...inputs]);

  it.each([
    ['an empty file', 'empty.pcap', ''],
    ['prose', 'notes.txt', 'Dear all,\nthe service was slow this morning.\nRegards\n'],
    ['bytes of something else', 'photo.jpg', Buffer.from('ffd8ffe000104a46494600010100', 'hex')],
  ])('%s alone: exit 3, naming the file', async (_what, name, content) => {
    const { status, stderr } = await explain(file(name, content));
    expect(status).toBe(3);
    expect(stderr).toContain(name);
  });

  it('a capture without packets: exit 3, and says so', async () => {
    const { status, stderr } = await explain(file('quiet.pcap', readFileSync(PCAP).subarray(0, 24)));
    expect(status).toBe(3);
    expect(stderr).toMatch(/nothing to explain: no packet and no event in .*quiet\.pcap/);
  });

  it('a log with stray NULs: exit 2 with the line, and the rest explained', async () => {
    const log = readFileSync(join(ROOT, 'samples/live/pcap-and-tcpstates/tcpstates.txt'), 'utf8').split('\n');
    log[60] = `\0${log[60]}`;
    const { status, stderr, stdout } = await explain(file('crashed.txt', `${log.join('\n')}\0\0\0\0`));
    expect(status).toBe(2);
    expect(stderr).toMatch(/crashed\.txt, line 61/);
    expect(stdout).toContain('10.77.0.2');
  });

  it('a folder with nothing readable: exit 3', async () => {
    const path = join(folder, 'nothing');
    mkdirSync(path);
    const { status, stderr } = await explain(path);
    expect(status).toBe(3);
    expect(stderr).toContain('nothing');
  });

  it('a file that is not there: exit 3, named', async () => {
    const { status, stderr } = await explain(join(folder, 'missing.pcap'));
    expect(status).toBe(3);
    expect(stderr).toContain('missing.pcap');
    expect(stderr).toContain('no such file');
  });

  it('a capture cut in the middle of a record: exit 2, with the byte, and the rest explained', async () => {
    const whole = readFileSync(PCAP);
    const { status, stderr, stdout } = await explain(file('cut.pcap', whole.subarray(0, whole.length - 30)));
    expect(status).toBe(2);
    expect(stderr).toMatch(/cut\.pcap, byte \d+/);
    expect(stdout).toContain('10.77.0.2');
  });

  it('a pcapng with a block length of 4 GiB: exit 2 or 3, with the byte, at once', async () => {
    const header = Buffer.alloc(28);
    header.writeUInt32LE(0x0a0d0d0a, 0);
    header.writeUInt32LE(28, 4);
    header.writeUInt32LE(0x1a2b3c4d, 8);
    header.writeUInt16LE(1, 12);
    header.fill(0xff, 16, 24);
    header.writeUInt32LE(28, 24);
    const block = Buffer.alloc(64);
    block.writeUInt32LE(6, 0);
    block.writeUInt32LE(0xfffffffc, 4);
    const { status, stderr } = await explain(file('huge.pcapng', Buffer.concat([header, block])));
    expect(status).toBe(3);
    expect(stderr).toMatch(/huge\.pcapng, byte 28/);
  });

  it('one bad file among good ones: exit 2, the good ones are explained', async () => {
    const mixed = join(folder, 'mixed');
    mkdirSync(mixed);
    cpSync(PCAP, join(mixed, 'packets.pcap'));
    writeFileSync(join(mixed, 'zero.pcap'), '');
    const { status, stderr, stdout } = await explain(mixed);
    expect(status).toBe(2);
    expect(stderr).toContain('zero.pcap');
    expect(stdout).toContain('10.77.0.2');
  });
});

describe('capture', () => {
  it('is the script that runs without Node', () => {
    const { status, stderr } = spawned(['capture', '--frob']);
    expect(status).toBe(1);
    expect(stderr).toContain('Try: tcpautopsy-capture --help');
  });

  it('travels as a kit that runs from where it is unpacked', async () => {
    const kit = join(folder, 'kit.tar.gz');
    const made = await run(['capture-kit', '-o', kit]);
    expect(made.status).toBe(0);
    const carried = spawnSync('tar', ['-tzf', kit], { encoding: 'utf8' }).stdout;
    expect(/^recorder\/\w+\/tcpautopsy-record$/m.test(carried)).toBe(/^With the recorder/m.test(made.stdout));
    expect(carried).not.toMatch(/\.[ch]$/m);
    const host = join(folder, 'host');
    mkdirSync(host);
    expect(spawnSync('tar', ['-xzf', kit, '-C', host]).status).toBe(0);
    const { status, stderr } = spawnSync('sh', [join(host, 'capture/tcpautopsy-capture')], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('Try: tcpautopsy-capture --help');
  });
});

describe('usage', () => {
  const wrong: [args: string[], said: RegExp][] = [
    [['analyze', 'x.pcap'], /output/],
    [['frobnicate'], /frobnicate/],
    [['explain', 'x.pcap', '--filter', 'port abc'], /not a port/],
    [['explain', 'x.pcap', '--date', 'yesterday'], /YYYY-MM-DD/],
    [['explain', 'x.pcap', '--tz', 'Mars/Base'], /time zone/],
    [['explain', 'x.pcap', '--tz', '-15:00'], /-15:00: not a time zone/],
    [['explain', 'x.pcap', '--connection', 'here-there'], /ADDRESS:PORT/],
    [['explain', 'x.pcap', '--host', 'web'], /NAME=INPUT/],
    [['explain'], /Missing input/],
    [['explain', '--before', 'a.txt'], /--before and --after go together/],
    [['explain', '--before', 'a.txt', '--after', 'a.txt'], /a\.txt is given as --before and as --after/],
    [['rules', 'no-such-rule'], /no-such-rule/],
    [['rules', 'unread-data-rest'], /did you mean unread-data-reset\?/],
    [['analyse', 'x.pcap'], /no command is called analyse; did you mean analyze\?/],
    [['help', 'nothing'], /no command is called nothing/],
    [['analyze', '--ouput', 'x', 'x.pcap'], /no option is called --ouput; did you mean --output\?/],
    [['explain', '--verbosely', 'x.pcap'], /no option is called --verbosely/],
    [['completion', 'csh'], /expected bash, zsh, fish/],
    [[], /analyze/],
  ];

  it.each(wrong)('%j: exit 1 and a hint', async (args, message) => {
    const { status, stderr } = await run(args);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('takes a zone west of Greenwich for a value', async () => {
    expect((await run(['explain', 'x.pcap', '--tz', '-08:00'])).stderr).toContain('x.pcap: no such file');
  });

  it('answers the shortest questions as the parser would', async () => {
    const help = spawned(['--help']);
    expect(help.status).toBe(0);
    expect(help.stdout).toContain('tcpautopsy analyze [input...]');
    // said twice it goes to the parser
    for (const words of [['-h'], ['--help', '--help']]) expect((await run(words)).stdout).toBe(help.stdout);
    expect(spawned(['--help'], undefined, { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' }).stdout).toBe(
      help.stdout,
    );
    const rules = (await run(['rules'])).stdout;
    const formats = (await run(['formats'])).stdout;
    expect((await run(['rules', '--'])).stdout).toBe(rules);
    expect((await run(['formats', '--'])).stdout).toBe(formats);
    expect(rules).toContain('unread-data-reset');
    for (const id of ['pcap', 'pcapng', 'tcpstates', 'tcpdrop', 'netstat', 'tcpdump'])
      expect(formats).toContain(id);
    expect((await run(['rules', '--help'])).stdout).toContain('rules [id]');
    for (const words of [
      ['rules', 'a', 'b'],
      ['formats', 'x'],
      ['rules', '--nonsense'],
    ])
      expect((await run(words)).status).toBe(1);
  });

  it('help COMMAND is the page of the command, with examples', async () => {
    const { status, stdout } = await run(['help', 'explain']);
    expect(status).toBe(0);
    expect(stdout).toBe((await run(['explain', '--help'])).stdout);
    expect(stdout).toContain('Examples:');
  });

  it('completes commands, options and rules, for each shell', async () => {
    const completions = (...words: string[]) =>
      spawned(['--get-yargs-completions', 'tcpautopsy', ...words], undefined, {
        SHELL: '/bin/bash',
      }).stdout.split('\n');
    expect(completions('')).toContain('analyze');
    expect(completions('explain', '--')).toContain('--connection');
    for (const words of [
      ['explain', '--rule', ''],
      ['rules', ''],
    ])
      expect(completions(...words)).toContain('unread-data-reset');
    expect((await run(['completion', 'zsh'])).stdout).toContain('#compdef tcpautopsy');
    expect((await run(['completion', 'bash'])).stdout).toContain('complete -o bashdefault');
    const fish = await run(['completion', 'fish']);
    expect([fish.status, fish.stdout]).toEqual([0, expect.stringContaining('-c tcpautopsy')]);
  });

  it('colours where FORCE_COLOR asks for them, unless NO_COLOR forbids', async () => {
    const colours = async (env: NodeJS.ProcessEnv) =>
      (await run(['explain', PCAP], env)).stdout.includes('\u001b[');
    expect(await colours({ FORCE_COLOR: '1' })).toBe(true);
    expect(await colours({ FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
  });

  const failing: [what: string, status: number][] = [
    ['error', 4],
    ['connection-refused', 4],
    ['close-wait-leak', 0],
    ['graceful-close', 4],
  ];
  it.each(failing)('--fail-on %s: %i', async (what, status) => {
    expect((await run(['explain', PCAP, '--fail-on', what])).status).toBe(status);
  });

  it('explains one rule', async () => {
    expect((await run(['rules', 'unread-data-reset'])).stdout).toMatch(/__tcp_close|tcp_close/);
  });

  it('shows one connection, either way round', async () => {
    const names = ['10.77.0.1:36763-10.77.0.2:8091', '10.77.0.2:8091-10.77.0.1:36763'];
    const outputs = [];
    for (const c of names) outputs.push(await run(['explain', PCAP, '--connection', c]));
    expect(outputs.map((o) => o.status)).toEqual([0, 0]);
    expect(outputs[0]!.stdout).toContain('36763');
    expect(outputs[0]!.stdout).not.toContain('36802');
    expect(outputs[1]!.stdout).toBe(outputs[0]!.stdout);
  });
});

it('the programs of threads lie beside what starts them', () => {
  const dist = join(ROOT, 'dist');
  const own = readdirSync(dist).filter((name) => name.endsWith('.js'));
  const started = own.flatMap((name) =>
    [
      ...readFileSync(join(dist, name), 'utf8').matchAll(/new URL\(["']\.\/([\w-]+\.js)["'], *import\.meta/g),
    ].map((m) => m[1]!),
  );
  expect(new Set(started)).toEqual(new Set(['worker.js', 'batch-worker.js', 'unpacking.js']));
  expect(started.filter((name) => !own.includes(name))).toEqual([]);
});
