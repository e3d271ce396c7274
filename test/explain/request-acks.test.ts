/** ACKs of a server without a socket for the connection: a request acknowledges the SYN, and no more. */
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { writeText } from './captures.ts';

const OPTIONS = 'options [nop,nop,TS val 10 ecr 10]';
const SYN_OPTIONS = 'options [mss 1460,sackOK,TS val 10 ecr 10,nop,wscale 7]';

/** The server repeats its SYN-ACK to a client that has acknowledged it, sends one ACK and resets what comes at last. */
async function rulesOf({ ack = 1, length = 0, repeated = true }) {
  const [c, s] = ['10.0.0.1.40001', '10.0.0.9.80'];
  const synAck = `${s} > ${c}: Flags [S.], seq 500, ack 101, win 65160, ${SYN_OPTIONS}, length 0`;
  const lines = [
    [0, `${c} > ${s}: Flags [S], seq 100, win 64240, ${SYN_OPTIONS}, length 0`],
    [0.001, synAck],
    [0.002, `${c} > ${s}: Flags [.], ack 1, win 502, ${OPTIONS}, length 0`],
    ...(repeated ? [[1.02, synAck] as const, [3.05, synAck] as const] : []),
    [
      4.001,
      `${s} > ${c}: Flags [.], ${length > 0 ? `seq 1:${1 + length}, ` : ''}ack ${ack}, win 510, ${OPTIONS}, length ${length}`,
    ],
    [9, `${c} > ${s}: Flags [P.], seq 1:11, ack 1, win 502, ${OPTIONS}, length 10`],
    [9.001, `${s} > ${c}: Flags [R], seq 1, win 0, length 0`],
  ];
  const text = lines.map(([at, line]) => `${(1_768_208_402 + Number(at)).toFixed(6)} IP ${line}\n`).join('');
  const { findings } = await analyze([writeText('request.txt', text)]);
  return findings.map((f) => `${f.rule} ${f.confidence}`);
}

test('an ACK of the SYN may be of a request: its expiry stays possible', async () => {
  expect(await rulesOf({})).toContain('request-expired-reset possible');
});

test('an ACK of data is of a socket, as are data; and without a repeated SYN-ACK nothing shows a request', async () => {
  for (const more of [{ ack: 11 }, { length: 5 }, { repeated: false }])
    expect((await rulesOf(more)).join()).not.toContain('request-expired-reset');
});
