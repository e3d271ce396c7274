/** The transcripts of document 002 and 003: what is known to be true of them. */
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Result } from '../../src/tables/result.ts';
import { claimsOf, DOCUMENTS } from './samples.ts';

const documents = (name: string) => analyze([path.join(DOCUMENTS, name)]);

function of(result: Result, port: number, rule: string): Finding | undefined {
  return claimsOf(result).find((f) => f.client.port === port && f.rule === rule);
}

function row(result: Result, port: number) {
  return result.connections.find((c) => c.client.port === port)!;
}

const ACCEPTED_QUEUE = [43752, 43758, 43762, 43768, 43774, 43794];

describe('exp1: ten connections to a server that never accepts', () => {
  let r: Result;
  beforeAll(async () => {
    r = await documents('exp1');
  });

  test('no rule failed', () => {
    expect(r.diagnostics.filter((d) => d.code === 'rule-failed')).toEqual([]);
  });

  test.each(ACCEPTED_QUEUE)('port %i waited in the accept queue until the listener was closed', (port) => {
    const minisock = of(r, port, 'fin-wait2-in-minisock');
    expect(minisock).toMatchObject({ confidence: 'proved', side: 'client', role: 'stage' });
    expect(minisock?.evidence.some((e) => /6 sockets .* one after the other/.test(e.fact))).toBe(true);
    expect(of(r, port, 'fin-wait2-expired')).toMatchObject({ confidence: 'inferred', role: 'verdict' });
    expect(of(r, port, 'close-wait-unaccepted')).toMatchObject({ confidence: 'proved', side: 'server' });
    expect(of(r, port, 'listener-closed-reset')).toMatchObject({ confidence: 'inferred', side: 'server' });
    expect(of(r, port, 'listener-closed-reset')?.summary).toContain('16 min 0 s');
    expect(of(r, port, 'delayed-ack-of-fin')).toMatchObject({ role: 'note' });
    expect(row(r, port)).toMatchObject({
      closeRule: 'listener-closed-reset',
      finWait2Rule: 'fin-wait2-expired',
      stuckRule: 'close-wait-unaccepted',
    });
  });

  test('the cookie window tells which two handshakes were made by a SYN cookie', () => {
    const ports = r.findings.filter((f) => f.rule === 'syn-cookie-handshake').map((f) => f.client.port);
    expect(ports.sort()).toEqual([43768, 43794]);
    const cookie = of(r, 43768, 'syn-cookie-handshake');
    expect(cookie?.confidence).toBe('inferred');
    expect(cookie?.summary).toMatch(/502 .* 509/);
  });

  test.each([43796, 43798, 43800])('port %i was reset because a cookie stood for it', (port) => {
    expect(of(r, port, 'fin-wait1-aborted')).toMatchObject({ side: 'client', role: 'verdict' });
    const cookie = of(r, port, 'cookie-overflow-reset');
    expect(cookie).toMatchObject({ confidence: 'inferred', side: 'server', role: 'verdict' });
    // tcp_abort_on_overflow is ruled out by 43782, which was not reset at its ACK
    expect(cookie?.alternatives).toEqual(['stray-ack-reset', 'middlebox-reset']);
    expect(cookie?.summary).toContain('No file has the RST');
    expect(row(r, port).closeRule).toBe('cookie-overflow-reset');
  });

  test('port 43782: the request had expired when the sixth retransmission came', () => {
    expect(of(r, 43782, 'accept-queue-overflow-ack')).toMatchObject({
      role: 'stage',
      confidence: 'inferred',
    });
    const expired = of(r, 43782, 'request-expired-reset');
    expect(expired).toMatchObject({ role: 'verdict', confidence: 'inferred' });
    expect(expired?.summary).toMatch(/12\.9 s after the FIN.*sixth retransmission.*63 × 205 ms/);
    expect(expired?.evidence.some((e) => /SYN\|ACK/.test(e.fact))).toBe(true);
    expect(of(r, 43782, 'fin-wait1-aborted')).toMatchObject({ role: 'verdict' });
    expect(row(r, 43782)).toMatchObject({
      closeRule: 'request-expired-reset',
      synRule: 'request-expired-reset',
    });
  });

  test('no SYN is called dropped: every client was connected at once', () => {
    expect(r.findings.filter((f) => f.rule === 'accept-queue-overflow-syn')).toEqual([]);
    const total = r.counters.find((c) => c.counter === 'ListenOverflows');
    expect(total).toMatchObject({ to: 17, delta: null, explained: null });
    expect(total?.text).toMatch(/total since boot.*not SYNs of these connections/);
  });

  test('the line that the log lacks for 43798 is named, with the likely reason', () => {
    expect(
      of(r, 43798, 'fin-wait1-aborted')?.evidence.some((e) => /SYN_SENT → ESTABLISHED/.test(e.fact)),
    ).toBe(true);
    const answer = r.answers.find((a) => /lack a line/.test(a.question));
    expect(answer?.answer).toMatch(/43798.*skipped while another BPF program/s);
  });

  test('the questions of the document are answered in words', () => {
    const all = r.answers.map((a) => `${a.question} ${a.answer}`).join('\n');
    expect(all).toMatch(/Why tcpdrop and perf did not show these drops.*consume_skb/s);
    expect(all).toMatch(/FIN_WAIT2 for microseconds.*tcp_time_wait\(\).*tcp_fin_timeout/s);
    expect(all).toMatch(
      /not seen at all in another run.*No file is of the run.*snapshot-too-late.*fin-with-ack/s,
    );
  });

  test('the story is short, and begins with what began it', () => {
    expect(r.story.length).toBeLessThanOrEqual(5);
    expect(r.story[0]).toMatch(
      /^Process \.\/server \(5348\), .* did not accept connections as fast as they came: 6 connections were in its accept queue/,
    );
    expect(r.story[1]).toMatch(
      /^From 06:56:30 on the full queue most likely dropped the final ACK of 4 handshakes/,
    );
    expect(r.story[2]).toMatch(/closed the listening socket at 07:12:27.*6 connections .* were reset/);
    expect(r.story[3]).toBe('All 10 connections ended with a RST.');
    for (const sentence of r.story.slice(0, 3))
      expect(sentence).toMatch(/\((?:client|server)-\w+\.txt.*\)\.$/);
  });

  test('causes tell their connections as one', () => {
    const cause = r.causes.find((c) => c.rule === 'listener-closed-reset');
    expect(cause?.connections).toHaveLength(6);
    expect(cause?.summary).toMatch(/^6 connections/);
  });
});

