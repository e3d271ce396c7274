/** Every capture of the corpus, against what is written about it and against tshark. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { some } from '../../thorough.ts';
import { collect } from './collect.ts';
import { capturesIn, corpus, fields, hasTshark } from './tshark.ts';

const count = (text: string, kind: string) =>
  Number(new RegExp(`^\\s+${kind}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);

describe.skipIf(!corpus)('the conformance set of pcapng', () => {
  test.each(capturesIn('pcapng'))('%s is as its description says', (name) => {
    const path = join(corpus!, 'pcapng', name);
    const text = readFileSync(path.replace('.pcapng', '.txt'), 'utf8');
    const { frames, sources, diagnostics } = collect(readFileSync(path));
    expect(frames.length).toBe(count(text, 'EPB') + count(text, 'SPB'));
    expect(sources.map((s) => s.records)).toEqual([frames.length]);
    for (const frame of frames) expect(frame.interfaceId).toBeLessThan(count(text, 'IDB'));
    const said = diagnostics.list().filter((d) => d.code !== 'capture-no-time');
    expect(said.map((d) => d.code)).toEqual(count(text, 'ISB') > 0 ? ['capture-dropped-packets'] : []);
    const timeless = diagnostics.list().find((d) => d.code === 'capture-no-time')?.count ?? 0;
    expect(timeless).toBe(count(text, 'SPB'));
  });

  test('is the same in both byte orders', () => {
    for (const name of capturesIn('pcapng/le')) {
      const [le, be] = ['le', 'be'].map((order) =>
        collect(readFileSync(join(corpus!, 'pcapng', order, name))),
      );
      expect(be!.frames).toEqual(le!.frames);
      expect(be!.sources).toEqual(le!.sources);
    }
  });
});

/** `1340954905.298858000` in nanoseconds. */
function nanoseconds(epoch: string): bigint {
  const [seconds, fraction = ''] = epoch.split('.');
  return BigInt(seconds!) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

const EXACT = ['frame.interface_id', 'frame.cap_len', 'frame.len'];

describe.skipIf(!corpus || !hasTshark)('tshark sees the same packets', () => {
  test.each(
    ['pcapng/le', 'zeek'].flatMap((folder) => some(capturesIn(folder), 4).map((name) => join(folder, name))),
  )('in %s', (name) => {
    const path = join(corpus!, name);
    const { frames, sources, diagnostics } = collect(readFileSync(path));
    // Custom blocks of pcapng are rows of their own there, without an interface.
    const all = fields(path, ['frame.time_epoch', ...EXACT]);
    const theirs = name.endsWith('.pcapng') ? all.filter(([, itf]) => itf !== '') : all;
    expect(frames.map((f) => [f.interfaceId, f.captured, f.length].map(String))).toEqual(
      theirs.map(([, itf, ...lengths]) => [itf || '0', ...lengths]),
    );
    // A simple packet block has no time, for which tshark prints nothing; and see capture-time-far.
    const far = diagnostics.list().some((d) => d.code === 'capture-time-far');
    for (const [i, [epoch]] of theirs.entries()) {
      if (epoch === '') continue;
      const off = sources[0]!.clock.base + BigInt(frames[i]!.time) - nanoseconds(epoch!);
      expect(Math.abs(Number(off))).toBeLessThanOrEqual(far ? 128 : 0);
    }
  });
});
