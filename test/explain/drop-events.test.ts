/** What the kernel said of dropped packets, where a log has it: tcpdrop of old kernels (stacks), reasons of new ones. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { writeText } from './captures.ts';
import { liveSamples, type Sample } from './samples.ts';

const withLog = liveSamples().filter((s) => existsSync(path.join(s.folder, 'tcpdrop.txt')));
const named = (name: string): Sample | undefined => withLog.find((s) => s.name.startsWith(`${name}/`));

describe.skipIf(!named('syn-ack-lost-locally'))('tcpdrop of a kernel without reasons', () => {
  const folder = () => named('syn-ack-lost-locally')!.folder;
  const log = () => readFileSync(path.join(folder(), 'tcpdrop.txt'), 'utf8');

  test('the stack proves that netfilter dropped the SYN-ACK on its way out', async () => {
    const r = await analyze([path.join(folder(), 'packets.pcap'), path.join(folder(), 'tcpdrop.txt')]);
    const found = r.findings.filter((f) => f.rule === 'syn-ack-lost-locally');
    expect(found.length).toBeGreaterThan(0);
    for (const f of found) expect(f).toMatchObject({ confidence: 'proved', side: 'server' });
    expect(found[0]!.evidence.some((e) => /in nft_do_chain/.test(e.fact))).toBe(true);
  });

  test('the same functions on the way in are the firewall of the receiver', async () => {
    const inbound = log()
      .replace(
        /^\tb'(__ip_local_out|ip_build_and_send_pkt|ip_output|ip_finish_output\w*|__ip_queue_xmit|__dev_queue_xmit)\+.*\n/gm,
        '',
      )
      .replace(/^\tb'tcp_v4_send_synack\+.*\n/gm, '');
    const r = await analyze([path.join(folder(), 'packets.pcap'), writeText('tcpdrop.txt', inbound)]);
    expect(r.findings.filter((f) => f.rule === 'syn-ack-lost-locally' && f.confidence === 'proved')).toEqual(
      [],
    );
    expect(r.findings.some((f) => f.rule === 'netfilter-drop' && f.side === 'client')).toBe(true);
  });

  test('a function deeper in the stack is not where the packet was freed', async () => {
    const other = log().replaceAll("b'nft_do_chain+", "b'tcp_v4_rcv+");
    const r = await analyze([path.join(folder(), 'packets.pcap'), writeText('tcpdrop.txt', other)]);
    expect(r.findings.filter((f) => f.rule === 'netfilter-drop' && f.confidence === 'proved')).toEqual([]);
    expect(r.findings.filter((f) => f.rule === 'syn-ack-lost-locally' && f.confidence === 'proved')).toEqual(
      [],
    );
  });
});
