// Archives that are broken, or mean harm.
import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { inspect } from '../../src/archive/inspect.ts';
import { type Member, type Problem, placeOf } from '../../src/archive/member.ts';
import { disk } from '../../src/platform/files.ts';
import { THOROUGH } from '../thorough.ts';
import { batch, folder, planIn, put, sample, treeOf } from './archives.ts';

const CAPTURE = sample('field/resets/burst.pcap');

type Header = { name: string; type?: 'file' | 'symlink'; linkname?: string };

async function tar(...members: [string | Header, Uint8Array][]): Promise<Buffer> {
  const stream = pack();
  for (const [header, content] of members) {
    const own = typeof header === 'string' ? { name: header } : header;
    stream.entry({ ...own, mtime: new Date(0) }, Buffer.from(content));
  }
  stream.finalize();
  const blocks: Buffer[] = [];
  for await (const block of stream) blocks.push(block as Buffer);
  return Buffer.concat(blocks);
}

/** Stored members; `flags` 1: encrypted. */
function zip(...members: [string, Uint8Array, number?][]): Buffer {
  const [files, directory]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  for (const [name, content, flags = 0] of members) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    // what encrypts a member puts twelve bytes in front of it
    common.writeUInt32LE(flags & 1 ? content.length - 12 : content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), content]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), common, tail.subarray(0, 14), Buffer.from(name)]),
    );
    files.push(local);
    at += local.length;
  }
  const end = Buffer.alloc(18);
  const all = Buffer.concat(directory);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(all.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...files, all, Buffer.from('PK\x05\x06'), end]);
}

async function look(name: string, bytes: Uint8Array) {
  const path = join(folder(), name);
  writeFileSync(path, bytes);
  const members: Member[] = [];
  const problems: Problem[] = [];
  await inspect(path, bytes.length, disk, async () => '', {
    member: (m) => members.push(m),
    problem: (p) => problems.push(p),
  });
  const short = (place: string) => place.slice(path.length - name.length);
  return {
    members: members.map((m) => short(placeOf(m))),
    problems: problems.map((p) => `${short(p.place)}: ${[p.at, p.reason].filter(Boolean).join(': ')}`),
  };
}

describe('a tar', () => {
  it('is read packed or not, its members in place where it is not', async () => {
    const bytes = await tar(['web/a.pcap', CAPTURE], ['b.pcap', CAPTURE]);
    const members = ['x.tar/web/a.pcap', 'x.tar/b.pcap'];
    expect(await look('x.tar', bytes)).toEqual({ members, problems: [] });
    expect(await look('x.tar', gzipSync(bytes))).toEqual({ members, problems: [] });
  });

  it('gives no path that leaves it, follows no link, and gives each of two members of one name', async () => {
    const bytes = await tar(
      ['../../etc/passwd', CAPTURE],
      [{ name: 'link.pcap', type: 'symlink', linkname: '/etc/passwd' }, Buffer.alloc(0)],
      ['a.pcap', CAPTURE],
      ['./a.pcap', CAPTURE.subarray(0, 200)],
    );
    const { members, problems } = await look('x.tar', bytes);
    expect(members).toEqual(['x.tar/a.pcap', 'x.tar/a.pcap (2)']);
    expect(problems.join('\n')).toMatch(/etc\/passwd: its name leads out of the archive/);
    expect(problems.join('\n')).toMatch(/link\.pcap: is a link; not followed/);
    expect(problems.join('\n')).toMatch(/a\.pcap: is in the archive more than once/);
  });

  it('that is cut gives what comes before, and says where', async () => {
    const bytes = await tar(['a.pcap', CAPTURE], ['b.pcap', CAPTURE]);
    const plain = await look('x.tar', bytes.subarray(0, 512 + Math.ceil(CAPTURE.length / 512) * 512 + 700));
    expect(plain.members).toEqual(['x.tar/a.pcap', 'x.tar/b.pcap']);
    expect(plain.problems.join()).toMatch(/byte \d+: is cut within b\.pcap; what comes before is read/);
    const packed = await look(
      'x.tar.gz',
      gzipSync(bytes, { level: 0 }).subarray(0, 512 + CAPTURE.length + 1500),
    );
    expect(packed.members[0]).toBe('x.tar.gz/a.pcap');
    expect(packed.problems.join()).toMatch(/is cut within/);
  });

  it('in a tar is opened, four deep it is not', async () => {
    let bytes = await tar(['a.pcap', CAPTURE]);
    bytes = await tar(['in.tar.gz', gzipSync(bytes)]);
    expect((await look('x.tar', bytes)).members).toEqual(['x.tar/in.tar.gz/a.pcap']);
    for (let i = 0; i < 3; i++) bytes = await tar(['in.tar', bytes]);
    const { members, problems } = await look('x.tar', bytes);
    expect(members).toEqual([]);
    expect(problems.join()).toMatch(/is an archive in 3 others; unpack it first/);
  });

  it('may name a member in no encoding that is known', async () => {
    const bytes = await tar(['nnn.pcap', CAPTURE]);
    bytes[0] = 0xff;
    let sum = 0;
    for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : bytes[i]!;
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    expect(await look('x.tar', bytes)).toEqual({ members: ['x.tar/ÿnn.pcap'], problems: [] });
  });

  it.runIf(THOROUGH)('of a hundred thousand members is gone through', { timeout: 300_000 }, async () => {
    const one = await tar(['a', Buffer.from('x')]);
    const member = one.subarray(0, 1024);
    const bytes = Buffer.concat([...Array.from({ length: 100_000 }, () => member), Buffer.alloc(1024)]);
    const { members } = await look('x.tar', bytes);
    expect(members.length).toBe(100_000);
  });
});

