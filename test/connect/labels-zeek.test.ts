/** Agreement with the conn_state and history that Zeek itself gave to captures of its test suite, run with -C. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { normaliseAddress } from '../../src/model/address.ts';
import type { WireConnection } from '../../src/model/connection.ts';
import { trackCapture } from './capture.ts';

const CORPUS = process.env.CORPUS;

interface Row {
  file: string;
  tuple: string;
  state: string;
  history: string;
}

/** Rows of a file that describe the same connection twice are told apart by what they agree in. */
function pair(rows: Row[], ours: Row[]): [Row, Row | undefined][] {
  const left = [...ours];
  const pairs = new Map<Row, Row>();
  const same: ((a: Row, b: Row) => boolean)[] = [
    (a, b) => a.state === b.state && a.history === b.history,
    (a, b) => a.state === b.state,
    () => true,
  ];
  for (const agrees of same) {
    for (const row of rows) {
      const i = left.findIndex((own) => !pairs.has(row) && own.tuple === row.tuple && agrees(own, row));
      if (i >= 0) pairs.set(row, left.splice(i, 1)[0]!);
    }
  }
  return rows.map((row) => [row, pairs.get(row)]);
}

function expectedRows(): Row[] {
  const [head, ...lines] = readFileSync(join(CORPUS!, 'zeek/expected.tsv'), 'utf8').trimEnd().split('\n');
  const names = head!.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    const cell = (name: string) => cells[names.indexOf(name)]!;
    const tuple = `${normaliseAddress(cell('id.orig_h'))} ${cell('id.orig_p')} ${normaliseAddress(cell('id.resp_h'))} ${cell('id.resp_p')}`;
    return { file: cell('pcap'), tuple, state: cell('conn_state'), history: cell('history') };
  });
}

function ourRows(file: string, ignoreBadChecksums = false): Row[] {
  const { tracker } = trackCapture(join(CORPUS!, 'zeek', file), { zeekTimers: true, ignoreBadChecksums });
  return [...tracker.connections()].map((w: WireConnection) => ({
    file,
    tuple: `${w.client.address} ${w.client.port} ${w.server.address} ${w.server.port}`,
    state: w.connState,
    history: w.history,
  }));
}

test.skipIf(!CORPUS)('labels agree with Zeek', () => {
  const rows = expectedRows();
  const files = [...new Set(rows.map((row) => row.file))];
  const pairs = files.flatMap((file) =>
    pair(
      rows.filter((row) => row.file === file),
      ourRows(file),
    ),
  );
  const unlike = pairs.filter(([row, own]) => row.state !== own?.state || row.history !== own.history);
  const states = pairs.filter(([row, own]) => row.state === own?.state).length;
  const histories = pairs.filter(([row, own]) => row.history === own?.history).length;
  console.log(`conn_state ${states} of ${rows.length}, history ${histories} of ${rows.length}`);
  for (const [row, own] of unlike) {
    console.log(
      `${row.file} ${row.tuple}: Zeek ${row.state} ${row.history}, we ${own?.state} ${own?.history}`,
    );
  }
  expect(rows.length).toBe(108);
  expect(states).toBeGreaterThanOrEqual(108);
  expect(histories).toBeGreaterThanOrEqual(106);
});

/** Captures in which a side, or both, left its checksums to the network card. */
test.skipIf(!CORPUS)('without -C, Zeek leaves out segments with a bad checksum', () => {
  const labels = (file: string) => ourRows(file, true).map(({ state, history }) => `${state} ${history}`);
  // Such a segment does not keep its connection from being forgotten.
  expect(labels('http/connect-with-header.pcap')).toEqual(['OTH C', 'OTH ^cCcC']);
  // Nor does it begin one: the SYN-ACK is the first that counts.
  expect(labels('ftp/ftp-password-pass-command.pcap')).toEqual(['OTH C', 'SHR ^hCdafA']);
  expect(labels('tcp-http-with-padding.pcap')).toEqual(['S0 ScAD', 'SH DcAFa']);
  expect(labels('ldap/ldap-add.pcap')).toEqual(
    ourRows('ldap/ldap-add.pcap').map(({ state, history }) => `${state} ${history}`),
  );
});
