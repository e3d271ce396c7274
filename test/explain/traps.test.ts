/** Traps G1 to G20 of a join of kernel events with packets, each on a real sample that falls into it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Result } from '../../src/tables/result.ts';
import { writeText } from './captures.ts';
import { analyzeSample, claimsOf, DOCUMENTS, type EvidenceSet, sampleNamed } from './samples.ts';

const sample = (name: string, set: EvidenceSet = 'all') => analyzeSample(sampleNamed(`${name}/6.18`), set);
const log = (name: string) =>
  readFileSync(path.join(sampleNamed(`${name}/6.18`).folder, 'tcpstates.txt'), 'utf8');
const rulesOf = (r: Result) => r.findings.map((f) => f.rule);
const verdict = (r: Result, rule: string): Finding | undefined =>
  claimsOf(r).find((f) => f.rule === rule && f.role !== 'note');

describe('traps', () => {
  test('G1: the peer is closed by a RST before the log shows its sender', async () => {
    const r = await sample('unread-data');
    expect(verdict(r, 'unread-data-reset')?.side).toBe(r.connections[0]!.resetBy);
  });

  test('G2: an end that resets itself is not one that was reset', async () => {
    const r = await sample('data-after-close', 'states-and-packets');
    expect(verdict(r, 'data-after-close-reset')).toMatchObject({ side: 'client' });
    expect(r.connections[0]!.resetBy).toBe('client');
  });

  test('G3: a RST that meets no full socket leaves no state change, and is explained from the packets', async () => {
    const r = await sample('data-into-minisock', 'states-and-packets');
    expect(log('data-into-minisock')).toMatch(/FIN_WAIT2 +-> CLOSE/);
    expect(rulesOf(r)).toContain('time-wait-data-reset');
  });

  test('G4: FIN_WAIT2 → CLOSE in microseconds is the minisock, not a fault', async () => {
    const r = await sample('graceful-client-first');
    expect(verdict(r, 'fin-wait2-in-minisock')).toMatchObject({ confidence: 'proved' });
    expect(verdict(r, 'graceful-close')).toBeDefined();
  });

  test('G5: FIN_WAIT2 → FIN_WAIT2 is close() after shutdown()', async () => {
    expect(log('linger2-negative')).toMatch(/FIN_WAIT2 +-> FIN_WAIT2/);
    const r = await sample('linger2-negative', 'states');
    expect(
      r.findings.some((f) => f.rule === 'half-close' && /called close\(\) .* later/.test(f.summary)),
    ).toBe(true);
  });

  test('G6: CLOSE comes before the RST of close(): the states alone name no single cause', async () => {
    const r = await sample('linger-zero', 'states');
    expect(r.findings.find((f) => f.role === 'verdict')).toMatchObject({ confidence: 'possible' });
  });

  test('G7: a destroyed socket without a port joins nothing', async () => {
    const r = await sample('linger-zero');
    expect(r.connections).toHaveLength(1);
    for (const c of r.connections) expect(c.client.port * c.server.port).toBeGreaterThan(0);
  });

  test('G8: CLOSE → SYN_SENT without a local port is patched from the next line', async () => {
    expect(log('graceful-client-first')).toMatch(/10\.77\.0\.1 +0 +10\.77\.0\.2 +\d+ +CLOSE +-> SYN_SENT/);
    const r = await sample('graceful-client-first', 'states');
    expect(r.connections[0]!.client.port).toBeGreaterThan(0);
    const [, birth] = /^(\S+) .*CLOSE +-> SYN_SENT/m.exec(log('graceful-client-first'))!;
    expect(Number(r.connections[0]!.startTime)).toBeCloseTo(Number(birth), 6);
  });

  test('G8, second form: connect() after AF_UNSPEC still shows the old port', async () => {
    const r = await sample('connect-unspec', 'states');
    expect(r.connections).toHaveLength(2);
    expect(verdict(r, 'disconnect-reset')?.connection).toBe(r.connections[0]!.id);
  });

  test('G9: LISTEN → SYN_RECV without the peer (up to 6.12) is repaired', async () => {
    const blind = log('graceful-client-first').replace(
      /^(\S+ +\S+ +\d+ +\S+ +\S+ +\d+ +)10\.77\.0\.1( +)\d+( +LISTEN +-> SYN_RECV)/gm,
      '$10.0.0.0$20    $3',
    );
    expect(blind).toMatch(/0\.0\.0\.0 +0 +LISTEN +-> SYN_RECV/);
    const r = await analyze([writeText('tcpstates.txt', blind)]);
    expect(r.connections).toHaveLength(1);
    expect(verdict(r, 'graceful-close')).toBeDefined();
  });

  test('G10: no LISTEN → SYN_RECV does not mean that no SYN came', async () => {
    const r = await sample('request-expired', 'states-and-packets');
    expect(rulesOf(r)).not.toContain('syn-lost-on-path');
    expect(verdict(r, 'request-expired-reset')).toMatchObject({ side: 'server' });
  });

  test('G11: one kernel address is many sockets', async () => {
    const addresses = [...log('accept-queue-incident').matchAll(/^\S+ +(ffff\w+).*CLOSE +-> SYN_SENT/gm)].map(
      (m) => m[1],
    );
    expect(new Set(addresses).size).toBeLessThan(addresses.length);
    const r = await sample('accept-queue-incident', 'states');
    const connections = r.connections.map((c) => `${c.client.port}`);
    expect(new Set(connections).size).toBe(connections.length);
  });

  test('G12: whoever was running is not the owner', async () => {
    const r = await sample('graceful-client-first', 'states');
    expect(log('graceful-client-first')).toMatch(/ client +10\.77\.0\.2 .*LISTEN +-> SYN_RECV/);
    expect(r.connections[0]).toMatchObject({ clientComm: 'client', serverComm: 'server' });
  });

  test('G13: a RST of a listener names no peer, and is found by its packet', async () => {
    const r = await sample('abort-on-overflow', 'packets');
    const found = r.findings.filter((f) => f.rule === 'abort-on-overflow-reset');
    expect(found).toHaveLength(3);
    for (const f of found) expect(f.client.port).toBeGreaterThan(0);
  });

  test('G14: a RST among the drops was taken, not lost', async () => {
    const r = await analyze([path.join(DOCUMENTS, 'exp1')]);
    expect(r.answers.find((a) => /RST listed as dropped/.test(a.question))?.answer).toMatch(/was not lost/);
  });

  test('G15: a reason is told by its name, never by a number of another kernel', async () => {
    const r = await analyze([path.join(DOCUMENTS, 'exp1')]);
    for (const f of r.findings) for (const e of f.evidence) expect(e.fact).not.toMatch(/reason \d+/);
  });

  test('G16: retransmissions are counted on the wire, whatever events there are', async () => {
    const r = await sample('retransmission-timeout', 'states-and-packets');
    expect(verdict(r, 'retransmission-timeout')?.summary).toMatch(/sent the same data \w+ more times/);
  });

  test('G17: a lost line is named, and its absence proves nothing', async () => {
    const text = log('graceful-client-first')
      .split('\n')
      .filter((l) => !/FIN_WAIT1 +-> FIN_WAIT2/.test(l))
      .join('\n');
    const r = await analyze([writeText('tcpstates.txt', text)]);
    expect(r.answers.find((a) => /lack a line/.test(a.question))?.answer).toMatch(/FIN_WAIT1 → FIN_WAIT2/);
    expect(rulesOf(r)).not.toContain('fin-wait1-aborted');
  });

  test('G18: ::ffff:a.b.c.d of a dual-stack listener is the IPv4 address of the packets', async () => {
    const r = await sample('dual-stack');
    const mapped = r.connections.filter((c) => c.server.address.includes('.'));
    expect(mapped).toHaveLength(1);
    expect(mapped[0]!.sources.length).toBeGreaterThan(2);
  });

  test('G19: a process name cannot forge a line', async () => {
    const forged = log('graceful-client-first').replace(/^(\S+ +\S+ +\d+ )client {4}/m, '$1cl CLOSE');
    const r = await analyze([writeText('tcpstates.txt', forged)]);
    expect(r.connections.length).toBeLessThanOrEqual(1);
    expect(r.findings.filter((f) => f.confidence === 'proved' && f.rule !== 'fin-wait2-in-minisock')).toEqual(
      [],
    );
  });

  test('G20: without a capture of one namespace its end is unknown, not absent', async () => {
    const text = log('close-wait-leak')
      .split('\n')
      .filter((l) => !/ 10\.77\.0\.2 +\d+ +10\.77\.0\.1 /.test(l))
      .join('\n');
    const r = await analyze([writeText('tcpstates.txt', text)]);
    for (const f of claimsOf(r).filter((x) => x.rule === 'graceful-close'))
      expect(f.confidence).not.toBe('proved');
  });
});