describe('a zip', () => {
  it('is read; what is encrypted, damaged or leads out of it is not', async () => {
    const damaged = zip(['a.pcap', CAPTURE], ['b.pcap', CAPTURE]);
    damaged[60] = damaged[60]! ^ 1;
    expect(await look('x.zip', damaged)).toMatchObject({
      members: ['x.zip/b.pcap'],
      problems: [expect.stringMatching(/a\.pcap: cannot be read: its checksum/)],
    });
    const harmful = await look(
      'x.zip',
      zip(['../a.pcap', CAPTURE], ['b.pcap', CAPTURE, 1], ['c.pcap', CAPTURE]),
    );
    expect(harmful.members).toEqual(['x.zip/c.pcap']);
    expect(harmful.problems.join()).toMatch(/leads out of the archive.*b\.pcap: is encrypted/);
    const cut = await look('x.zip', zip(['a.pcap', CAPTURE]).subarray(0, 400));
    expect(cut.problems.join()).toMatch(/is no zip that can be read/);
  });
});

it.runIf(THOROUGH)('a decompression bomb is given up', { timeout: 120_000 }, async () => {
  const bomb = gzipSync(Buffer.alloc(1 << 29), { level: 9 });
  const { problems, members } = await look('x.tar', await tar(['bomb.pcap.gz', bomb]));
  expect(members.length + problems.length).toBe(1);
});

it('members of archives give what the same files in folders give', async () => {
  const root = folder();
  const names = ['burst', 'answers-nothing', 'wrong-ack'];
  const contents = names.map((n) => [`h/${n}.pcap`, sample(`field/resets/${n}.pcap`)] as [string, Buffer]);
  for (const [name, content] of contents) put(join(root, 'plain', name), content);
  put(join(root, 'packed/a.tar.gz'), gzipSync(await tar(...contents)));
  put(join(root, 'tar/a.tar'), await tar(...contents));
  put(join(root, 'zip/a.zip'), zip(...contents));
  const keys: string[][] = [];
  for (const kind of ['plain', 'packed', 'tar', 'zip']) {
    const out = join(folder(), 'OUT');
    const { failed } = await batch([join(root, kind)], out);
    expect(failed).toBe(0);
    const findings = planIn(out).map(({ key }) =>
      readFileSync(
        join(out, 'groups', key.slice(0, 2), key.slice(2, 4), key, 'connections.csv'),
        'utf8',
      ).replaceAll(/,[^,\n]*\n/g, '\n'),
    );
    keys.push([...planIn(out).map((p) => p.key), ...findings]);
  }
  for (const other of keys) expect(other).toEqual(keys[0]);
});

it('what cannot be opened is named, and everything else is done', async () => {
  const [root, out] = [folder(), join(folder(), 'OUT')];
  put(join(root, 'a.pcap'), CAPTURE);
  symlinkSync('/nowhere', join(root, 'b.pcap'));
  const { done, plan } = await batch([root, join(root, 'missing')], out);
  expect(done).toBe(1);
  expect(plan.problems).toEqual([{ place: join(root, 'missing'), at: '', reason: 'no such file or folder' }]);
  execFileSync('mkdir', ['-p', `${root}/n`]);
  execFileSync('sh', ['-c', `cp "${root}/a.pcap" "${root}/n/$(printf 'x\\377.pcap')"`]);
  const again = await batch([root], out);
  expect(again.plan.problems.map((p) => p.reason)).toEqual([
    'its name is not UTF-8; rename it to have it read',
  ]);
  expect(Object.keys(treeOf(out))).toContain('failed.csv');
});

it('a tarball of Retina is read as what it says of its node: packets, sockets, counters, settings', async () => {
  const [root, out] = [folder(), join(folder(), 'OUT')];
  const name = 'retina-capture-aks-pool1-41844487-vmss000001-20261103140000UTC';
  const tarball = await tar(
    [`${name}.pcap`, CAPTURE],
    ['ip-resources.txt', Buffer.from('1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536\n')],
    ['iptables-rules.txt', Buffer.from('-P INPUT ACCEPT\n')],
    ['socket-stats.txt', sample('field/slow-accept/ss.txt')],
    ['proc-net/route', Buffer.from('Iface\tDestination\n')],
    ['proc-sys-net/ipv4/tcp_fin_timeout', Buffer.from('60\n')],
  );
  put(join(root, `${name}.tar.gz`), gzipSync(tarball));
  const { done, damaged } = await batch([root], out);
  expect([done, damaged]).toEqual([1, 0]);
  const [group] = planIn(out);
  expect(group!.reason).toBe('retina');
  const { key } = group!;
  const sources = readFileSync(
    join(out, 'groups', key.slice(0, 2), key.slice(2, 4), key, 'sources.csv'),
    'utf8',
  );
  expect(sources).toMatch(/UTC\.pcap,pcap,aks-pool1-41844487-vmss000001,/);
  expect(sources).toMatch(/socket-stats\.txt.*,ss,aks-pool1-41844487-vmss000001,/);
  expect(sources).toMatch(/sysctl\.txt.*,sysctl/);
});
