// An archive as somebody keeps it: 200 captures of two invented hosts over 30 days, made of the shipped samples (times moved,
// servers renumbered), some broken; then the batch over the first of them, over all, and again. Its first screen answers: which fault,
// since when, on which hosts, is it new.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { moved } from './moved.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const archive = join(root, 'demo-archive/captures');
const out = join(root, 'demo-archive/OUT');
const GROUPS = 200;
const DAYS = 30;
const FIRST = Date.UTC(2026, 10, 1) / 1000;
/** Addresses of the invented hosts. */
const HOSTS = { 'web-1': [10, 20, 0, 11], 'web-2': [10, 20, 0, 12] };

const HEALTHY = ['graceful-server-first', 'graceful-client-first', 'half-close', 'fin-with-ack'];
/** [sample, host, first day, last day, every so many captures of the host]. */
const FAULTS = [
  ['unread-data', 'web-1', 0, 29, 5],
  ['closed-port', 'web-1', 3, 6, 2],
  ['accept-queue-syn', 'web-2', 18, 29, 2],
  ['close-wait-leak', 'web-2', 20, 29, 5],
];

function sample(name) {
  return Buffer.from(readFileSync(join(root, `samples/live/${name}/6.18/packets.pcap`)));
}

function faultOf(host, day, n) {
  return FAULTS.find(
    ([, of, from, to, every]) => of === host && day >= from && day <= to && n % every === 0,
  )?.[0];
}

function put(name, bytes) {
  const path = join(archive, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

rmSync(join(root, 'demo-archive'), { recursive: true, force: true });
const packed = new Map();
for (let n = 0; n < GROUPS; n++) {
  const host = n % 2 === 0 ? 'web-1' : 'web-2';
  const day = Math.floor((n * DAYS) / GROUPS);
  const ofHost = Math.floor(n / 2);
  const second = FIRST + day * 86_400 + ((ofHost * 7919) % 86_000);
  const name = faultOf(host, day, ofHost) ?? HEALTHY[ofHost % HEALTHY.length];
  let bytes = moved(sample(name), second, HOSTS[host]);
  // one in twenty is broken: cut within a packet, or nothing but noise
  if (n % 20 === 7)
    bytes = n % 40 === 7 ? bytes.subarray(0, Math.floor(bytes.length * 0.7)) : Buffer.alloc(600, n);
  const date = new Date(second * 1000).toISOString().slice(0, 10);
  const file = `${host}-${n}.pcap`;
  // the first week lies in tars, some captures are packed
  if (day < 7) packed.set(`${date}.tar.gz`, [...(packed.get(`${date}.tar.gz`) ?? []), [file, bytes]]);
  else if (n % 3 === 0) put(`${host}/${date}/${file}.gz`, gzipSync(bytes));
  else put(`${host}/${date}/${file}`, bytes);
}
for (const [name, members] of packed) {
  const folder = join(root, 'demo-archive/tar');
  mkdirSync(folder, { recursive: true });
  for (const [file, bytes] of members) writeFileSync(join(folder, file), bytes);
  mkdirSync(archive, { recursive: true });
  spawnSync('tar', ['-czf', join(archive, name), '-C', folder, ...members.map(([file]) => file)], {
    stdio: 'inherit',
  });
  rmSync(folder, { recursive: true });
}

const ROUNDS = [
  ['Until 18 November', ['--until', '2026-11-18']],
  ['All of it: what is new since then', []],
  ['The same again', []],
];
for (const [round, more] of ROUNDS) {
  const words = ['tcpautopsy batch demo-archive/captures -o demo-archive/OUT --html errors', ...more].join(
    ' ',
  );
  console.log(`\n── ${round}: ${words}\n`);
  const begun = Date.now();
  const args = [join(root, 'dist/cli.js'), 'batch', archive, '-o', out, '--html', 'errors', ...more];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'ignore'] });
  console.log(`(${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  // 2: what is broken is named
  if (status !== 0 && status !== 2) process.exit(status ?? 1);
}
console.log(`\nThe roll-up: ${join(out, 'rollup.html')}`);
