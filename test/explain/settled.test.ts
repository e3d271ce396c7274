// What one capture leaves open and a bundle of another time has recorded: the command names the probe, and the answer says what it proved.
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { renderMarkdown } from '../../src/markdown/markdown.ts';

const sample = (name: string) => path.join(import.meta.dirname, '../../samples/bundle', name);
const QUESTION = 'What did the recording of another time settle?';
const answerOf = async (inputs: string[]) =>
  (await analyze(inputs)).answers.find((a) => a.question === QUESTION)?.answer;

test('the command records the probe that decides, and no other', async () => {
  const { findings } = await analyze([sample('overflow/6.1/packets.pcap')]);
  const full = findings.find((f) => f.rule === 'accept-queue-overflow-ack' && f.role === 'verdict')!;
  expect(full.confidence).not.toBe('proved');
  expect(full.missing.map((m) => m.command)).toContain(
    'tcpautopsy-capture -o capture-8080 --port 8080 --probe child-refused',
  );
});

test('a bundle of another time on that host and port: the report says what it settled, and no connection becomes surer', async () => {
  const inputs = [sample('overflow/6.1/packets.pcap'), sample('overflow/6.12')];
  const settled = `Settled by ${sample('overflow/6.12')}, for another time: it proves \`accept-queue-overflow-ack\` for 3 connections to 10.77.0.2:8080.`;
  expect(await answerOf(inputs)).toContain(
    `3 connections to 10.77.0.2:8080 left open (\`accept-queue-overflow-ack\`): How full the accept queue of the server was when the ACK of the handshake came: ${sample('overflow/6.12')} recorded it at another time. ${settled}`,
  );
  const result = await analyze(inputs);
  expect(result.causes.find((c) => c.rule === 'accept-queue-overflow-ack')!.settled).toContain(settled);
  expect(renderMarkdown(result)).toContain(
    'Settled by 6.12, for another time: it proves `accept-queue-overflow-ack`',
  );
  // its own connections lack nothing of it, and those before it still do
  const acks = result.findings.filter((f) => f.rule === 'accept-queue-overflow-ack' && f.role === 'verdict');
  expect(
    new Set(
      acks.map((f) => {
        const open = f.missing.find((m) => m.probe === 'child-refused');
        return `${f.confidence} ${open ? `command: ${open.command}` : ''}`;
      }),
    ),
  ).toEqual(new Set(['proved ', 'inferred command: ']));
});

test('a bundle that has the probe and proves none of the causes settles nothing', async () => {
  const { causes } = await analyze([sample('overflow/6.1/packets.pcap'), sample('timeouts/6.12')]);
  const settled = causes.flatMap((c) => c.settled ?? []);
  expect(settled.length).toBeGreaterThan(0);
  for (const text of settled) expect(text).toMatch(/^Not settled by .*timeouts\/6.12:/);
});

test('a bundle alone, or of other servers, settles nothing', async () => {
  expect(await answerOf([sample('overflow/6.12')])).toBeUndefined();
  expect(await answerOf([sample('overflow/6.1/packets.pcap'), sample('timeouts/6.12')])).not.toContain(
    'it proves',
  );
});

test('a queue that a table of another time shows full refused none of them', async () => {
  const { findings } = await analyze([
    sample('syn-dropped-nft/6.18/packets.pcap'),
    sample('accept-queue-syn/6.18'),
  ]);
  const verdicts = findings.filter((f) => f.role === 'verdict' && f.rule !== 'accept-queue-overflow-syn');
  expect(verdicts.map((f) => `${f.rule} ${f.confidence}`)).toContain('unanswered-syn possible');
});
