/** Packet options of pcapng: directions, and the processes that ptcpdump writes into comments. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, describe as group, test } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { DIRECTION_IN, DIRECTION_OUT } from '../../../src/model/packet.ts';
import { parseComments } from '../../../src/read/capture/packet-comments.ts';
import { writeReport } from '../../../src/write.ts';
import { trackCapture } from '../../connect/capture.ts';
import { block, describe, enhanced, option, packetsOf, section, simple } from './build.ts';
import { codes, collect } from './collect.ts';

const SMTP = readFileSync('node_modules/pcap-parser/test/smtp.pcap');
/** Its TCP packets: one connection, the client's SYN first. */
const packets = packetsOf(SMTP).filter(({ data }) => data[23] === 6);
const folder = mkdtempSync(join(tmpdir(), 'comments-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** As ptcpdump 0.3x writes them (its internal/writer/pcapng.go): every packet has a comment on each subject. */
const CURL = [
  'PID: 2547\nCmd: /usr/bin/curl\nArgs: curl -m 1 http://10.0.0.1',
  'ThreadId: 2547\nThreadName: curl',
  'ParentPID: 2302\nParentCmd: /usr/bin/bash\nParentArgs: bash -l',
  'ContainerName: shop\nContainerId: 36f0310403b1\nContainerImage: curl:8\nContainerLabels: {"a":"b: c"}',
  'PodName: web-0\nPodNamespace: default\nPodUID: 9e75\nPodLabels: {}\nPodAnnotations: {}',
];
const comment = (text: string, big = false) => option(1, Buffer.from(text), big);
const flags = (value: number, big = false) =>
  option(2, big ? Buffer.of(0, 0, 0, value) : Buffer.of(value, 0, 0, 0), big);
const at = (n: number) => 1_700_000_000_000_000n + BigInt(n);

function capture(options: readonly Buffer[], big = false): Buffer {
  const blocks = options.map((some, i) => enhanced(0, at(i), packets[i]!.data, { options: some, big }));
  return Buffer.concat([section(big), describe({ big }), ...blocks]);
}

group('comments', () => {
  test.each([false, true])('name the process of a packet, once for all packets (big-endian: %s)', (big) => {
    const curl = Buffer.concat(CURL.map((text) => comment(text, big)));
    const sshd = comment('PID: 7\nCmd: /usr/sbin/sshd\nArgs: sshd: root@pts/0', big);
    const { frames, sources, ...rest } = collect(capture([curl, sshd, curl, Buffer.alloc(0), curl], big));
    expect(frames.map((f) => f.process)).toEqual([1, 2, 1, 0, 1]);
    expect(sources[0]!.processes).toEqual([
      {
        pid: 2547,
        comm: 'curl',
        command: '/usr/bin/curl',
        arguments: 'curl -m 1 http://10.0.0.1',
        container: 'shop',
        pod: 'default/web-0',
      },
      {
        pid: 7,
        comm: 'sshd',
        command: '/usr/sbin/sshd',
        arguments: 'sshd: root@pts/0',
        container: null,
        pod: null,
      },
    ]);
    expect(codes({ frames, sources, ...rest })).toEqual({});
  });

  test('of people, and of other tools, name none', () => {
    for (const text of [
      '',
      'look here',
      'PID: 7',
      'PID: x\nCmd: y',
      'PID: 0\nCmd: y',
      'Cmd: y',
      ': 7\nCmd: y',
    ]) {
      expect([text, parseComments(text)]).toEqual([text, null]);
    }
    expect(parseComments('PID: 7\nCommand: nc\n')).toMatchObject({ pid: 7, comm: 'nc', arguments: null });
  });

  test('in great numbers, and very long ones, are bounded', () => {
    const many = Array.from({ length: 70_000 }, (_, i) =>
      enhanced(0, at(i), packets[0]!.data, { options: comment(`PID: ${i + 1}\nCmd: x`) }),
    );
    const { frames, sources } = collect(Buffer.concat([section(), describe(), ...many]));
    expect(sources[0]!.processes!.length).toBe(65_536);
    expect([frames[65_535]!.process, frames[65_536]!.process]).toEqual([65_536, 0]);
    const long = comment(`PID: 1\nCmd: ${'x'.repeat(60_000)}`);
    expect(collect(capture([long])).frames[0]!.process).toBe(0);
  });
});

group('options of a packet', () => {
  test.each([false, true])('say which way it went (big-endian: %s)', (big) => {
    const { frames } = collect(
      capture(
        [0, 1, 2, 3, 2].map((value) => flags(value, big)),
        big,
      ),
    );
    expect(frames.map((f) => f.direction)).toEqual([0, DIRECTION_IN, DIRECTION_OUT, 0, DIRECTION_OUT]);
  });

  test('are forgotten with the packet, and read behind the end mark no more', () => {
    const ended = Buffer.concat([Buffer.alloc(4), flags(1)]);
    const file = Buffer.concat([capture([flags(2), ended]), simple(packets[2]!.data)]);
    expect(collect(file).frames.map((f) => f.direction)).toEqual([DIRECTION_OUT, 0, 0]);
  });

  test('that reach beyond their block are not read, the packet is', () => {
    const torn = Buffer.concat([flags(2), comment('PID: 1\nCmd: x').fill(0xff, 2, 4)]);
    const seen = collect(capture([torn, Buffer.alloc(0)]));
    expect(seen.frames.map((f) => [f.direction, f.process])).toEqual([
      [DIRECTION_OUT, 0],
      [0, 0],
    ]);
    expect(codes(seen)).toEqual({ 'pcapng-damaged-packet-option': ['info', 1, 'frame 1'] });
  });
});

test('names of interfaces are kept by their number over all sections', () => {
  const one = [section(), describe({ name: 'eth0' }), describe()];
  const two = [section(true), describe({ name: 'veth7\0', big: true })];
  expect(collect(Buffer.concat([...one, ...two])).sources[0]!.interfaces).toEqual(['eth0', '', 'veth7']);
});

test.each([4, 7, 8, 9, 10, 11, 0xbad, 0x40000bad])(
  'a block of type %d is skipped, whatever is in it',
  (type) => {
    const filled = block(type, Buffer.alloc(400, 0xfe));
    const file = Buffer.concat([section(), describe(), filled, enhanced(0, at(0), packets[0]!.data), filled]);
    const seen = collect(file);
    expect([seen.frames.length, codes(seen)]).toEqual([1, {}]);
  },
);

group('a connection', () => {
  const write = (name: string, options: readonly Buffer[]) => {
    const path = join(folder, name);
    writeFileSync(path, capture(options));
    return path;
  };
  const named = (path: string) => {
    const { tracker } = trackCapture(path);
    const { processes } = tracker.connection(0);
    return processes.map((p) => p?.pid ?? null);
  };
  const bySender = comment('PID: 11\nCmd: /bin/client');

  test('has its process at the end that sends what goes out and receives what comes in', () => {
    const out = Buffer.concat([bySender, flags(2)]);
    const into = Buffer.concat([bySender, flags(1)]);
    expect(named(write('out', [out, into]))).toEqual([11, null]);
    expect(named(write('in', [into, out]))).toEqual([null, 11]);
    expect(named(write('unknown', [bySender, bySender]))).toEqual([null, null]);
  });

  test('shows it in connections.csv and in the report', async () => {
    const curl = Buffer.concat([...CURL.map((text) => comment(text)), flags(2)]);
    const answer = Buffer.concat([comment(CURL[0]!), flags(1)]);
    const result = await analyze([write('shown.pcapng', [curl, answer, curl])]);
    const out = join(folder, 'report');
    await writeReport(result, out, { html: true });
    const [header, row] = readFileSync(join(out, 'connections.csv'), 'utf8')
      .split('\n')
      .map((l) => l.split(','));
    const cell = (name: string) => row![header!.indexOf(name)];
    expect(['client_pid', 'client_comm', 'server_pid', 'server_comm'].map(cell)).toEqual([
      '2547',
      'curl',
      '',
      '',
    ]);
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('curl[2547]');
  });

  test('over loopback is seen going out and coming in, and counted once', () => {
    const path = join(folder, 'twice');
    const both = packets
      .slice(0, 5)
      .flatMap(({ data }, i) => [
        enhanced(0, at(2 * i), data, { options: flags(2) }),
        enhanced(0, at(2 * i + 1), data, { options: flags(1) }),
      ]);
    writeFileSync(path, Buffer.concat([section(), describe(), ...both]));
    const { tracker } = trackCapture(path);
    const once = trackCapture(write('once', Array(5).fill(Buffer.alloc(0)))).tracker;
    const [seen, plain] = [tracker.connection(0), once.connection(0)];
    expect([seen.packets, seen.retransmits]).toEqual([plain.packets, plain.retransmits]);
    expect([seen.duplicateSightings, plain.duplicateSightings, plain.packets]).toEqual([5, 0, [3, 2]]);
  });
});

test.skipIf(spawnSync('editcap', ['--version']).status !== 0)('a comment that editcap wrote is read', () => {
  const path = join(folder, 'edited.pcapng');
  const smtp = 'node_modules/pcap-parser/test/smtp.pcap';
  execFileSync('editcap', ['-a', '2:PID: 42\nCmd: /usr/sbin/exim4\nArgs: exim4 -bd', smtp, path]);
  const { frames, sources } = collect(readFileSync(path));
  expect(frames.map((f) => f.process).slice(0, 4)).toEqual([0, 1, 0, 0]);
  expect(sources[0]!.processes![0]).toMatchObject({ pid: 42, comm: 'exim4' });
});
