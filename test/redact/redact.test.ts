/** No output of a redacted result holds an address or a name of the original: all outputs are searched for all. */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { isLoopback, isWildcard, parseWords } from '../../src/model/address.ts';
import { CryptoPan } from '../../src/redact/crypto-pan.ts';
import { Redactor } from '../../src/redact/redactor.ts';
import { redactResult } from '../../src/redact/result.ts';
import type { Result } from '../../src/tables/result.ts';
import { renderExplain } from '../../src/terminal/terminal.ts';
import { annotate } from '../../src/wireshark/annotate.ts';
import { writeReport } from '../../src/write.ts';
import { some } from '../thorough.ts';

const SAMPLES = new URL('../../samples/', import.meta.url).pathname;

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'redact-'));
});
afterAll(() => rm(root, { recursive: true }));

const ADDRESS = /\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*::?[0-9a-f:.]+/gi;

/** Every address that stands anywhere in the original, also in its inputs' text. */
function addressesOf(result: Result): Set<string> {
  const found = new Set(result.connections.flatMap((c) => [c.client.address, c.server.address]));
  for (const h of result.hosts) for (const a of h.addresses) found.add(a);
  for (const text of JSON.stringify(result).match(ADDRESS) ?? []) if (isIP(text)) found.add(text);
  return new Set([...found].filter((a) => isIP(a) && !isLoopback(a) && !isWildcard(a)));
}

function namesOf(result: Result): Set<string> {
  const comms = result.timeline.map((i) => i.comm);
  const names = [...comms, ...result.connections.flatMap((c) => [c.clientComm, c.serverComm])];
  const hosts = result.hosts.map((h) => h.name);
  // words of our own, threads of the kernel, and tools after which formats are named
  const ours = /^(client|server|swapper|ksoftirqd|kworker|tcpstates|tcptracer|tcpdrop)\b/;
  return new Set([...names, ...hosts].filter((n) => n.length > 1 && !isIP(n) && !ours.test(n)));
}

/** How an address may be spelt: as it is, IPv4-mapped, in hex of either byte order (/proc/net/tcp), in full, in capitals. */
function spellingsOf(address: string): RegExp {
  const words = parseWords(address)!.map((w) => w >>> 0);
  const hex = (w: number) => w.toString(16).padStart(8, '0');
  const swapped = (w: number) => hex(w).match(/../g)!.reverse().join('');
  const groups = words.map(hex).join('').match(/.{4}/g)!;
  const texts = [address, groups.join(':'), groups.map((g) => g.replace(/^0+(?=.)/, '')).join(':')];
  texts.push(words.map(hex).join(''), words.map(swapped).join(''));
  if (isIP(address) === 4) {
    const [high, low] = hex(words[3]!)
      .match(/.{4}/g)!
      .map((g) => g.replace(/^0+(?=.)/, ''));
    texts.push(`::ffff:${address}`, `::ffff:${high}:${low}`, hex(words[3]!), swapped(words[3]!));
    texts.push(address.replaceAll('.', '-'), address.replaceAll('.', '_'));
  }
  const either = texts.map((t) => t.replace(/[.]/g, '\\.')).join('|');
  return new RegExp(`(?<![0-9a-z.:])(?:${either})(?![0-9a-z]|\\.\\d)`, 'i');
}

/** The bytes of an address as packets have them. */
function bytesOf(address: string): Buffer {
  const all = Buffer.alloc(16);
  for (const [i, w] of parseWords(address)!.entries()) all.writeUInt32BE(w >>> 0, 4 * i);
  return isIP(address) === 4 ? all.subarray(12) : all;
}

const written = new Map<string, ReturnType<typeof write>>();

/** The original, what is left of it, and every output of that, by name: made once for each sample. */
function everything(sample: string) {
  const made = written.get(sample) ?? write(sample);
  written.set(sample, made);
  return made;
}

async function write(sample: string) {
  const inputs = [isAbsolute(sample) ? sample : join(SAMPLES, sample)];
  const original = await analyze(inputs, { timeline: 'all', command: `tcpautopsy analyze ${sample}` });
  const redactor = new Redactor(Buffer.from('the same in every run'));
  const result = redactResult(original, redactor);
  const dir = await mkdtemp(join(root, 'out-'));
  await writeReport(result, join(dir, 'report'), { html: true, png: true });
  await annotate(result, inputs, join(dir, 'annotated.pcapng'), { redact: redactor });
  const files = new Map<string, Buffer>([
    ['terminal', Buffer.from(renderExplain(result, { width: 100, color: false }))],
  ]);
  for (const name of await readdir(dir, { recursive: true })) {
    if (/\.\w+$/.test(name)) files.set(name, await readFile(join(dir, name)));
  }
  return { original, result, files };
}

