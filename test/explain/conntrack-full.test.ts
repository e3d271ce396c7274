/** A full connection tracking table: its log and counters, and the SYNs it may have cost. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { writeText } from './captures.ts';

const EPOCH = Date.UTC(2026, 0, 12, 9, 0, 0) / 1000;
/** Three SYNs without an answer, from one second of the log on; and one that is answered. */
const packets = (from: number) => {
  const at = (s: number) => `${(EPOCH + from + s).toFixed(6)} IP `;
  const syn = (client: string) =>
    `${client}.40001 > 10.0.0.9.80: Flags [S], seq 1, win 64240, options [mss 1460], length 0`;
  const lines = [
    ...[0, 1.01, 3.05].map((s) => at(s) + syn('10.0.0.1')),
    at(8) + syn('10.0.0.2'),
    `${at(8.01)}10.0.0.9.80 > 10.0.0.2.40001: Flags [S.], seq 5, ack 2, win 64240, options [mss 1460], length 0`,
    `${at(8.02)}10.0.0.2.40001 > 10.0.0.9.80: Flags [.], ack 1, win 502, length 0`,
  ];
  return writeText('packets.txt', `${lines.join('\n')}\n`);
};
const full = 'nf_conntrack: nf_conntrack: table full, dropping packet\n';
const iso = writeText(
  'log.txt',
  [1, 3].map((s) => `2026-01-12T10:00:0${s}.123456+01:00 fw kernel: ${full}`).join(''),
);
const stats = (...readings: string[]) =>
  writeText(
    'stats.txt',
    readings.map((r) => `root@fw:~# conntrack -S\ncpu=0   \tfound=0 ${r} early_drop=0 error=0\n`).join(''),
  );
const storyOf = async (...files: string[]) => (await analyze(files)).story.join(' ');

test('the log says since when, the counters how many, the packets whose SYNs', async () => {
  const rose = stats(
    'invalid=12 insert=0 insert_failed=3 drop=3',
    'invalid=19 insert=0 insert_failed=4 drop=515',
  );
  const story = await storyOf(iso, packets(2), rose);
  expect(story).toMatch(
    /^The connection tracking table was full between 2026-01-12 09:00:01\.123 and 09:00:03\.123 UTC \(2 lines in the kernel's log.*; it dropped 511 packets for want of room, dropped 1 whose entry clashed .* and found 7 INVALID .* \(log\.txt and stats\.txt\)\. In that time 1 connection from 10\.0\.0\.1 to 10\.0\.0\.9:80 got no SYN-ACK to the first SYN; nothing shows whether this host .* Raise net\.netfilter\.nf_conntrack_max/,
  );
  expect(await storyOf(rose)).toMatch(
    /^The connection tracking table was most likely full: it dropped 511 packets/,
  );
});

test('dmesg with iso times is on the same clock', async () => {
  const dmesg = writeText('dmesg.txt', `2026-01-12T10:00:01,123456+01:00 ${full}`);
  expect(await storyOf(dmesg, packets(2))).toMatch(
    /full at 2026-01-12 09:00:01\.123 UTC .* In that time 1 conn/,
  );
});

test('a SYN of another hour is not its, and without a common clock none is', async () => {
  expect(await storyOf(iso, packets(3600))).not.toMatch(/In that time|whether in that time/);
  const boot = writeText('dmesg.txt', `[12345.678901] ${full}`);
  expect(await storyOf(boot, packets(2))).toMatch(/; whether in that time, their clocks do not tell\./);
});

test('clashes and INVALID packets are no full table, nor is one reading', async () => {
  const clashed = stats(
    'invalid=1 insert=0 insert_failed=3 drop=3',
    'invalid=90 insert=0 insert_failed=40 drop=3',
  );
  expect(await storyOf(clashed, packets(2))).not.toMatch(/tracking table was/);
  const once = stats('invalid=1 insert=0 insert_failed=3 drop=300');
  expect(await storyOf(once, packets(2))).not.toMatch(/tracking table was/);
});

test('drops of netfilter that the kernel names at that time are told, those of a LOG rule are not of the table', async () => {
  const log = writeText('log.txt', `Jan 12 10:00:01 fw kernel: ${full}`);
  const drop = (reason: string) =>
    [2, 3, 5]
      .map(
        (s) =>
          `10:00:0${s} 0       4  10.0.0.1:40001   > 10.0.0.9:80  CLOSE (SYN) ${reason}\n\tsk_skb_reason_drop+0x1\n\tnf_hook_slow+0x1\n`,
      )
      .join('\n');
  const drops = writeText('drops.txt', drop('NETFILTER_DROP (7)'));
  expect(await storyOf(log, drops)).toMatch(
    /got no SYN-ACK to the first SYN, 1 of them dropped by netfilter/,
  );
  const rule = [2, 3]
    .map(
      (s) =>
        `Jan 12 10:00:0${s} fw kernel: DROP IN=eth0 OUT=eth1 SRC=10.0.0.1 DST=10.0.0.9 LEN=60 TOS=0x00 PREC=0x00 TTL=52 ID=54321 DF PROTO=TCP SPT=40001 DPT=80 WINDOW=64240 RES=0x00 SYN URGP=0 \n`,
    )
    .join('');
  expect(await storyOf(log, writeText('rule.txt', rule))).not.toMatch(/of them dropped by netfilter/);
});

describe('provoked on 6.12: 60 connections through a router with room for 24', () => {
  const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/stories/conntrack_full');
  const told = (...names: string[]) => analyze(names.map((name) => path.join(FOLDER, name)));

  test('its log and its counters', async () => {
    const { findings, story } = await told('dmesg.txt', 'conntrack-before.txt', 'conntrack-after.txt');
    expect(findings.find((f) => f.rule === 'conntrack-table-full')).toMatchObject({ confidence: 'proved' });
    expect(story.join(' ')).toMatch(/72 lines in the kernel's log.* it dropped 72 packets for want of room/);
  });

  test('both ends: the SYNs of 36 were lost between them, and of 24 nothing', async () => {
    const { findings } = await told('client.pcap', 'server.pcap');
    expect(new Set(findings.map((f) => `${f.rule} ${f.confidence}`))).toEqual(
      new Set(['syn-lost-on-path inferred']),
    );
    expect(findings).toHaveLength(36);
  });
});
