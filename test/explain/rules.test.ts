/** The catalogue, and each rule on a sample that it must name and on one that it must leave alone. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { ruleById, rules } from '../../src/explain/rules/index.ts';
import type { Confidence } from '../../src/model/finding.ts';
import { analyzeSample, claimsOf, type EvidenceSet, sampleNamed } from './samples.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../src/explain/rules');

/** The rules that the first version has to have. */
const FIRST = [
  'graceful-close',
  'unread-data-reset',
  'linger-zero-reset',
  'listener-closed-reset',
  'connection-refused',
  'no-socket-reset',
  'data-after-close-reset',
  'unexplained-reset',
  'accept-queue-overflow-syn',
  'accept-queue-overflow-ack',
  'request-expired-reset',
  'syn-cookie-handshake',
  'cookie-overflow-reset',
  'unanswered-syn',
  'fin-wait2-in-minisock',
  'fin-wait2-expired',
  'fin-with-ack',
  'half-close',
  'simultaneous-close',
  'fin-wait1-aborted',
  'close-wait-unaccepted',
];

describe('the catalogue', () => {
  test('every file of the folder is in the list, under its own name', () => {
    const files = readdirSync(FOLDER)
      .filter((f) => f.endsWith('.ts') && f !== 'index.ts')
      .map((f) => f.slice(0, -3));
    expect([...rules.map((r) => r.id)].sort()).toEqual(files.sort());
  });

  test.each(FIRST)('%s is there', (id) => {
    expect(ruleById(id)).toBeDefined();
  });

  test.each(rules.map((r) => [r.id, r] as const))('%s says what it is', (_id, rule) => {
    expect(rule.title).not.toMatch(/\.$/);
    expect(rule.condition).toMatch(/\.$/);
    expect(rule.reference).not.toBe('');
    // what only logs and counters tell is told of hosts
    const ofHosts = rule.signatures.every((s) => s.by.every((w) => w === 'log' || w === 'counters'));
    if (!ofHosts) expect(rule.when).toBeGreaterThan(0);
    for (const id of rule.stageOf ?? []) expect(ruleById(id), id).toBeDefined();
  });
});

interface Case {
  rule: string;
  holds: string;
  set: EvidenceSet;
  confidence: Confidence;
  /** A sample of something that looks alike. */
  not: string;
}

