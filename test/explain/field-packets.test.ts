/** samples/field/packets: what is told of copies, of FINs by numbers, of handshakes and of what a capture lacks. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { Redactor } from '../../src/redact/redactor.ts';
import { redactResult } from '../../src/redact/result.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/packets');
const analyzed = (name: string) => analyze([path.join(FOLDER, `${name}.pcap`)]);
const rulesOf = async (name: string) => (await analyzed(name)).findings.map((f) => f.rule);

test('copies of a mirror port are no retransmissions, and are named', async () => {
  const { findings, diagnostics } = await analyzed('span-dup');
  expect(findings).toEqual([]);
  expect(diagnostics).toContainEqual(expect.objectContaining({ code: 'copied-segments', count: 8 }));
});

describe('FINs', () => {
  test.each(['fin-tie', 'forged-fin'])('%s: the server closed first', async (name) => {
    const { connections, findings } = await analyzed(name);
    expect(connections).toMatchObject([{ closedBy: 'server', firstFinBy: 'server' }]);
    expect(findings.filter((f) => f.rule === 'simultaneous-close')).toEqual([]);
  });

  test('old data that come after one again are no half-close', async () => {
    expect(await rulesOf('halfclose-olddata')).not.toContain('half-close');
  });
});

test('how often and over how long is counted, not sampled', async () => {
  const { findings } = await analyzed('retries2');
  const [found] = findings.filter((f) => f.rule === 'retransmission-timeout');
  expect(found).toMatchObject({ confidence: 'possible' });
  expect(found!.summary).toContain('15 more times over 13 min 25 s');
});

describe('handshakes', () => {
  test('a SYN-ACK that crossed the first data is no full queue', async () => {
    const { findings } = await analyzed('defer-accept-crossing');
    const syn = findings.filter((f) => f.group === 'syn');
    expect(syn).toMatchObject([{ rule: 'deferred-accept', confidence: 'possible' }]);
    expect(syn[0]!.alternatives).toEqual(['accept-queue-overflow-ack', 'netfilter-drop']);
  });

  test('a SYN-ACK that answers an earlier SYN was not lost in the server', async () => {
    expect(await rulesOf('late-synack-windows')).not.toContain('syn-ack-lost-locally');
  });
});

test('SYNs with ECN that were all lost within one second may be an outage', async () => {
  const { findings } = await analyzed('ecn-outage');
  const confidences = findings.filter((f) => f.rule === 'ecn-syn-black-hole').map((f) => f.confidence);
  expect(confidences).toEqual(['possible', 'possible', 'possible']);
});

test('a RST after six minutes that came a hop more may be of the host itself, by another way', async () => {
  const { findings } = await analyzed('idle-rerouted');
  expect(findings.filter((f) => f.role === 'verdict').map((f) => f.confidence)).toEqual(['possible']);
});

describe('what the capture lacks is no silence', () => {
  test('one direction: every handshake was completed', async () => {
    const { findings, connections } = await analyzed('onedir');
    expect(connections).toHaveLength(8);
    expect(findings.filter((f) => f.group === 'syn' || f.rule === 'retransmission-timeout')).toEqual([]);
  });

  test('bytes that the client acknowledged: the server had a socket', async () => {
    expect(await rulesOf('server-data-uncaptured')).not.toContain('request-expired-reset');
  });
});

test('what the payload of a RST says is evidence, and is left out of a redacted report', async () => {
  const result = await analyzed('reset-with-text');
  const text = 'sent RST|ACK (27 bytes): with the text "Go away, we are not at home"';
  expect(JSON.stringify(result.findings)).toContain(JSON.stringify(text).slice(1, -1));
  expect(JSON.stringify(redactResult(result, new Redactor(new Uint8Array(32))))).not.toContain('Go away');
});
