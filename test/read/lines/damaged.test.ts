// What becomes of a text on its way: lines out of order, lost, doubled, wrapped; a beginning or an end that is missing.
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { formatEndpoint } from '../../../src/model/address.ts';
import { some, THOROUGH } from '../../thorough.ts';
import { SAMPLES, sample } from './harness.ts';

const texts = readdirSync(`${SAMPLES}tools`, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:txt|json|csv)$/.test(name))
  .sort();

/** What is called proved, and of whom. */
async function proved(text: string): Promise<string[]> {
  const { findings } = await analyze([{ name: 'x.txt', bytes: Buffer.from(text) }]);
  return findings
    .filter((f) => f.confidence === 'proved')
    .map((f) => [f.rule, f.side, formatEndpoint(f.client), formatEndpoint(f.server)].join(' '));
}

const wrapped = (lines: string[], width: number) =>
  lines.flatMap((l) => l.match(new RegExp(`.{1,${width}}`, 'gs')) ?? ['']);

/** A text made worse in one way, as it is found in mails, chats and terminals. */
function damaged(text: string): fc.Arbitrary<string> {
  const lines = text.split('\n');
  const places = fc.nat({ max: text.length });
  return fc.oneof(
    fc.shuffledSubarray(lines, { minLength: lines.length }).map((l) => l.join('\n')),
    fc.shuffledSubarray(lines).map((l) => l.join('\n')),
    fc.subarray(lines).map((l) => l.join('\n')),
    places.map((n) => text.slice(n)),
    places.map((n) => text.slice(0, n)),
    fc.nat({ max: lines.length }).map((n) => [...lines, ...lines.slice(n)].join('\n')),
    fc.integer({ min: 40, max: 120 }).map((width) => wrapped(lines, width).join('\n')),
    fc.integer({ min: 40, max: 120 }).map((width) => lines.map((l) => l.slice(0, width)).join('\n')),
    fc.constantFrom(
      lines.join('\r\n'),
      lines.flatMap((l) => [l, l]).join('\n'),
      lines.toReversed().join('\n'),
    ),
  );
}

describe('a text that was damaged', () => {
  it.each(some(texts, 8))('is read, and proves nothing that the whole does not: %s', async (name) => {
    const text = sample(`tools/${name}`).toString();
    const whole = await proved(text);
    await fc.assert(
      fc.asyncProperty(damaged(text), async (worse) => {
        expect(whole).toEqual(expect.arrayContaining(await proved(worse)));
      }),
      { numRuns: THOROUGH ? 20 : 10 },
    );
  });
});

describe('lines of packets out of order', () => {
  // a FIN that stands before the data it acknowledges is no half-close
  it.each(['tcpdump/tcpdump-nn.txt', 'wireshark-list/tshark.txt'])(
    'prove no half-close: %s',
    async (name) => {
      const lines = sample(`tools/${name}`).toString().split('\n');
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(lines, { minLength: lines.length }), async (order) => {
          expect((await proved(order.join('\n'))).filter((p) => p.startsWith('half-close'))).toEqual([]);
        }),
        { numRuns: THOROUGH ? 40 : 10 },
      );
    },
  );
});
