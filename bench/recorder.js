/**
 * What recording costs a host: `npm run bench:recorder [-- --rounds N] [--requests N]`, as root on an otherwise idle machine, 9 minutes.
 *
 * nginx and ab on the loopback interface, both ends here. Each round runs ab beside nothing and beside each of the recorders in turn. Needs nginx-light,
 * apache2-utils, tcpdump, bpftool, the recorder (npm run build:recorder); peers where they are: tcpstates (libbpf-tools), and the capture that ran
 * bpftrace, out of this repository's history.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from './measure.js';
import { machine, markdown } from './table.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PORT = 18080;
const ADDRESS = `http://127.0.0.1:${PORT}/`;
/** The last commit whose capture ran bpftrace. */
const WITH_BPFTRACE = '4d43fbc^';
const TICKS = 100; // CPU time in /proc, a second

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, requests: { type: 'string', default: '20000' } },
});
const rounds = Number(values.rounds);
const requests = Number(values.requests);

process.env.PATH += ':/usr/sbin:/sbin';
const folder = mkdtempSync(join(tmpdir(), 'bench-recorder-'));
const has = (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0;
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const recorder = join(
  ROOT,
  'dist/recorder',
  execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim(),
  'tcpautopsy-record',
);

/** A recorder beside the load: its command with a place to write to, and what it says when it is attached; '' says nothing: two seconds. */
const record = {
  name: 'tcpautopsy-record',
  command: (dir) => [recorder, '-o', `${dir}/events.bin`, '--port', PORT],
  ready: /^ready$/m,
};
const RECORDERS = [
  { name: 'nothing', command: null },
  record,
  {
    name: 'tcpautopsy-capture (events and packets)',
    command: (dir) => [join(ROOT, 'capture/tcpautopsy-capture'), '-o', `${dir}/b`, '--port', PORT],
    ready: /^ready$/m,
  },
  {
    name: 'tcpdump',
    command: (dir) => [
      'tcpdump',
      '-n',
      '-i',
      'any',
      '-s',
      '128',
      '-B',
      '8192',
      '--time-stamp-precision=nano',
      '-w',
      `${dir}/p`,
      `tcp port ${PORT}`,
    ],
    ready: /listening on/,
  },
  ...(has('tcpstates')
    ? [{ name: 'tcpstates (libbpf-tools)', command: () => ['tcpstates'], ready: null }]
    : []),
  ...(withBpftrace()
    ? [
        {
          name: 'the capture with bpftrace, of before',
          rounds: 3, // slow
          command: (dir) => [
            join(folder, 'before/capture/tcpautopsy-capture'),
            '-o',
            `${dir}/b`,
            '--port',
            PORT,
          ],
          ready: /^ready$/m,
        },
      ]
    : []),
];

function withBpftrace() {
  if (!has('bpftrace')) return false;
  mkdirSync(join(folder, 'before'));
  const words = `git -C ${ROOT} archive ${WITH_BPFTRACE} capture bpf 2>/dev/null | tar -xf - -C ${folder}/before 2>/dev/null`;
  return spawnSync('sh', ['-c', words]).status === 0;
}

/** Starts it, waits until it is attached; `stop` ends it and gives its CPU seconds, its children's among them, what it said and where it wrote. */
async function beside({ command, ready }) {
  if (!command) return { pid: 0, dir: '', stop: async () => ({ cpu: 0, said: '' }) };
  const dir = mkdtempSync(join(folder, 'run-'));
  const [tool, ...words] = command(dir).map(String);
  const child = spawn(tool, words, {
    detached: true,
    stdio: ['ignore', openSync(`${dir}/out`, 'w'), 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += chunk));
  const ended = new Promise((done) => child.on('close', done));
  if (ready) for (let i = 0; i < 600 && !ready.test(said) && child.exitCode === null; i++) await wait(100);
  await wait(2000);
  if (child.exitCode !== null) throw new Error(`${tool} ended: ${said}`);
  const before = cpuOf(child.pid);
  const stop = async () => {
    await wait(1000);
    const cpu = cpuOf(child.pid) - before;
    child.kill('SIGINT');
    await ended;
    return { cpu, said };
  };
  return { pid: child.pid, dir, stop };
}

/** CPU seconds of all processes of a session, and of those that have ended in it. */
function cpuOf(session) {
  let ticks = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = statOf(pid);
    if (Number(fields[3]) === session) ticks += fields.slice(11, 15).reduce((sum, n) => sum + Number(n), 0);
  }
  return ticks / TICKS;
}

/** /proc/PID/stat from its third field on. */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

/** Requests a second. */
function load(n, words = []) {
  const said = execFileSync('ab', ['-q', '-n', String(n), '-c', '10', ...words, ADDRESS], {
    encoding: 'utf8',
  });
  return Number(/Requests per second:\s+([\d.]+)/.exec(said)[1]);
}

/** Each recorder in turn, in each round: rates, CPU seconds, losses. */
async function alternating(recorders, n, words) {
  const results = recorders.map(({ name }) => ({ name, rates: [], cpus: [], lost: 0 }));
  for (let round = 0; round < rounds; round++)
    for (const [i, one] of recorders.entries()) {
      if (round >= (one.rounds ?? rounds)) continue;
      const running = await beside(one);
      results[i].rates.push(load(n, words));
      const { cpu, said } = await running.stop();
      results[i].cpus.push(cpu);
      results[i].lost += Number(
        /(\d+) events were lost/.exec(said)?.[1] ?? /(\d+) packets dropped by kernel/.exec(said)?.[1] ?? 0,
      );
      if (running.dir) rmSync(running.dir, { recursive: true });
      process.stderr.write(`${one.name}: ${results[i].rates.at(-1)} requests a second\n`);
    }
  return results;
}

function ratesTable(results) {
  const rows = results.map(({ name, rates, cpus, lost }) => {
    const ratios = rates.map((rate, i) => rate / results[0].rates[i]);
    return [
      name,
      rates.map((r) => r.toFixed(0)).join(', '),
      median(rates).toFixed(0),
      median(ratios).toFixed(2),
      median(cpus).toFixed(2),
      String(lost),
    ];
  });
  return markdown(
    ['', `requests per second, ${rounds} rounds`, 'median', 'to nothing', 'CPU s', 'lost'],
    rows,
  );
}

/** The recorder alone at 1,000 new connections a second: CPU of a core, memory, bytes an event, kernel time an event. */
async function steady(seconds) {
  const running = await beside(record);
  execFileSync('sysctl', ['-qw', 'kernel.bpf_stats_enabled=1']);
  const [cpu, time] = [cpuOf(running.pid), programs(running.pid)];
  const started = Date.now();
  let n = 0;
  const timer = setInterval(() => {
    // no more than fit: a busy machine would never catch up
    for (const due = Math.min(Date.now() - started, n + 100); n < due; n++) request();
  }, 10);
  await wait(seconds * 1000);
  clearInterval(timer);
  const lasted = (Date.now() - started) / 1000;
  const share = (cpuOf(running.pid) - cpu) / lasted;
  const spent = programs(running.pid) - time;
  execFileSync('sysctl', ['-qw', 'kernel.bpf_stats_enabled=0']);
  const memory = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${running.pid}/status`, 'utf8'))[1]);
  await running.stop();
  const file = join(running.dir, 'events.bin');
  // the last status of the recorder counts them
  const events = Number(
    readFileSync(file, 'latin1')
      .match(/"emitted":\d+/g)
      .at(-1)
      .slice(10),
  );
  return [
    ['new connections a second', (n / lasted).toFixed(0)],
    ['events', String(events)],
    ['CPU of tcpautopsy-record, of a core', `${(share * 100).toFixed(1)} %`],
    ['in the kernel, for each event', `${(spent / events / 1000).toFixed(2)} µs`],
    ['on the disk, for each event', `${(statSync(file).size / events).toFixed(0)} bytes`],
    ['resident memory', `${(memory / 1024).toFixed(1)} MB`],
  ];
}

function request() {
  const socket = connect(PORT, '127.0.0.1', () => socket.write('GET / HTTP/1.0\r\n\r\n'));
  socket.on('error', () => undefined).resume();
}

/** Nanoseconds that the programs of a process have run. */
function programs(pid) {
  const folder = `/proc/${pid}/fdinfo`;
  const ids = readdirSync(folder).map(
    (fd) => /prog_id:\s+(\d+)/.exec(readFileSync(join(folder, fd), 'utf8'))?.[1],
  );
  const all = JSON.parse(
    execFileSync('bpftool', ['-j', 'prog', 'show'], { encoding: 'utf8', maxBuffer: 1 << 28 }),
  );
  return all.filter((p) => ids.includes(String(p.id))).reduce((sum, p) => sum + (p.run_time_ns ?? 0), 0);
}

async function serve() {
  writeFileSync(join(folder, 'index.html'), 'x'.repeat(1000));
  const text = `worker_processes 1; daemon off; pid ${folder}/pid; error_log ${folder}/error;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 1000000; server { listen 127.0.0.1:${PORT} backlog=4096; root ${folder}; } }`;
  writeFileSync(join(folder, 'nginx.conf'), text);
  execFileSync('chmod', ['755', folder]);
  const server = spawn('nginx', ['-c', join(folder, 'nginx.conf')], { stdio: 'inherit' });
  for (let i = 0; i < 50 && !existsSync(join(folder, 'pid')); i++) await wait(100);
  return server;
}

const server = await serve();
try {
  const [busy] = loadavg();
  load(requests / 4);
  const fresh = await alternating(RECORDERS, requests, []);
  const kept = await alternating(RECORDERS.slice(0, 3), requests * 2, ['-k']);
  const one = await steady(20);
  console.log(`${machine()}; load average ${busy.toFixed(1)} at the start

A connection for each request (\`ab -q -n ${requests} -c 10\`), both ends here:

${ratesTable(fresh)}

Connections that are kept (\`ab -q -k -n ${requests * 2} -c 10\`):

${ratesTable(kept)}

tcpautopsy-record alone, for 20 s:

${markdown(['', ''], one)}`);
} finally {
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}