const CASES: Case[] = [
  {
    rule: 'graceful-close',
    holds: 'graceful-client-first',
    set: 'packets',
    confidence: 'proved',
    not: 'linger-zero',
  },
  {
    rule: 'graceful-close',
    holds: 'graceful-server-first',
    set: 'states',
    confidence: 'inferred',
    not: 'unread-data',
  },
  {
    rule: 'unread-data-reset',
    holds: 'unread-data',
    set: 'packets',
    confidence: 'possible',
    not: 'closed-port',
  },
  { rule: 'unread-data-reset', holds: 'unread-data', set: 'all', confidence: 'inferred', not: 'linger-zero' },
  { rule: 'linger-zero-reset', holds: 'linger-zero', set: 'all', confidence: 'inferred', not: 'unread-data' },
  {
    rule: 'linger2-reset',
    holds: 'linger2-negative',
    set: 'packets',
    confidence: 'inferred',
    not: 'data-into-minisock',
  },
  {
    rule: 'listener-closed-reset',
    holds: 'listener-closed',
    set: 'all',
    confidence: 'inferred',
    not: 'unread-data',
  },
  {
    rule: 'listener-closed-reset',
    holds: 'listener-closed',
    set: 'packets',
    confidence: 'inferred',
    not: 'linger-zero',
  },
  {
    rule: 'connection-refused',
    holds: 'closed-port',
    set: 'packets',
    confidence: 'inferred',
    not: 'bad-syn-ack',
  },
  {
    rule: 'connection-refused',
    holds: 'closed-port',
    set: 'states',
    confidence: 'possible',
    not: 'accept-queue-syn',
  },
  {
    rule: 'no-socket-reset',
    holds: 'no-socket-after-timeout',
    set: 'packets',
    confidence: 'possible',
    not: 'closed-port',
  },
  {
    rule: 'data-after-close-reset',
    holds: 'data-after-close',
    set: 'states-and-packets',
    confidence: 'inferred',
    not: 'data-into-minisock',
  },
  {
    rule: 'time-wait-data-reset',
    holds: 'data-into-minisock',
    set: 'states-and-packets',
    confidence: 'inferred',
    not: 'data-after-close',
  },
  {
    rule: 'keepalive-timeout-reset',
    holds: 'keepalive-timeout',
    set: 'packets',
    confidence: 'inferred',
    not: 'unread-data',
  },
  {
    rule: 'socket-destroy-reset',
    holds: 'ss-kill',
    set: 'states',
    confidence: 'inferred',
    not: 'linger-zero',
  },
  {
    rule: 'middlebox-reset',
    holds: 'middlebox-reset',
    set: 'packets',
    confidence: 'inferred',
    not: 'closed-port',
  },
  {
    rule: 'retransmission-timeout',
    holds: 'retransmission-timeout',
    set: 'states-and-packets',
    confidence: 'inferred',
    not: 'keepalive-timeout',
  },
  {
    rule: 'unexplained-reset',
    holds: 'keepalive-timeout',
    set: 'states',
    confidence: 'possible',
    not: 'graceful-client-first',
  },
  {
    rule: 'accept-queue-overflow-syn',
    holds: 'accept-queue-syn',
    set: 'all',
    confidence: 'inferred',
    not: 'syn-dropped-nft',
  },
  {
    rule: 'accept-queue-overflow-ack',
    holds: 'accept-queue-ack',
    set: 'packets',
    confidence: 'possible',
    not: 'accept-queue-syn',
  },
  {
    rule: 'abort-on-overflow-reset',
    holds: 'abort-on-overflow',
    set: 'packets',
    confidence: 'possible',
    not: 'request-expired',
  },
  {
    rule: 'request-expired-reset',
    holds: 'request-expired',
    set: 'packets',
    confidence: 'inferred',
    not: 'accept-queue-ack',
  },
  {
    rule: 'cookie-overflow-reset',
    holds: 'cookie-overflow',
    set: 'all',
    confidence: 'inferred',
    not: 'abort-on-overflow',
  },
  {
    rule: 'syn-cookie-handshake',
    holds: 'syn-cookie',
    set: 'all',
    confidence: 'inferred',
    not: 'graceful-client-first',
  },
  {
    rule: 'deferred-accept',
    holds: 'deferred-accept',
    set: 'states-and-packets',
    confidence: 'inferred',
    not: 'accept-queue-ack',
  },
  {
    rule: 'simultaneous-open',
    holds: 'simultaneous-open',
    set: 'states',
    confidence: 'proved',
    not: 'graceful-client-first',
  },
  {
    rule: 'syn-on-time-wait',
    holds: 'syn-on-time-wait',
    set: 'packets',
    confidence: 'inferred',
    not: 'syn-on-stale-connection',
  },
  {
    rule: 'unanswered-syn',
    holds: 'syn-dropped-nft',
    set: 'packets',
    confidence: 'possible',
    not: 'closed-port',
  },
  {
    rule: 'fin-wait2-in-minisock',
    holds: 'graceful-client-first',
    set: 'states-and-packets',
    confidence: 'proved',
    not: 'fin-with-ack',
  },
  {
    rule: 'fin-with-ack',
    holds: 'fin-with-ack',
    set: 'states-and-packets',
    confidence: 'proved',
    not: 'half-close',
  },
  {
    rule: 'half-close',
    holds: 'half-close',
    set: 'packets',
    confidence: 'proved',
    not: 'graceful-client-first',
  },
  {
    rule: 'half-close',
    holds: 'half-close',
    set: 'states',
    confidence: 'inferred',
    not: 'simultaneous-close',
  },
  { rule: 'long-fin-wait2', holds: 'long-fin-wait2', set: 'all', confidence: 'inferred', not: 'half-close' },
  {
    rule: 'fin-wait2-expired',
    holds: 'fin-wait2-expired',
    set: 'all',
    confidence: 'inferred',
    not: 'data-into-minisock',
  },
  {
    rule: 'time-wait-overflow',
    holds: 'time-wait-overflow',
    set: 'all',
    confidence: 'inferred',
    not: 'graceful-client-first',
  },
  {
    rule: 'simultaneous-close',
    holds: 'simultaneous-close',
    set: 'packets',
    confidence: 'proved',
    not: 'graceful-client-first',
  },
  {
    rule: 'simultaneous-close',
    holds: 'simultaneous-close',
    set: 'states',
    confidence: 'proved',
    not: 'half-close',
  },
  {
    rule: 'fin-wait1-aborted',
    holds: 'fin-wait1-aborted',
    set: 'states',
    confidence: 'proved',
    not: 'graceful-client-first',
  },
  {
    rule: 'fin-unacknowledged',
    holds: 'fin-unacknowledged',
    set: 'states-and-packets',
    confidence: 'inferred',
    not: 'fin-wait1-aborted',
  },
  {
    rule: 'delayed-ack-of-fin',
    holds: 'graceful-client-first',
    set: 'states',
    confidence: 'inferred',
    not: 'fin-wait1-aborted',
  },
  {
    rule: 'close-wait-unaccepted',
    holds: 'close-wait-unaccepted',
    set: 'all',
    confidence: 'proved',
    not: 'close-wait-leak',
  },
  {
    rule: 'close-wait-leak',
    holds: 'close-wait-leak',
    set: 'all',
    confidence: 'inferred',
    not: 'close-wait-unaccepted',
  },
  {
    rule: 'last-ack-stuck',
    holds: 'last-ack-stuck',
    set: 'all',
    confidence: 'inferred',
    not: 'closing-stuck',
  },
  {
    rule: 'closing-stuck',
    holds: 'closing-stuck',
    set: 'all',
    confidence: 'inferred',
    not: 'last-ack-stuck',
  },
  {
    rule: 'fin-wait2-stuck',
    holds: 'fin-wait2-stuck',
    set: 'all',
    confidence: 'inferred',
    not: 'half-close',
  },
  {
    rule: 'netfilter-drop',
    holds: 'syn-dropped-nft/6.18',
    set: 'all',
    confidence: 'possible',
    not: 'accept-queue-syn',
  },
  {
    rule: 'reverse-path-drop',
    holds: 'reverse-path/6.18',
    set: 'all',
    confidence: 'inferred',
    not: 'no-reply-route',
  },
  {
    rule: 'no-reply-route-drop',
    holds: 'no-reply-route/6.18',
    set: 'all',
    confidence: 'inferred',
    not: 'reverse-path',
  },
  { rule: 'checksum-drop', holds: 'bad-checksum/6.18', set: 'all', confidence: 'inferred', not: 'martian' },
  {
    rule: 'martian-drop',
    holds: 'martian/6.18',
    set: 'packets',
    confidence: 'inferred',
    not: 'bad-checksum',
  },
  {
    rule: 'syn-backlog-reserve-drop',
    holds: 'syn-backlog-reserve/6.18',
    set: 'all',
    confidence: 'possible',
    not: 'syn-queue-full-drop',
  },
  {
    rule: 'syn-ack-lost-locally',
    holds: 'syn-ack-lost-locally/6.18',
    set: 'all',
    confidence: 'inferred',
    not: 'syn-lost-on-path',
  },
  {
    rule: 'syn-ack-lost-on-path',
    holds: 'syn-lost-on-path/6.18',
    set: 'all',
    confidence: 'inferred',
    not: 'syn-ack-lost-locally/6.18',
  },
  {
    rule: 'syn-lost-on-path',
    holds: 'syn-lost-on-path/6.18',
    set: 'all',
    confidence: 'possible',
    not: 'syn-dropped-nft',
  },
  {
    rule: 'syn-on-stale-connection',
    holds: 'syn-on-stale-connection/6.18',
    set: 'packets',
    confidence: 'inferred',
    not: 'syn-on-time-wait',
  },
  {
    rule: 'disconnect-reset',
    holds: 'connect-unspec/6.18',
    set: 'all',
    confidence: 'inferred',
    not: 'linger-zero',
  },
  {
    rule: 'time-wait-pileup',
    holds: 'time-wait-pileup/6.18',
    set: 'all',
    confidence: 'proved',
    not: 'fin-with-ack',
  },
  {
    rule: 'snapshot-too-late',
    holds: 'graceful-server-first/6.18',
    set: 'all',
    confidence: 'inferred',
    not: 'fin-with-ack',
  },
  {
    rule: 'kernel-wire-contradiction',
    holds: 'syn-on-stale-connection/6.18',
    set: 'all',
    confidence: 'inferred',
    not: 'linger-zero',
  },
];

