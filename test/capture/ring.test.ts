/** What the flight recorder makes of a folder that is there already, and which counters a trigger may name; no root needed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT, temporary } from './kit.ts';

const PARTS = join(ROOT, 'capture');
/** As tcpautopsy-capture has it, before anything runs. */
const SETTING = `set -u; here=$0 dir=$1 ring_bytes=4194304 max_bytes=8388608
say() { echo "$*" >&2; }; wrong() { say "$*"; exit 1; }; fail() { say "$*"; exit 125; }
. "$0/host.sh"; . "$0/record.sh"; . "$0/ring.sh"`;
const sh = (dir: string, work: string) =>
  spawnSync('sh', ['-c', `${SETTING}\n${work}`, PARTS, dir], { encoding: 'utf8' });

/** A folder with blanks and a line feed in its name, and what a recorder that was killed has left in it. */
function killed(files: Record<string, string>): string {
  const place = join(temporary(), 'a place\nwith blanks');
  mkdirSync(join(place, '.ring/.work'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place, '.ring', name), text);
  return place;
}
const LEFT = {
  'manifest.json': '{}',
  'sysctl.txt': 'net.ipv4.tcp_syncookies = 1\n',
  'events.000001.bin': 'one',
  'events.bin': 'two',
  'counters.jsonl': '{}\n',
};

it('what a killed one left becomes a bundle', () => {
  const place = killed(LEFT);
  expect(sh(place, 'prepare_ring')).toMatchObject({ status: 0 });
  const [name, ...others] = readdirSync(place);
  expect(name).toMatch(/-killed$/);
  expect(others).toEqual([]);
  expect(execFileSync('cat', [join(place, name!, 'events.bin')], { encoding: 'utf8' })).toBe('onetwo');
});

it('segments go by their numbers, not by their own times: the clock may have been set back', () => {
  const packets = Object.fromEntries(
    ['90.pcap', '100.pcap', '100.pcap2', '100.pcap10', '100.pcap1'].map((name) => [
      `packets.${name}`,
      `${'h'.repeat(24)} ${name}`,
    ]),
  );
  const place = killed({ ...LEFT, ...packets });
  // it ended an hour after the others, by the clock
  utimesSync(join(place, '.ring/packets.90.pcap'), 4e9, 4e9);
  expect(sh(place, 'prepare_ring').status).toBe(0);
  const [name] = readdirSync(place);
  const joined = readFileSync(join(place, name!, 'packets.pcap'), 'utf8');
  expect(joined).toBe(`${'h'.repeat(24)} 90.pcap 100.pcap 100.pcap1 100.pcap2 100.pcap10`);
});

it('segments go when they are older than the ring is long, whatever the clock says', () => {
  const place = killed({ ...LEFT, 'events.000002.bin': ' and ' });
  const ring = join(place, '.ring');
  writeFileSync(join(ring, '.work/seen'), '100 events.000001.bin\n1100 events.000002.bin\n');
  utimesSync(join(ring, 'events.000002.bin'), 1e9, 1e9);
  sh(place, 'dir=$dir/.ring; now=7200 ring_seconds=60 segment=10; trim_ring');
  expect(readdirSync(ring).filter((name) => /\.0/.test(name))).toEqual(['events.000002.bin']);
  expect(readFileSync(join(ring, '.work/seen'), 'utf8')).toBe('1100 events.000002.bin\n');
});

it('one that runs is left alone; that its number is ours now, as in a container that began anew, stops nobody', () => {
  const place = killed(LEFT);
  const running = `sh -c 'sleep 9; :' tcpautopsy-capture > /dev/null 2>&1 & echo $! > "$dir/.ring/.work/pid"; sleep 0.2; (prepare_ring); s=$?; kill $!; exit $s`;
  const { status, stderr } = sh(place, running);
  expect(stderr).toContain('is running in');
  expect(status).toBe(125);
  // the words of this shell hold the script's name as well
  const ours = 'echo $$ > "$dir/.ring/.work/pid"; prepare_ring # tcpautopsy-capture';
  expect(sh(place, ours)).toMatchObject({ status: 0, stderr: expect.stringContaining('-killed') });
});

it('one that is killed again and again does not fill the disk', () => {
  const place = killed({ ...LEFT, 'events.000001.bin': 'x'.repeat(5 << 20) });
  const { status, stderr } = sh(place, 'prepare_ring');
  expect(status).toBe(0);
  expect(stderr).toContain('beyond --max-size');
  expect(readdirSync(place)).toEqual([]);
});

it('a full ring of small segments has room beside it for a bundle', () => {
  const files = Array.from({ length: 400 }, (_, i) => [`events.${String(i).padStart(6, '0')}.bin`, 'x']);
  const place = killed({ ...LEFT, ...Object.fromEntries(files) });
  const { status, stderr } = sh(
    place,
    'ring_bytes=1048576 max_bytes=2097152; (dir=$dir/.ring; trim_ring); prepare_ring',
  );
  expect(status).toBe(0);
  expect(stderr).toContain('what it left is in');
  expect(readdirSync(place)).toEqual([expect.stringMatching(/-killed$/)]);
});

it('one that was killed before its first manifest, or cannot be copied, leaves no half bundle', () => {
  const before = killed({});
  expect(sh(before, 'prepare_ring').status).toBe(0);
  expect(readdirSync(before)).toEqual([]);
  const { 'sysctl.txt': _, ...rest } = LEFT;
  const place = killed(rest);
  expect(sh(place, 'prepare_ring').status).toBe(125);
  expect(readdirSync(place)).toEqual(['.ring']);
});

it('a counter that a trigger may name is one that the keeper finds', () => {
  const rise = (name: string) =>
    execFileSync(
      'awk',
      [
        `${execFileSync('sed', ['/^BEGIN {$/,$d', join(PARTS, 'keeper.awk')], { encoding: 'utf8' })}
BEGIN { current["TcpExtListenDrops"] = 1; current["TcpRetransSegs"] = 2; current["UdpInErrors"] = 4; print sum_of("${name}") }`,
      ],
      { encoding: 'utf8' },
    ).trim();
  const names = ['ListenDrops', 'TcpExtListenDrops', 'RetransSegs', 'TcpRetransSegs', 'UdpInErrors'];
  expect(names.map(rise)).toEqual(['1', '1', '2', '2', '4']);
  for (const name of names) expect(sh('', `trigger ${name}+1`).status, name).toBe(0);
  // of UDP: not looked for
  expect(sh('', 'trigger NoPorts+1').status).toBe(1);
});
