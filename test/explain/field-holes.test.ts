/** What a file lacks, and what only looks alike: captures with holes, cut at an end, of one direction, of both sides of a NAT. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { writeText } from './captures.ts';

const of = async (...texts: string[]) => analyze(texts.map((text, i) => writeText(`${i}.txt`, text)));
const stamp = (s: number) => new Date(Math.round(s * 1000)).toISOString().slice(11, 23);
type Line = readonly [at: number, from: string, to: string, what: string];
const printed = (lines: readonly Line[], place = '') =>
  `${lines.map(([at, from, to, what]) => `${stamp(at)}000${place} IP ${from} > ${to}: ${what}`).join('\n')}\n`;
const S = '10.0.0.2.445';
const OPTIONS = 'options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0';

/** The server closes, the RST answers the ACK of its FIN; `holed`: of the answer before, acknowledged, nothing is there. */
function lingering(port: number, holed: boolean): Line[] {
  const c = `10.0.0.1.${port}`;
  const at = port / 1000;
  return [
    [at, c, S, `Flags [S], seq 1000, win 64240, ${OPTIONS}`],
    [at + 0.001, S, c, `Flags [S.], seq 5000, ack 1001, win 65160, ${OPTIONS}`],
    [at + 0.002, c, S, 'Flags [.], ack 1, win 502, length 0'],
    ...(holed ? [] : [[at + 0.003, S, c, 'Flags [P.], seq 1:101, ack 1, win 502, length 100'] as const]),
    [at + 0.004, c, S, 'Flags [.], ack 101, win 502, length 0'],
    [at + 0.005, S, c, 'Flags [F.], seq 101, ack 1, win 502, length 0'],
    [at + 0.006, c, S, 'Flags [.], ack 102, win 502, length 0'],
    [at + 0.007, S, c, 'Flags [R], seq 5102, win 0, length 0'],
  ];
}

test('a capture with holes: what a missing packet would change is only possible', async () => {
  const ports = [40001, 40002, 40003, 40004];
  const claims = async (holed: boolean) =>
    new Set(
      (await of(printed(ports.flatMap((p) => lingering(p, holed))))).findings.map(
        (f) => `${f.rule} ${f.confidence}`,
      ),
    );
  expect(await claims(false)).toEqual(new Set(['linger2-reset inferred']));
  expect(await claims(true)).toEqual(new Set(['linger2-reset possible']));
});

test('a RST that comes long after the ACK of the FIN answers something else, perhaps', async () => {
  const lines = lingering(40001, false);
  const late = [
    ...lines.slice(0, -1),
    [lines.at(-1)![0] + 0.05, ...lines.at(-1)!.slice(1)] as unknown as Line,
  ];
  const [finding] = (await of(printed(late))).findings;
  expect(finding).toMatchObject({ rule: 'linger2-reset', confidence: 'possible' });
  expect(finding!.alternatives).toContain('data-after-close-reset');
});

test('a file that ends behind the last FIN does not show how that was answered', async () => {
  const lines = [
    ...lingering(40001, false).slice(0, -2),
    [40.006, '10.0.0.1.40001', S, 'Flags [F.], seq 1, ack 102, win 502, length 0'] as const,
  ];
  const row = async (more: Line[]) => (await of(printed([...lines, ...more]))).connections[0]!;
  expect(await row([])).toMatchObject({ closeRule: 'graceful-close', closeConfidence: 'possible' });
  const answered: Line = [40.007, S, '10.0.0.1.40001', 'Flags [.], ack 2, win 502, length 0'];
  expect(await row([answered])).toMatchObject({ closeRule: 'graceful-close', closeConfidence: 'proved' });
});

test('behind a NAT the ACK of an older connection of the same port is translated all the same', async () => {
  const [inside, outside] = ['10.0.0.88.59317', '10.0.1.1.41001'];
  const said = (c: string): Line[] => [
    [0, c, S, `Flags [S], seq 1000, win 64240, ${OPTIONS}`],
    [0.001, S, c, 'Flags [.], ack 7777, win 64, length 0'],
    [0.002, c, S, 'Flags [R], seq 7777, win 0, length 0'],
    [1, c, S, `Flags [S], seq 1000, win 64240, ${OPTIONS}`],
    [1.001, S, c, `Flags [S.], seq 5000, ack 1001, win 65160, ${OPTIONS}`],
    [1.002, c, S, 'Flags [.], ack 5001, win 502, length 0'],
    [1.003, c, S, 'Flags [P.], seq 1001:1011, ack 5001, win 502, length 10'],
    [1.004, S, c, 'Flags [.], ack 1011, win 502, length 0'],
  ];
  const both = said(inside).flatMap((line, i) => [
    printed([line], i % 2 ? ' eth1  In ' : ' eth0  In '),
    printed([said(outside)[i]!], i % 2 ? ' eth0  Out' : ' eth1  Out'),
  ]);
  const { findings } = await of(both.join(''));
  expect(findings.map((f) => f.rule)).not.toContain('untranslated-packet-reset');
});

test('a list of times since the packet before, pasted without its beginning', async () => {
  const lines = lingering(40001, false);
  const deltas = lines.map(([at, ...rest], i): Line => [i ? at - lines[i - 1]![0] : 0.4, ...rest]);
  const { connections } = await of(printed(deltas).replace(/^/gm, ' ').trimEnd());
  expect(connections[0]!.durationS).toBeCloseTo(0.007, 3);
});

test('a forged SYN does not cut a connection in two', async () => {
  const c = '10.0.0.1.40001';
  const live = lingering(40001, false).slice(0, 5);
  const lines: Line[] = [
    ...live,
    [41, c, S, 'Flags [S], seq 777777, win 1024, length 0'],
    [41.001, S, c, 'Flags [.], ack 1, win 502, length 0'],
    [42, c, S, 'Flags [P.], seq 1:11, ack 101, win 502, length 10'],
    [42.001, S, c, 'Flags [.], ack 11, win 502, length 0'],
    [42.002, c, S, 'Flags [F.], seq 11, ack 101, win 502, length 0'],
    [42.003, S, c, 'Flags [F.], seq 101, ack 12, win 502, length 0'],
    [42.004, c, S, 'Flags [.], ack 102, win 502, length 0'],
  ];
  const { connections } = await of(printed(lines));
  expect(connections.map((o) => o.closeKind)).toEqual(['fin', 'unanswered']);
  expect(connections[0]).toMatchObject({ closeRule: 'graceful-close', clientBytes: 10, serverBytes: 100 });
});