const searched = [
  'documents/exp1',
  'documents/003',
  'live/data-after-close/6.18',
  'live/dual-stack/6.18',
  'bundle/syn-cookie/6.18',
  'documents/004',
  'live/accept-queue-incident/6.18',
  'bundle/accept-queue-incident/6.18',
];

describe.each(some(searched, 3))('%s', (sample) => {
  test('no output holds an address or a name of the original', async () => {
    const { original, files } = await everything(sample);
    const addresses = addressesOf(original);
    expect(addresses.size).toBeGreaterThan(0);
    expect(files.size).toBeGreaterThan(9);
    const leaks: string[] = [];
    for (const [name, content] of files) {
      // compressed bytes may spell anything; a PNG is drawn from the SVG, which is searched
      const text = name.endsWith('.png') ? '' : content.toString('latin1');
      for (const a of addresses) {
        const spelt = spellingsOf(a).exec(text);
        if (spelt) leaks.push(`${name}: ${spelt[0]}`);
        if (name.endsWith('.pcapng') && content.includes(bytesOf(a))) leaks.push(`${name}: ${a} in binary`);
      }
      for (const n of namesOf(original)) {
        if (new RegExp(`(?<!\\w)${n.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?!\\w)`).test(text))
          leaks.push(`${name}: ${n}`);
      }
    }
    expect(leaks).toEqual([]);
  });
});

test('an address in the name of a folder or file, and on the command line, is replaced like any other', async () => {
  const folder = join(root, 'incident-10.77.0.2');
  await cp(join(SAMPLES, 'live/data-after-close/6.18'), folder, { recursive: true });
  await rename(join(folder, 'packets.pcap'), join(folder, '10.77.0.1.pcap'));
  const { original, result, files } = await everything(folder);
  expect(JSON.stringify(original.inputs)).toMatch(/incident-10\.77\.0\.2.*10\.77\.0\.1\.pcap/s);
  for (const [name, content] of files)
    for (const a of name.endsWith('.png') ? [] : ['10.77.0.1', '10.77.0.2'])
      expect(spellingsOf(a).exec(content.toString('latin1'))?.[0] ?? '', name).toBe('');
  const { client, server } = result.connections[0]!;
  expect(result.inputs.some((i) => [client, server].some((e) => i.name === `${e.address}.pcap`))).toBe(true);
});

test('a line of a file that is not understood may spell addresses in any way: it is not quoted', async () => {
  const folder = await mkdtemp(join(root, 'proc-'));
  await cp(join(SAMPLES, 'live/data-after-close/6.18/packets.pcap'), join(folder, 'packets.pcap'));
  const line = '   0: 01004D0A:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000';
  await writeFile(join(folder, 'tcp.txt'), `${line}\n`);
  const { original, files } = await everything(folder);
  expect(spellingsOf('10.77.0.1').exec(JSON.stringify(original.diagnostics))?.[0]).toBe('01004D0A');
  for (const [name, content] of files)
    if (!name.endsWith('.png'))
      expect(spellingsOf('10.77.0.1').exec(content.toString('latin1'))?.[0] ?? '', name).toBe('');
});

test('a file named after its host is renamed with it; what a firewall writes before its line is not quoted', async () => {
  const folder = await mkdtemp(join(root, 'named-'));
  const table = await readFile(join(SAMPLES, 'tools/netstat/netstat-anp.txt'), 'utf8');
  await writeFile(join(folder, 'db-prod-7.txt'), `root@db-prod-7:~# netstat -anp\n${table}`);
  const line =
    'Nov 21 14:41:55 db-prod-7 kernel: [ACME edge] IN=eth0 OUT= SRC=192.0.2.9 DST=192.0.2.7 LEN=60 TOS=0x00 PREC=0x00 TTL=50 ID=1 DF PROTO=TCP SPT=51517 DPT=8443 WINDOW=64240 RES=0x00 SYN URGP=0';
  await writeFile(join(folder, 'kern.log'), `${line}\n`);
  const { original, files } = await everything(folder);
  expect(JSON.stringify(original)).toContain('ACME edge');
  for (const [name, content] of files) expect(content.toString(), name).not.toMatch(/db-prod-7|ACME edge/);
});

test('folders and homes go, files of one name are told apart', async () => {
  const folder = join(root, 'home/alice/customer');
  for (const name of ['a', 'b'])
    await cp(join(SAMPLES, 'documents/exp1'), join(folder, name), { recursive: true });
  await writeFile(join(folder, 'a/notes.bin'), 'no evidence');
  const { original, result, files } = await everything(folder);
  expect(JSON.stringify(original)).toContain('alice');
  for (const [name, content] of files)
    if (!name.endsWith('.png'))
      expect([name, /.{0,60}(?:alice|customer).{0,20}/.exec(content.toString('latin1'))?.[0]]).toEqual([
        name,
        undefined,
      ]);
  expect(new Set(result.inputs.map((i) => i.name)).size).toBe(original.inputs.length);
});

