/** Two captures of the same connections: clocks, sides, addresses translated on the way. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { flagsOf, readCapture, resetOf, shifted, translated, writeCapture } from '../explain/captures.ts';
import { sampleNamed } from '../explain/samples.ts';

const folder = sampleNamed('syn-lost-on-path/6.18').folder;
const client = path.join(folder, 'client.pcap');
const server = path.join(folder, 'packets.pcap');
const states = path.join(folder, 'tcpstates.txt');

describe('clocks of two captures', () => {
  test('one clock is recognised as one, within half of the round trip', async () => {
    const { clocks } = await analyze([client, server]);
    const [fit] = clocks;
    expect(fit).toMatchObject({ method: 'estimated', offset: 0 });
    // 20 ms each way
    expect(fit!.worst! / 1e6).toBeGreaterThan(19);
    expect(fit!.worst! / 1e6).toBeLessThan(22);
    expect(fit!.message).toMatch(
      /agree as far as that tells.*client\.pcap was taken nearer to the clients, .*packets\.pcap nearer to the servers/,
    );
  });

  test('an offset of 7 s is found, corrected and shown', async () => {
    const late = writeCapture('server.pcap', shifted(readCapture(server), 7));
    const { clocks, connections, findings } = await analyze([client, late]);
    // the one that is read first, by the order of names, is the reference
    const ahead = clocks[0]!.source === late;
    expect(clocks[0]!.offset! / 1e9).toBeCloseTo(ahead ? -7 : 7, 1);
    expect(clocks[0]!.message).toMatch(
      ahead
        ? /server\.pcap is 7 s ahead of that of .*client\.pcap, and was corrected, within 2\d(\.\d)? ms/
        : /client\.pcap is 7 s behind that of .*server\.pcap, and was corrected, within 2\d(\.\d)? ms/,
    );
    expect(connections).toHaveLength(2);
    expect(findings.find((f) => f.rule === 'syn-ack-lost-on-path')?.confidence).toBe('inferred');
  });

  test('a RST that came again and again with the same numbers tells no moment', async () => {
    // as to each FIN that an orphan repeats: IP identification 0, no timestamps; 1, 3 and 7 s after the last record
    const withResets = (file: string, name: string) => {
      const { header, records } = readCapture(file);
      const reset = resetOf(records.at(-1)!);
      const again = [1, 3, 7].map((s) => shifted({ header, records: [reset] }, s).records[0]!);
      return writeCapture(name, { header, records: [...records, ...again] });
    };
    const { clocks } = await analyze([withResets(client, 'a.pcap'), withResets(server, 'b.pcap')]);
    expect(clocks[0]).toMatchObject({ method: 'estimated', offset: 0 });
    expect(clocks[0]!.worst! / 1e6).toBeLessThan(22);
  });

  test('state events are timed by the capture of their own end', async () => {
    const { clocks } = await analyze([client, server, states]);
    const fit = clocks.find((c) => c.source.endsWith('tcpstates.txt'));
    expect(fit!.worst!).toBeLessThan(1e6);
  });
});

describe('a segment at one capture and not at the other', () => {
  test('says on which way it was lost', async () => {
    const { findings, inputs } = await analyze([client, server]);
    const number = inputs.findIndex((i) => i.name === server) + 1;
    const ack = findings.find((f) => f.rule === 'syn-ack-lost-on-path')!;
    expect(ack.summary).toMatch(
      /SYN-ACKs are in .*packets\.pcap and not in .*client\.pcap, which was running/,
    );
    expect(ack.evidence.filter((e) => /seen here only/.test(e.fact)).every((e) => e.source === number)).toBe(
      true,
    );
    // the server's capture begins with the SYN that came through: nothing shows that it ran before
    const syn = findings.find((f) => f.rule === 'syn-lost-on-path')!;
    expect(syn).toMatchObject({ confidence: 'possible' });
    expect(syn.summary).toMatch(
      /2 SYNs are in .*client\.pcap and not in .*packets\.pcap, which may not have been running then/,
    );
  });

  test('one capture alone does not', async () => {
    const { findings } = await analyze([client]);
    expect(findings.filter((f) => f.rule.endsWith('lost-on-path'))).toEqual([]);
  });
});

describe('behind a NAT', () => {
  const nat = writeCapture('inside.pcap', translated(readCapture(client), '10.77.0.1', '192.168.1.5', 1000));

  test('a connection under two addresses is one, by its initial sequence numbers', async () => {
    const { connections, findings } = await analyze([server, nat]);
    expect(connections).toHaveLength(2);
    for (const c of connections) expect(c.sources).toHaveLength(2);
    expect(findings.find((f) => f.rule === 'syn-ack-lost-on-path')?.confidence).toBe('inferred');
    const closed = connections.filter((c) => c.closeRule === 'graceful-close');
    expect(closed.every((c) => c.closedBy === 'client')).toBe(true);
  });

  test('a SYN of which one capture shows no answer joins by its number and timestamp', async () => {
    const { header, records } = readCapture(client);
    const syns = { header, records: records.filter((r) => (flagsOf(r) & 0x17) === 0x02) };
    const inside = writeCapture('syns.pcap', translated(syns, '10.77.0.1', '192.168.1.5', 1000));
    const { connections, findings } = await analyze([server, inside]);
    expect(connections).toHaveLength(2);
    for (const c of connections) expect(c.sources).toHaveLength(2);
    const lost = findings.filter((f) => f.rule === 'syn-ack-lost-on-path');
    expect(lost.map((f) => f.confidence)).toContain('inferred');
  });

  test('a SYN with the same number and another timestamp is another SYN', async () => {
    const { header, records } = readCapture(client);
    const syns = records.filter((r) => (flagsOf(r) & 0x17) === 0x02).map((r) => Buffer.from(r));
    // MSS, SACK permitted, then the timestamps: TSval at the tenth byte of the options
    for (const r of syns)
      r.writeUInt32BE((r.readUInt32BE(16 + 14 + 20 + 20 + 8) ^ 0x55555555) >>> 0, 16 + 14 + 20 + 20 + 8);
    const inside = writeCapture(
      'syns.pcap',
      translated({ header, records: syns }, '10.77.0.1', '192.168.1.5', 1000),
    );
    const { connections } = await analyze([server, inside]);
    expect(connections).toHaveLength(4);
  });
});

describe('relative times with a time of day beside them', () => {
  test('reach the clock of a log that has times of day only, with the bounds stated', async () => {
    const samples = path.resolve(folder, '../../..');
    const relative = path.join(samples, 'live/pcap-and-tcpstates/tcpstates-T.txt');
    const wall = path.join(samples, 'documents/exp1/server-tcpdump.txt');
    const { clocks, connections } = await analyze([relative, wall]);
    const fit = clocks.find((c) => c.source === relative);
    expect(fit?.message).toMatch(
      /prints the time of day as well: that places it on the clock of .*server-tcpdump\.txt within/,
    );
    expect(connections.find((c) => c.sources.includes(relative))?.clock).toBe('wall');
  });
});
