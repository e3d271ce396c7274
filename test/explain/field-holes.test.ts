/** What a file lacks, and what only looks alike: captures with holes, cut at an end, of one direction, of both sides of a NAT. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { writeText } from './captures.ts';
import { type Line, printed } from './printed.ts';

const of = async (...texts: string[]) => analyze(texts.map((text, i) => writeText(`${i}.txt`, text)));
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
    printed([line], { place: i % 2 ? ' eth1  In ' : ' eth0  In ' }),
    printed([said(outside)[i]!], { place: i % 2 ? ' eth0  Out' : ' eth1  Out' }),
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

test('a host that begins anew on the same port: what its peer sends again meanwhile does not make its SYN a forged one', async () => {
  const c = '10.0.0.1.40001';
  const again: Line = [50.001, S, c, 'Flags [P.], seq 101:201, ack 1, win 502, length 100'];
  const lines: Line[] = [
    ...lingering(40001, false).slice(0, 5),
    ...[41, 41.2, 41.6, 42.4].map((at): Line => [at, ...again.slice(1)] as unknown as Line),
    [50, c, S, `Flags [S], seq 777777, win 64240, ${OPTIONS}`],
    again,
    [50.002, S, c, 'Flags [.], ack 1, win 502, length 0'],
    [50.003, c, S, 'Flags [R], seq 1001, win 0, length 0'],
    [51, c, S, `Flags [S], seq 777777, win 64240, ${OPTIONS}`],
    [51.001, S, c, `Flags [S.], seq 9000, ack 777778, win 65160, ${OPTIONS}`],
    [51.002, c, S, 'Flags [.], ack 1, win 502, length 0'],
  ];
  const { connections } = await of(printed(lines));
  expect(connections.map((o) => [o.clientSyns, o.serverSynAcks])).toEqual([
    [1, 1],
    [2, 1],
  ]);
});

/** As a filter for SYN, FIN and RST leaves it. */
function filtered(end: readonly Line[]): Line[] {
  return [...lingering(40001, false).slice(0, 2), ...end];
}

test('a filter for SYN, FIN and RST: the FIN that acknowledges the other is the second', async () => {
  const c = '10.0.0.1.40001';
  const [row] = (
    await of(
      printed(
        filtered([
          [40.1, c, S, 'Flags [F.], seq 101, ack 501, win 502, length 0'],
          [40.101, S, c, 'Flags [F.], seq 501, ack 102, win 502, length 0'],
        ]),
      ),
    )
  ).connections;
  expect(row).toMatchObject({ closeKind: 'fin', closedBy: 'client', firstFinBy: 'client' });
});

test('what a RST of a socket says it had received and sent was received and sent, also where the file lacks it', async () => {
  const reset = (seq: number, ack: number) =>
    of(
      printed(
        filtered([[40.1, S, '10.0.0.1.40001', `Flags [R.], seq ${seq}, ack ${ack}, win 502, length 0`]]),
      ),
    );
  const [nothing] = (await reset(1, 1)).findings;
  expect(nothing).toMatchObject({ rule: 'linger-zero-reset', severity: 'warning' });
  expect(nothing!.summary).toContain('had received no data');
  const [much] = (await reset(501, 101)).findings;
  expect(much).toMatchObject({ confidence: 'possible' });
  expect(much!.summary).not.toContain('no data');
  const [sent] = (await reset(501, 1)).findings;
  expect(sent).toMatchObject({ rule: 'linger-zero-reset', severity: 'info' });
});

test('a client that closes without a word, as a health check does, had asked for nothing', async () => {
  const [c, opened] = ['10.0.0.1.40001', lingering(40001, false).slice(0, 3)];
  const rest: Line[] = [
    [40.003, c, S, 'Flags [F.], seq 1, ack 1, win 502, length 0'],
    [40.004, S, c, 'Flags [R.], seq 1, ack 2, win 502, length 0'],
  ];
  const [finding] = (await of(printed([...opened, ...rest]))).findings;
  expect(finding).toMatchObject({ rule: 'linger-zero-reset', severity: 'info' });
  expect(finding!.summary).toContain('had received no data');
});

test('a SYN sent again of a connection that something else shows to have come about was answered', async () => {
  const again = '10:00:01 0      4  10.0.0.1:40001       R> 10.0.0.2:80          SYN_SENT\n';
  const accepted = `PID    COMM         IP RADDR            RPORT LADDR            LPORT\n907    sshd         4  10.0.0.1         40001 10.0.0.2         80\n`;
  const lived = `PID   COMM       LADDR           LPORT RADDR           RPORT TX_KB RX_KB MS\n22597 curl       10.0.0.1        40001 10.0.0.2        80        5     8 1184.05\n`;
  const claims = async (...texts: string[]) =>
    (await of(again, ...texts)).connections.map((c) => `${c.synRule} ${c.closeKind}`);
  expect(await claims()).toEqual(['unanswered-syn unanswered']);
  expect(await claims(accepted)).toEqual([' unknown']);
  expect(await claims(lived)).toEqual([' unknown']);
});

test('what is missing of either end of a loopback connection is asked of that end', async () => {
  const [a, b] = ['127.0.0.1.40001', '127.0.0.1.8080'];
  const between = (at: number, from: string, to: string): Line[] => [
    [at, a, b, `Flags [S], seq 1000, win 65495, ${OPTIONS}`],
    [at + 0.001, b, a, `Flags [S.], seq 5000, ack 1001, win 65483, ${OPTIONS}`],
    [at + 0.002, a, b, 'Flags [.], ack 1, win 512, length 0'],
    [at + 0.003, to, from, 'Flags [P.], seq 1:101, ack 1, win 512, length 100'],
    [at + 0.004, from, to, 'Flags [.], ack 101, win 512, length 0'],
    [at + 0.005, from, to, 'Flags [R.], seq 1, ack 101, win 512, length 0'],
  ];
  const lines = [...between(1, b, a), ...between(2, a, b)];
  const text = printed(
    lines.map(([at, from, to, what], i): Line => {
      const own = (end: string) => (i < 6 ? end : end.replace('40001', '40002'));
      return [at, own(from), own(to), what];
    }),
  );
  const asked = (await of(text)).findings.map((f) => `${f.side}: ${f.missing[0]!.what}`);
  expect(asked).toEqual([
    expect.stringMatching(/^server: .*on the server closed$/),
    expect.stringMatching(/^client: .*on the client closed$/),
  ]);
});
