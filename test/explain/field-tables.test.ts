/** samples/field/tables: what socket tables say that were taken without -p, not as root, or with -o and -i. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { writeText } from './captures.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/tables');

async function stuckIn(name: string) {
  const { findings } = await analyze([path.join(FOLDER, `${name}.txt`)]);
  return findings.filter((f) => f.group === 'stuck').map((f) => [f.rule, f.confidence, f.severity]);
}

describe('CLOSE_WAIT', () => {
  test.each(['without-owners', 'not-root', 'listener-hidden'])(
    '%s: the table does not show whose, and the queue of the listener is empty',
    async (name) => {
      expect(await stuckIn(`close-wait-${name}`)).toEqual(
        Array(3).fill(['close-wait-leak', 'possible', 'warning']),
      );
    },
  );

  test('4 s after the FIN of its peer the process may be at work, 2 min after it is not', async () => {
    const file = path.join(FOLDER, 'close-wait-4s.txt');
    const { findings } = await analyze([file]);
    expect(findings).toMatchObject([
      { rule: 'close-wait-leak', confidence: 'possible', severity: 'warning' },
    ]);
    expect(findings[0]!.summary).toContain('closed, 4 s before: the process may be at work');
    const later = readFileSync(file, 'utf8').replace('10:00:05 UTC', '10:02:05 UTC');
    const [found] = (await analyze([writeText('later.txt', later)])).findings;
    expect(found).toMatchObject({ rule: 'close-wait-leak', confidence: 'inferred', severity: 'error' });
  });

  test('Recv-Q of the listener counts all of them: nobody accepted them', async () => {
    expect(await stuckIn('close-wait-in-queue')).toEqual(
      Array(3).fill(['close-wait-unaccepted', 'inferred', 'error']),
    );
    expect(await stuckIn('close-wait-root')).toEqual(
      Array(3).fill(['close-wait-unaccepted', 'proved', 'error']),
    );
  });
});

describe('closing states in tables without timers', () => {
  const told = async (...names: string[]) => {
    const { findings } = await analyze(names.map((name) => path.join(FOLDER, `${name}.txt`)));
    return findings.map((f) => [f.rule, f.client.port, f.confidence, f.severity]);
  };

  test('one table shows one moment: possible, no warning, and what to run', async () => {
    expect(await told('closing-untimed')).toEqual([
      ['last-ack-stuck', 44013, 'possible', 'info'],
      ['last-ack-stuck', 44014, 'possible', 'info'],
      ['fin-unacknowledged', 44015, 'possible', 'info'],
      ['closing-stuck', 44016, 'possible', 'info'],
    ]);
    const { causes } = await analyze([path.join(FOLDER, 'closing-untimed.txt')]);
    expect(causes.map((c) => c.rule)).toHaveLength(3);
    expect(causes[0]!.remedy).toContain('ss -tanpo');
    expect(causes[0]!.summary).toContain('one moment only');
  });

  test('of two tables in two files: what stayed is stuck, what went is not', async () => {
    expect(await told('closing-untimed', 'closing-untimed-later')).toEqual([
      ['last-ack-stuck', 44013, 'possible', 'warning'],
    ]);
    expect(await told('closing-untimed', 'closing-gone')).toEqual([]);
  });

  test('a timer that has not run out yet shows a close under way', async () => {
    expect(await told('closing-timed')).toEqual([]);
  });
});

describe('timers', () => {
  test('9 retransmissions, and nothing heard for as long as they take at least: the peer is silent', async () => {
    expect(await stuckIn('retransmitting-small')).toEqual([['peer-silent', 'inferred', 'warning']]);
    const { findings } = await analyze([path.join(FOLDER, 'retransmitting-small.txt')]);
    expect(findings[0]!.summary).toMatch(/for 4 min 0 s after 9 retransmissions.* in 42 s.*924 s/);
  });

  test('of more than fits every path, a peer that gets only small segments looks alike', async () => {
    expect(await stuckIn('retransmitting')).toEqual([['peer-silent', 'possible', 'warning']]);
    const { findings } = await analyze([path.join(FOLDER, 'retransmitting.txt')]);
    expect(findings[0]!.summary).toMatch(/for 4 min 0 s after 9 retransmissions/);
    expect(findings[0]!.alternatives).toEqual(['path-mtu-black-hole']);
  });

  test('one retransmission while acknowledgments come is none', async () => {
    expect(await stuckIn('acknowledging')).toEqual([]);
  });

  test('the persist timer waits for the window of the peer', async () => {
    expect(await stuckIn('persist')).toEqual([['peer-window-closed', 'inferred', 'warning']]);
  });
});

test('a BSD names a process through lsof, and its Recv-Q does not count the FIN', async () => {
  const { findings } = await analyze([path.resolve(FOLDER, '../../tools/netstat-bsd/netstat-an-p-tcp.txt')]);
  const leak = findings.find((f) => f.rule === 'close-wait-leak');
  expect(leak!.summary).toContain('31 bytes unread');
  expect(leak!.remedy).toContain('lsof -nP -iTCP');
});