test('a container or a pod is named nowhere, in no sentence either', async () => {
  const original = await analyze([join(SAMPLES, 'documents/exp1')], { timeline: 'all' });
  const [first, ...others] = original.connections;
  const result = redactResult(
    {
      ...original,
      connections: [{ ...first!, clientPod: 'checkout-7f9c', serverContainer: 'payments db' }, ...others],
      story: ['checkout-7f9c opened it, payments db was slow.'],
    },
    new Redactor(Buffer.from('pods')),
  );
  expect(JSON.stringify(result)).not.toMatch(/checkout|payments/);
});

test('a host that is known by its name only is named nowhere, at the beginning of a sentence either', async () => {
  const file = join(root, 'names.txt');
  const [client, server] = ['alpha.corp.example.40000', 'db.corp.example.5432'];
  await writeFile(
    file,
    `10:00:00.000000 IP ${client} > ${server}: Flags [S], seq 1000, win 64240, options [mss 1460], length 0\n` +
      `10:00:00.000200 IP ${server} > ${client}: Flags [R.], seq 0, ack 1001, win 0, length 0\n`,
  );
  const result = await analyze([file], { listed: Number.POSITIVE_INFINITY });
  expect(result.findings[0]!.summary).toMatch(/^Db\.corp\.example/);
  expect(result.findings[0]!.missing[0]!.host).toBe('db.corp.example');
  const redacted = redactResult(result, new Redactor(Buffer.from('x')));
  expect(JSON.stringify(redacted)).not.toMatch(/corp\.example/i);
});

test('every output has the same replacement of an address', async () => {
  const { result, files } = await everything('live/data-after-close/6.18');
  const { client, server } = result.connections[0]!;
  for (const name of ['terminal', 'report/report.html', 'report/report.md', 'report/result.json'])
    for (const { address } of [client, server]) expect(files.get(name)!.toString(), name).toContain(address);
  for (const { address } of [client, server]) {
    expect(files.get('annotated.pcapng')!.includes(bytesOf(address))).toBe(true);
    expect(files.get('annotated.pcapng')!.toString()).toContain(address);
  }
});

test('the search can fail', async () => {
  expect(spellingsOf('10.77.0.1').test('at 0A4D0001:1F90')).toBe(true);
  expect(spellingsOf('10.77.0.1').test('at 01004D0A:1F90')).toBe(true);
  expect(spellingsOf('10.77.0.1').test('[::FFFF:a4d:1]')).toBe(true);
  expect(spellingsOf('2001:db8::1').test('2001:0db8:0000:0000:0000:0000:0000:0001')).toBe(true);

  const original = await analyze([join(SAMPLES, 'documents/exp1')]);
  expect(addressesOf(original)).toContain('172.16.58.147');
  expect(JSON.stringify(original)).toContain('172.16.58.147');
  expect(namesOf(original)).toContain('./server');
});

test('payload is dropped, its length is not', async () => {
  const { files } = await everything('live/data-after-close/6.18');
  const raw = await readFile(join(SAMPLES, 'live/data-after-close/6.18/packets.pcap'));
  const annotated = files.get('annotated.pcapng')!;
  const payload = raw
    .subarray(raw.length - 400)
    .toString('latin1')
    .match(/[a-z ]{6,}/)?.[0];
  if (payload) expect(annotated.includes(payload)).toBe(false);
  expect(annotated.length).toBeGreaterThan(1000);
});

test('it is said on the page, in Markdown and in the JSON', async () => {
  const { files } = await everything('documents/exp1');
  for (const name of ['report/report.html', 'report/report.md', 'report/result.json'])
    expect(files.get(name)!.toString()).toContain('Redacted: addresses are replaced');
});

test('the same secret gives the same report, another one another', async () => {
  const original = await analyze([join(SAMPLES, 'documents/exp1')], { timeline: 'all' });
  const [a, b, c] = ['one', 'one', 'another'].map((s) =>
    redactResult(original, new Redactor(Buffer.from(s))),
  );
  expect(a).toEqual(b);
  expect(a!.connections[0]!.client.address).not.toBe(c!.connections[0]!.client.address);
});

