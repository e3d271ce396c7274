/** Reasons of newer kernels by name, and numbers by the table of their own kernel alone. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { meaningOfDrop } from '../../src/explain/facts/drop-reasons.ts';
import type { SourceTime } from '../../src/model/time.ts';
import { EventText, kernelEvent } from '../../src/read/bundle/event-text.ts';
import { NO_REASONS, parseReasons, type Reasons } from '../../src/read/bundle/manifest.ts';
import { writeText } from './captures.ts';

/** Some of enum skb_drop_reason as three kernels have it. */
const BY_KERNEL = {
  '6.1': { 12: 'UNICAST_IN_L2_MULTICAST', 40: 'NEIGH_CREATEFAIL', 42: 'NEIGH_QUEUEFULL' },
  '6.12': { 12: 'OTHERHOST', 40: 'TCP_INVALID_SYN', 42: 'TCP_FASTOPEN' },
  '6.18': { 12: 'NETFILTER_DROP', 40: 'TCP_LISTEN_OVERFLOW', 42: 'TCP_INVALID_SEQUENCE' },
};

function reasonOf(reasons: Reasons, code: number) {
  const text = `drop t=1 pid=1 src=10.0.0.1 sport=40001 dst=10.0.0.9 dport=80 flags=10 seq=1 ack=1 len=0 reason=${code} at=tcp_v4_rcv sk=0 state=0`;
  const event = kernelEvent(new EventText(text), { source: 0, line: 1, time: 0 as SourceTime }, reasons);
  return event?.kind === 'drop' ? event.reason : undefined;
}

test.each(Object.entries(BY_KERNEL))('the numbers of %s are those of its own bundle', (_kernel, names) => {
  const reasons = parseReasons(JSON.stringify({ drop: { names } })) as Reasons;
  for (const [code, name] of Object.entries(names))
    expect(reasonOf(reasons, Number(code))).toEqual({ code: Number(code), name });
  // one that this kernel's table lacks, and any number without a table
  expect(reasonOf(reasons, 37)).toEqual({ code: 37, name: null });
  expect(reasonOf(NO_REASONS, 12)).toEqual({ code: 12, name: null });
});

test('a number that a tool prints without a name is none', async () => {
  const line = (reason: string) =>
    `          <idle>-0       [001] ..s1.  7440.095547: kfree_skb: skbaddr=0000000000000000 rx_sk=0000000000000000 protocol=2048 location=tcp_v4_rcv+0x99/0x1400 reason: ${reason}\n`;
  const found = async (reason: string) => {
    const { findings } = await analyze([writeText('trace.txt', line(reason))]);
    return findings.map((f) => `${f.rule} ${f.confidence}`);
  };
  expect(await found('12')).toEqual([]);
  expect(await found('TCP_RFC7323_TW_PAWS')).toEqual(['syn-on-time-wait possible']);
  expect(await found('TCP_RFC7323_PAWS_ACK')).toEqual([]);
});

/** A connection of which the kernel drops a segment with data, in the notation of tcpdrop 0.34. */
async function dropped(reason: string) {
  const text = `TIME     PID     IP SADDR:SPORT > DADDR:DPORT STATE (FLAGS) REASON (CODE)\n10:00:02 0       4  10.0.0.1:40001   > 10.0.0.9:80  ESTABLISHED (ACK) ${reason} (43)\n\tsk_skb_reason_drop+0x1\n\ttcp_validate_incoming+0x1\n`;
  const { findings } = await analyze([writeText('tcpdrop.txt', text)]);
  return findings.filter((f) => f.rule === 'receive-buffer-full');
}

test('a segment beyond the window may be a slow reader; a full buffer is one; an old timestamp is none', async () => {
  const [beyond] = await dropped('TCP_INVALID_END_SEQUENCE');
  expect(beyond).toMatchObject({ confidence: 'possible', severity: 'warning' });
  expect(beyond!.summary).toMatch(/reached beyond the window/);
  expect(beyond!.evidence[0]!.fact).toMatch(/ends beyond the window that was offered/);
  expect((await dropped('SOCKET_RCVBUFF'))[0]).toMatchObject({ confidence: 'proved' });
  expect(await dropped('TCP_RFC7323_PAWS')).toEqual([]);
  expect(meaningOfDrop('NETFILTER_DROP')).toBe('');
});
