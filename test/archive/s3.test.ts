// Archives and outputs in buckets, with the ways a store fails in life.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { S3Files } from '../../src/platform/s3.ts';
import { S3Store } from '../../src/platform/s3-store.ts';
import { batch, folder, put, sample, treeOf } from './archives.ts';
import { s3 } from './s3-server.ts';

const BURST = sample('field/resets/burst.pcap');
const OTHER = sample('field/resets/answers-nothing.pcap');

it('a bucket gives what a folder gives, through 503s, bodies that end early, and pages of keys', async () => {
  const [server, root, local] = [await s3(), folder(), join(folder(), 'OUT')];
  for (const [name, bytes] of [
    ['a/b c+ü.pcap', BURST],
    [`a/${'long'.repeat(60)}.pcap`, OTHER],
  ] as const) {
    put(join(root, name), bytes);
    server.objects.set(`captures/${name}`, bytes);
  }
  server.pageSize = 1;
  const seen = new Map<string, number>();
  server.interfere = ({ method, headers }, key) => {
    const times = (seen.get(`${method} ${key}`) ?? 0) + 1;
    seen.set(`${method} ${key}`, times);
    if (times % 3 === 1) return { status: 503 };
    const object = server.objects.get(key);
    if (method !== 'GET' || !object || !headers.range || times % 3 !== 2) return null;
    return { status: 206, headers: { 'content-length': String(object.length) }, body: object, cut: 100 };
  };
  const there = await batch(['s3://captures'], 's3://results/run');
  const here = await batch([root], local);
  expect([there.done, there.failed]).toEqual([here.done, 0]);
  const at = ({ rollup }: typeof here) => rollup!.at;
  expect(at(there)).toEqual(at(here));
  const again = await batch(['s3://captures'], 's3://results/run');
  expect([again.done, again.before]).toEqual([0, here.done]);
  const done = [...server.objects.keys()].filter((key) => key.endsWith('/done.json'));
  expect(done.length).toBe(Object.keys(treeOf(local)).filter((key) => key.endsWith('/done.json')).length);
}, 120_000);

it('a bucket that is not there, and credentials that are wrong, are said before anything is planned', async () => {
  const server = await s3();
  await expect(batch(['s3://nowhere/x'], join(folder(), 'OUT'))).rejects.toThrow(
    's3://nowhere: there is no such bucket',
  );
  process.env.AWS_ACCESS_KEY_ID = 'AKWRONG';
  await expect(batch(['s3://captures'], join(folder(), 'OUT'))).rejects.toThrow(
    /access refused \(InvalidAccessKeyId\)/,
  );
  expect(server.requests.every((r) => !r.startsWith('HEAD'))).toBe(true);
});

it('credentials come from the instance, and others are asked for when they expire on the way', async () => {
  const server = await s3();
  server.objects.set('captures/a.pcap', BURST);
  server.instanceKeys = ['AKOLD', 'AKTEST'];
  delete process.env.AWS_ACCESS_KEY_ID;
  process.env.AWS_SHARED_CREDENTIALS_FILE = '/nowhere';
  process.env.AWS_CONFIG_FILE = '/nowhere';
  process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT = server.endpoint;
  const { size } = await new S3Files(false).stat('s3://captures/a.pcap');
  expect(size).toBe(BURST.length);
  expect(server.requests.filter((r) => r.includes('security-credentials/role')).length).toBeGreaterThan(1);
});

it('an object that changes while it is read is not taken for what it was', async () => {
  const server = await s3();
  server.objects.set('captures/a.pcap', BURST);
  const file = await new S3Files(false).open('s3://captures/a.pcap');
  server.objects.set('captures/a.pcap', OTHER);
  await expect(file.read(new Uint8Array(100), 0)).rejects.toThrow('has changed while it was read');
});

it('what another one has put is left as it is; a conflict is tried again', async () => {
  const server = await s3();
  const local = folder();
  put(join(local, 'data.csv'), 'a');
  put(join(local, 'done.json'), '{}');
  const store = new S3Store('s3://results/run/');
  let conflicts = 0;
  server.interfere = ({ headers }) =>
    headers['if-none-match'] && conflicts++ === 0 ? { status: 409 } : null;
  expect(await store.putFolder('g', local, 'done.json')).toBe(true);
  expect(conflicts).toBe(2);
  put(join(local, 'done.json'), '{"late":1}');
  expect(await store.putFolder('g', local, 'done.json')).toBe(false);
  expect(String(server.objects.get('results/run/g/done.json'))).toBe('{}');
  await store.remove('g');
  expect([...server.objects.keys()]).toEqual([]);
});