describe('addresses', () => {
  const redactor = new Redactor(Buffer.alloc(32, 7));
  const bits = (a: string) =>
    parseWords(a)!
      .map((w) => (w >>> 0).toString(2).padStart(32, '0'))
      .join('');
  const shared = (a: string, b: string) => {
    const [x, y] = [bits(a), bits(b)];
    for (let i = 0; i < 128; i++) if (x[i] !== y[i]) return i;
    return 128;
  };
  const v4 = fc.tuple(...Array(4).fill(fc.nat(255))).map((o) => o.join('.'));

  const within = (a: string, range: string, length: number) => shared(a, range) >= 96 + length;

  test('of private ranges stay there, and keep exactly the prefix they share', () => {
    const own = v4.map((a) => a.replace(/^\d+/, '10'));
    fc.assert(
      fc.property(own, own, (a, b) => {
        const [x, y] = [redactor.address(a), redactor.address(b)];
        expect(shared(x, y)).toBe(shared(a, b));
        expect(within(x, '10.0.0.0', 8)).toBe(true);
      }),
    );
    for (const [a, range, length] of [
      ['172.20.3.4', '172.16.0.0', 12],
      ['192.168.1.20', '192.168.0.0', 16],
      ['100.70.1.1', '100.64.0.0', 10],
      ['169.254.1.1', '169.254.0.0', 16],
      ['239.1.2.3', '224.0.0.0', 4],
    ] as const)
      expect([a, within(redactor.address(a), range, length)]).toEqual([a, true]);
    expect(redactor.address('255.255.255.255')).toBe('255.255.255.255');
    expect(shared(redactor.address('fe80::1:2'), 'fe80::')).toBeGreaterThanOrEqual(64);
    expect(redactor.address('fd00:1::1')).toMatch(/^fd/);
  });

  test('of the public are of documentation, each another, and none made up that is routed', () => {
    const one = new Redactor(Buffer.from('public'));
    const given = new Set<string>();
    for (let i = 0; i < 1000; i++) {
      const a = `${11 + (i % 80)}.${i % 250}.${(i * 7) % 250}.${i % 256}`;
      const b = one.address(a);
      expect(b).not.toBe(a);
      given.add(b);
      const isReserved = ['192.0.2.0', '198.51.100.0', '203.0.113.0'].some((r) => within(b, r, 24));
      expect(isReserved).toBe(i < 768);
      if (i >= 768) expect(within(b, '240.0.0.0', 4)).toBe(true);
    }
    expect(given.size).toBe(1000);
    expect(one.address('2a00:1450:4001::200e')).toMatch(/^2001:db8:/);
    expect(one.address('64:ff9b::808:808')).toMatch(/^64:ff9b::/);
    expect(shared(one.address('2001:4860::1'), one.address('2001:4860::2'))).toBe(126);
  });

  test('share a prefix as long as the originals do, each key gives others, and next to none stands for itself', () => {
    const address = Buffer.from([100, 100, 30, 28]);
    const neighbour = Buffer.from([100, 100, 30, 30]);
    const given = new Set<number>();
    let flips = 0;
    for (let i = 0; i < 3000; i++) {
      const pan = new CryptoPan(createHash('sha256').update(`key ${i}`).digest());
      const one = pan.replace(address, 32).readUInt32BE(0);
      const shared = Math.clz32(one ^ pan.replace(neighbour, 32).readUInt32BE(0));
      expect(shared).toBe(30);
      given.add(one);
      for (let x = one ^ address.readUInt32BE(0); x !== 0; x &= x - 1) flips++;
    }
    // with the first bit of each block, as the original takes it, 4,744 of 5,000 keys gave different ones
    expect(given.size).toBeGreaterThan(2990);
    expect(given.has(address.readUInt32BE(0))).toBe(false);
    expect(flips / 3000).toBeCloseTo(16, 0);
  });

  test('a process called like a word of ours is renamed where its process id follows', () => {
    const named = new Redactor(Buffer.from('x'));
    named.know('process', ['server']);
    const mark = named.name('server');
    expect(named.text('The process server (5348) closed; server[5348]; the server (2 connections)')).toBe(
      `The process ${mark} (5348) closed; ${mark}[5348]; the server (2 connections)`,
    );
  });

  test('are found wherever a sentence may have them', () => {
    const a = redactor.address('10.0.0.1');
    const b = redactor.address('2001:db8::1');
    for (const [text, redacted] of [
      ['10.0.0.1:80 -> [2001:db8::1]:443', `${a}:80 -> [${b}]:443`],
      ['from 10.0.0.1.8080: 12', `from ${a}.8080: 12`],
      ['at 06:56:27.774821, 2001:db8::1: gone', `at 06:56:27.774821, ${b}: gone`],
      ['::ffff:10.0.0.1 is 10.0.0.1/32', `${a} is ${a}/32`],
      ['tcpautopsy 0.1.0, kernel 6.18.44, 127.0.0.1, 0.0.0.0:80, [::]:80', null],
    ] as const)
      expect(redactor.text(text)).toBe(redacted ?? text);
  });
});