describe('exp1, only what the client had', () => {
  test('nothing is said of a reset by a listener, and no close is called orderly', async () => {
    const files = ['client-tcpstates.txt', 'client-netstat.txt'].map((f) => path.join(DOCUMENTS, 'exp1', f));
    const r = await analyze(files);
    expect(r.findings.filter((f) => f.rule === 'listener-closed-reset')).toEqual([]);
    expect(claimsOf(r).filter((f) => f.rule === 'graceful-close')).toEqual([]);
    expect(of(r, 43752, 'fin-wait2-in-minisock')?.confidence).toBe('proved');
  });
});

describe('exp1-physical: four SYNs and an overflow counter', () => {
  test('the SYNs were dropped at the full accept queue, and the counts are reconciled', async () => {
    const r = await documents('exp1-physical');
    for (const port of [51996, 51998, 52006, 52020]) {
      expect(of(r, port, 'accept-queue-overflow-syn')).toMatchObject({
        confidence: 'inferred',
        role: 'verdict',
      });
      expect(row(r, port).synRule).toBe('accept-queue-overflow-syn');
    }
    const overflows = r.counters.find((c) => c.counter === 'ListenOverflows');
    expect(overflows).toMatchObject({ from: 85, to: 113, delta: 28, explained: 28 });
    expect(overflows?.text).toMatch(/4 × 7 SYNs.*6 retries.*one retry of each/s);
    const drops = r.counters.find((c) => c.counter === 'ListenDrops');
    expect(drops?.text).toMatch(/exactly as ListenOverflows/);
  });
});

describe('exp2 and exp3: orderly closes seen by the server', () => {
  test('exp2: client first, lines put in order', async () => {
    const r = await documents('exp2');
    const close = of(r, 52948, 'graceful-close');
    expect(close).toMatchObject({ confidence: 'inferred', side: 'client' });
  });

  test('exp3: server first; minisock and FIN with ACK cannot be told apart', async () => {
    const r = await documents('exp3');
    const close = of(r, 56292, 'graceful-close');
    expect(close).toMatchObject({ confidence: 'inferred', side: 'server' });
    const a = of(r, 56292, 'fin-wait2-in-minisock');
    expect(a).toMatchObject({ confidence: 'possible', role: 'verdict' });
    // both cannot be: the other is named, and is no finding of its own
    expect(of(r, 56292, 'fin-with-ack')).toBeUndefined();
    expect(a?.alternatives).toContain('fin-with-ack');
    expect(a?.summary).toContain('cannot tell the two apart');
  });
});

describe('document 003: one close by RST, one by FIN', () => {
  test('the RST: unread data first of the candidates, by the client', async () => {
    const r = await documents('003/reset-tcpdump.txt');
    const reset = of(r, 19500, 'unread-data-reset');
    expect(reset).toMatchObject({ confidence: 'possible', side: 'client', role: 'verdict' });
    expect(reset?.alternatives).toEqual(
      expect.arrayContaining(['linger-zero-reset', 'disconnect-reset', 'socket-destroy-reset']),
    );
    expect(reset?.missing.length).toBeGreaterThan(0);
  });

  test('the FIN: graceful, client first, proved by the wire', async () => {
    const r = await documents('003/fin-tcpdump.txt');
    expect(of(r, 9405, 'graceful-close')).toMatchObject({ confidence: 'proved', side: 'client' });
  });
});

describe('all documents at once: three hosts and two that nothing names', () => {
  let r: Result;
  beforeAll(async () => {
    r = await analyze([DOCUMENTS]);
  });

  test('settings of the host of document 004 explain nothing of the hosts of document 002', () => {
    expect(of(r, 43782, 'request-expired-reset')?.summary).not.toContain('tcp_synack_retries=2');
    expect(of(r, 43796, 'cookie-overflow-reset')?.summary).not.toContain('tcp_abort_on_overflow is 0');
    expect(r.settings).toEqual([]);
  });

  test('counters are held against the connections of their own host', () => {
    const rises = r.counters.filter((c) => c.counter === 'ListenOverflows' && c.delta !== null);
    expect(rises.map((c) => [c.delta, c.explained])).toEqual([[28, 28]]);
  });

  test('every verdict is the same as of each document alone', async () => {
    const verdicts = (result: Result) =>
      result.findings
        .filter((f) => f.role === 'verdict')
        .map((f) => `${f.client.address}:${f.client.port} ${f.group} ${f.rule} ${f.confidence}`)
        .sort();
    const alone = await Promise.all(['exp1', 'exp2', 'exp3', '003', '004', 'exp1-physical'].map(documents));
    const together = new Set(verdicts(r));
    const lost = alone.flatMap(verdicts).filter((v) => !together.has(v));
    expect(lost).toEqual([]);
  });
});
