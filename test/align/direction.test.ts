/** Which end is the server where neither a SYN nor a socket says so. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Directions } from '../../src/align/direction.ts';
import { analyze } from '../../src/analyze.ts';
import { formatEndpoint } from '../../src/model/address.ts';
import type { SysctlEvent } from '../../src/model/table-event.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'tcpautopsy-direction-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const SAMPLE = path.resolve(import.meta.dirname, '../../samples/field/direction/shared-port.txt');

async function serversOf(text: string): Promise<string[]> {
  const file = path.join(scratch, 'ss.txt');
  writeFileSync(file, `$ ss -tan\n${text}`);
  return [...(await analyze([file])).connections].map((c) => formatEndpoint(c.server));
}

test('a port that all rows share', async () => {
  const { connections } = await analyze([SAMPLE]);
  expect([...connections].map((c) => formatEndpoint(c.server))).toEqual(Array(3).fill('192.0.2.10:8000'));
});

test('a listener goes before ports, ports that are known before those that are ephemeral', async () => {
  const row = (state: string, local: string, remote: string) => `${state} 0 0 ${local} ${remote}\n`;
  expect(
    await serversOf(
      row('LISTEN', '0.0.0.0:40000', '0.0.0.0:*') + row('ESTAB', '10.0.0.1:40000', '10.0.0.2:443'),
    ),
  ).toEqual(['10.0.0.1:40000']);
  expect(await serversOf(row('ESTAB', '10.0.0.1:5432', '10.0.0.2:41000'))).toEqual(['10.0.0.1:5432']);
  expect(await serversOf(row('ESTAB', '10.0.0.1:41000', '10.0.0.2:20111'))).toEqual(['10.0.0.2:20111']);
});

test('what the host itself calls ephemeral', () => {
  const range: SysctlEvent = {
    ...{ kind: 'sysctl', source: 0, line: 1, time: null },
    ...{ name: 'net.ipv4.ip_local_port_range', value: '15000\t30000' },
  };
  expect(new Directions([]).serverOf(20_111, 41_000)).toBe(0);
  expect(new Directions([range]).serverOf(20_111, 41_000)).toBe(1);
});

test('where nothing tells, no side is named in a sentence', async () => {
  expect(new Directions([]).serverOf(41_000, 42_000)).toBeNull();
  const file = path.join(scratch, 'none.txt');
  const row = 'CLOSE-WAIT 1 0 10.0.0.1:41000 10.0.0.2:42000 users:(("app",pid=7,fd=3))';
  writeFileSync(file, `# ss -tanp\n${row}\n`);
  const { findings } = await analyze([file]);
  expect(findings.map((f) => f.rule)).toContain('close-wait-leak');
  for (const f of findings) expect(f.summary).not.toMatch(/\b(client|server)\b/i);
});