/** Of what was taken for one cause each, and what looks alike: files below samples/, or lines of a log. */
interface FieldCase {
  rule: string;
  holds: string | string[];
  confidence: Confidence;
  not: string | string[];
}

/** A SYN in the notation of tcpdrop 0.34 (bcc). */
const droppedSyn = (reason: string) => [
  'TIME     PID     IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS) REASON (CODE)',
  `20:49:06 0       4  198.51.100.9:40001   > 192.0.2.10:80        LISTEN (SYN) ${reason}`,
];

const FIELD: FieldCase[] = [
  {
    rule: 'bad-syn-ack-reset',
    holds: 'field/packets/syn-acks-with-wrong-numbers.pcap',
    confidence: 'inferred',
    not: 'field/between/traceroute-client.pcap',
  },
  {
    rule: 'connect-abandoned',
    holds: 'field/kernel/connect_abandoned',
    confidence: 'possible',
    not: 'field/between/icmp_admin-client.pcap',
  },
  {
    rule: 'ecn-syn-black-hole',
    holds: 'field/between/ecn_dropped-client.pcap',
    confidence: 'inferred',
    not: 'field/between/ecn_lost_once-client.pcap',
  },
  {
    rule: 'fin-wait2-expired-reset',
    holds: 'bundle/timeouts/6.12',
    confidence: 'proved',
    not: 'field/between/idle_server_gone-client.pcap',
  },
  {
    rule: 'handshake-unfinished',
    holds: 'field/between/half_open-server.pcap',
    confidence: 'possible',
    not: 'field/between/ack_late-server.pcap',
  },
  {
    rule: 'icmp-rejected',
    holds: 'field/between/icmp_admin-client.pcap',
    confidence: 'proved',
    not: 'field/between/icmp_passing-client.pcap',
  },
  {
    rule: 'idle-mapping-expired',
    holds: 'field/between/idle_reset-client.pcap',
    confidence: 'inferred',
    not: 'field/between/idle_answered-client.pcap',
  },
  {
    rule: 'keep-alive-race',
    holds: 'field/between/keep_alive_race-client.pcap',
    confidence: 'inferred',
    not: 'field/between/request_after_fin-client.pcap',
  },
  {
    rule: 'path-mtu-black-hole',
    holds: 'field/between/mtu_ignored-client.pcap',
    confidence: 'inferred',
    not: 'field/between/mtu_heeded-client.pcap',
  },
  {
    rule: 'data-lost-on-path',
    holds: 'field/between/large_then_gone-client.pcap field/between/large_then_gone-server.pcap',
    confidence: 'inferred',
    not: 'field/between/icmp_passing-client.pcap field/between/icmp_passing-server.pcap',
  },
  {
    rule: 'peer-silent',
    holds: 'field/tables/retransmitting-small.txt',
    confidence: 'inferred',
    not: 'field/tables/persist.txt',
  },
  {
    rule: 'peer-window-closed',
    holds: 'field/tables/persist.txt',
    confidence: 'inferred',
    not: 'field/tables/retransmitting.txt',
  },
  {
    rule: 'receive-buffer-full',
    holds: 'field/drops/receive-buffer.txt',
    confidence: 'proved',
    not: 'field/drops/old-data.txt',
  },
  {
    rule: 'stray-ack-reset',
    holds: 'bundle/stray-ack/6.18',
    confidence: 'possible',
    not: 'field/between/stray_elsewhere-client.pcap',
  },
  {
    rule: 'syn-queue-full-drop',
    holds: 'bundle/syn-queue-full-drop/6.18',
    confidence: 'inferred',
    not: 'bundle/accept-queue-syn/6.18',
  },
  {
    rule: 'untranslated-packet-reset',
    holds: 'field/between/entry_lost-client.pcap',
    confidence: 'inferred',
    not: 'field/between/port_reused-client.pcap',
  },
  {
    rule: 'untranslated-reply',
    holds: 'field/between/reply_around-client.pcap',
    confidence: 'inferred',
    not: 'field/between/reply_translated-client.pcap',
  },
  {
    rule: 'conntrack-table-full',
    holds: ['[  812.100000] nf_conntrack: nf_conntrack: table full, dropping packet'],
    confidence: 'proved',
    not: ['[  812.100000] nf_conntrack version 0.5.0 (16384 buckets, 65536 max)'],
  },
  {
    rule: 'other-ingress-drop',
    holds: droppedSyn('XFRM_POLICY (14)'),
    confidence: 'proved',
    not: droppedSyn('NETFILTER_DROP (8)'),
  },
  {
    rule: 'memory-pressure-reset',
    holds: ['[  812.123456] Out of socket memory'],
    confidence: 'proved',
    not: ['[  812.123456] Out of memory: Killed process 812 (java) total-vm:9081232kB'],
  },
];

