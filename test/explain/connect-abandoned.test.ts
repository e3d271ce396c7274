/** A client that closed its socket in SYN_SENT: by itself, or because an ICMP error had refused it. What its own kernel says. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { type KernelLine, partOf, readBatch } from '../live/scenarios/batch.ts';

const batch = await readBatch(
  path.resolve(import.meta.dirname, '../../samples/field/live/reject_syn_router_icmp'),
);
const ofClient = ({ line, value }: KernelLine) =>
  value('ns') === batch.places.client || line.includes(' l=::ffff:10.78.1.2 ');

/** Its verdict on the SYN, from events of the client that pass. */
async function verdict(events: (e: KernelLine) => boolean, manifest = (text: string) => text) {
  const files = partOf(batch.bundle, {
    events: (e) => ofClient(e) && events(e),
    packets: null,
    tables: false,
  });
  files.set('manifest.json', Buffer.from(manifest(files.get('manifest.json')!.toString())));
  const { findings } = await analyze([...files].map(([name, bytes]) => ({ name: `bundle/${name}`, bytes })));
  return findings.filter((f) => f.group === 'syn').map((f) => [f.rule, f.confidence]);
}

test('an error was reported to the socket: it was refused', async () => {
  expect(await verdict(() => true)).toEqual([]);
});

test('none was, and the probe would have said so: it closed the socket by itself', async () => {
  expect(await verdict(({ kind }) => kind !== 'error')).toEqual([['connect-abandoned', 'proved']]);
});

test('without that probe nobody knows', async () => {
  const without = (text: string) => {
    const manifest = JSON.parse(text);
    const { attached } = manifest.probes;
    manifest.probes.attached = attached.filter((p: { piece: string }) => !p.piece.endsWith('/error.bt'));
    return JSON.stringify(manifest);
  };
  const [found] = await verdict(({ kind }) => kind !== 'error', without);
  expect(found).toEqual(['connect-abandoned', 'inferred']);
});
