/** samples/field/path: segments that overtake, are lost in vain, or are ignored; what may be said of resets after them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { readCapture, writeText } from './captures.ts';
import { sampleNamed } from './samples.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/path');
const analyzed = (...names: string[]) => analyze(names.map((n) => path.join(FOLDER, `${n}.pcap`)));

test('data that a RST overtook are no sign that its sender lives on', async () => {
  const { findings } = await analyzed('reset-overtook-data');
  const verdicts = findings.filter((f) => f.group === 'close' && f.role === 'verdict');
  expect(verdicts).toHaveLength(1);
  expect(verdicts[0]!.rule).not.toBe('middlebox-reset');
  expect(verdicts[0]!.confidence).toBe('possible');
});

test('a FIN that was sent again in vain crossed no request, and its socket may be gone', async () => {
  const { findings } = await analyzed('fin-in-vain');
  const close = findings.filter((f) => f.group === 'close' && f.role === 'verdict');
  expect(close).toMatchObject([{ rule: 'data-after-close-reset', confidence: 'possible' }]);
  expect(close[0]!.alternatives).toContain('no-socket-reset');
});

test('a RST that was not taken reset nothing: the connection closed in order', async () => {
  const { connections, findings } = await analyzed('reset-ignored-client', 'reset-ignored-server');
  expect(findings.filter((f) => f.rule === 'middlebox-reset')).toEqual([]);
  expect(connections).toMatchObject([{ closeRule: 'graceful-close', closeConfidence: 'proved' }]);
});

test('an ICMP error about data is none about the handshake, though only one direction is there', async () => {
  const { findings } = await analyzed('answer-refused');
  const icmp = findings.filter((f) => f.rule === 'icmp-rejected');
  expect(icmp).toMatchObject([{ group: 'close' }]);
  expect(icmp[0]!.summary).toContain('1 segment of');
});

test('a socket that stood before the first data were sent did not wait for them', async () => {
  const { folder } = sampleNamed('deferred-accept/6.18', 'bundle');
  const files = readdirSync(folder).map((name) => ({
    name: `bundle/${name}`,
    bytes: readFileSync(path.join(folder, name)),
  }));
  const capture = readCapture(path.join(folder, 'packets.pcap'));
  const claims = async (bytes: Buffer) =>
    (
      await analyze(files.map((f) => (f.name === 'bundle/packets.pcap' ? { ...f, bytes } : f)))
    ).findings.filter(
      (f) => f.rule === 'deferred-accept' && f.summary.includes('only when its first data came'),
    ).length;
  expect(await claims(Buffer.concat([capture.header, ...capture.records]))).toBeGreaterThan(0);
  // payload comes 0.4 ms later: within the margin of comparison, but after the socket was made
  const later = capture.records.map((r) => {
    const copy = Buffer.from(r);
    if (r.length > 16 + 14 + 20 + 32) copy.writeUInt32LE(copy.readUInt32LE(4) + 400_000, 4);
    return copy;
  });
  expect(await claims(Buffer.concat([capture.header, ...later]))).toBe(0);
});

test('a firewall that drops the last ACK of a handshake is not said to have dropped the SYN', async () => {
  const packets = writeText(
    'tcpdump.txt',
    `12:00:00.000000 IP 10.0.0.1.40000 > 10.0.0.2.8080: Flags [S], seq 1000, win 64240, options [mss 1460], length 0
12:00:00.000100 IP 10.0.0.2.8080 > 10.0.0.1.40000: Flags [S.], seq 5000, ack 1001, win 65160, options [mss 1460], length 0
12:00:00.000200 IP 10.0.0.1.40000 > 10.0.0.2.8080: Flags [.], ack 1, win 63, length 0
12:00:01.000100 IP 10.0.0.2.8080 > 10.0.0.1.40000: Flags [S.], seq 5000, ack 1001, win 65160, options [mss 1460], length 0
`,
  );
  const drops = writeText(
    'tcpdrop.txt',
    `TIME     PID    IP SADDR:SPORT          > DADDR:DPORT          STATE (FLAGS)
12:00:00 0      4  10.0.0.1:40000       > 10.0.0.2:8080        LISTEN (ACK)
\tb'kfree_skb+0x1'
\tb'nf_hook_slow+0x84'
\tb'ip_local_deliver+0xc4'

`,
  );
  const { findings } = await analyze([packets, drops]);
  const found = findings.filter((f) => f.rule === 'netfilter-drop');
  expect(found).toHaveLength(1);
  expect(found[0]!.summary).toMatch(
    /^The handshake of .* was held up, .*because a firewall dropped the ACK:/,
  );
});

test('SYN-ACKs that a router dropped are not dropped by the host of the client, though one kernel runs both', async () => {
  const { findings } = await analyze([path.join(FOLDER, 'other-zone')]);
  const found = findings.filter((f) => f.rule === 'netfilter-drop');
  expect(found).toMatchObject([{ side: 'path', confidence: 'proved' }]);
  expect(found[0]!.summary).toContain(
    'in another namespace than the client, says that it dropped 4 SYN-ACKs',
  );
});