/** What both tables read: files of samples/, one or more, or lines. */
const inputsOf = (of: string | string[]) =>
  typeof of === 'string'
    ? of.split(' ').map((name) => path.resolve(import.meta.dirname, '../../samples', name))
    : [{ name: 'x.txt', bytes: new TextEncoder().encode(`${of.join('\n')}\n`) }];

describe.each(FIELD)('$rule', ({ rule, holds, confidence, not }) => {
  const claims = async (of: string | string[]) =>
    claimsOf(await analyze(inputsOf(of))).filter((f) => f.rule === rule);

  test(`holds: ${confidence}`, async () => {
    expect((await claims(holds)).map((f) => f.confidence)).toContain(confidence);
  });

  test('does not hold for what looks alike', async () => {
    expect(await claims(not)).toEqual([]);
  });
});

test('every rule has a case where it holds and one where it must not', () => {
  const known = new Set([...CASES, ...FIELD].map((c) => c.rule));
  expect(rules.map((r) => r.id).filter((id) => !known.has(id))).toEqual([]);
});

describe.each(CASES)('$rule from $set', ({ rule, holds, set, confidence, not }) => {
  test(`holds for ${holds}: ${confidence}`, async () => {
    const own = claimsOf(await analyzeSample(sampleNamed(holds), set)).filter((f) => f.rule === rule);
    expect(own.map((f) => f.confidence)).toContain(confidence);
  });

  test(`does not hold for ${not}`, async () => {
    expect(claimsOf(await analyzeSample(sampleNamed(not), set)).filter((f) => f.rule === rule)).toEqual([]);
  });
});
