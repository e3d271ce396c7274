/** Endings that look like others (test/explain/lookalikes/README.md): the true cause is the verdict or stands in its list. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

async function closing(name: string) {
  const { findings } = await analyze([path.join(import.meta.dirname, 'lookalikes', name)]);
  return findings.filter((f) => f.group === 'close' && f.role === 'verdict');
}

describe('on packets alone', () => {
  test.each([
    ['health-checks.pcap', 'linger-zero-reset', 4],
    ['unread-together.pcap', 'unread-data-reset', 4],
    ['killed-together.pcap', 'socket-destroy-reset', 4],
    ['one-keepalive-probe.pcap', 'keepalive-timeout-reset', 1],
    ['forged.pcap', 'middlebox-reset', 1],
    ['disconnected.pcap', 'disconnect-reset', 1],
  ])('%s: %s is the verdict or among the alternatives', async (name, truth, resets) => {
    const found = (await closing(name)).filter((f) => f.rule !== 'graceful-close');
    expect(found).toHaveLength(resets);
    for (const f of found) expect([f.rule, ...f.alternatives]).toContain(truth);
  });

  test('RSTs to connections that began one after the other are not those of one closed listener', async () => {
    for (const f of await closing('health-checks.pcap')) expect(f.rule).toBe('linger-zero-reset');
  });

  test('RSTs at one moment, each after data: the listener is one possible cause', async () => {
    const found = (await closing('unread-together.pcap')).filter((f) => f.rule === 'listener-closed-reset');
    for (const f of found) expect(f.confidence).toBe('possible');
  });
});

describe('in a capture of ours', () => {
  test('connect(AF_UNSPEC) after shutdown(SHUT_RDWR) is not proved to be SO_LINGER 0', async () => {
    const [found] = await closing('disconnected');
    expect(found).toMatchObject({ rule: 'linger-zero-reset', confidence: 'inferred' });
    expect(found!.alternatives).toEqual(['disconnect-reset']);
  });

  test('data that met the listener met no minisock: FIN_WAIT2 had expired', async () => {
    const [found] = await closing('late-data');
    expect(found).toMatchObject({ rule: 'fin-wait2-expired-reset', side: 'server' });
    expect(found!.summary).toContain('only the listener');
  });

  test('a rule that rejects is no closed port', async () => {
    const found = await closing('rejected');
    expect(found.map((f) => [f.server.port, f.rule])).toEqual([[8082, 'connection-refused']]);
    const { findings } = await analyze([path.join(import.meta.dirname, 'lookalikes/rejected')]);
    const [rejected] = findings.filter((f) => f.rule === 'netfilter-drop');
    expect(rejected).toMatchObject({ confidence: 'proved', server: { port: 8081 } });
    expect(rejected!.summary).toContain('a firewall rejected the SYN with a RST');
  });

  test('a SYN dropped on its way refused nobody, and the server is not said to have dropped it', async () => {
    const { findings } = await analyze([path.join(import.meta.dirname, 'lookalikes/forward-drop')]);
    expect(findings.filter((f) => f.rule === 'connection-refused')).toEqual([]);
    const dropped = findings.filter((f) => f.rule === 'netfilter-drop');
    expect(dropped).toHaveLength(2);
    for (const f of dropped) expect(f.summary).not.toContain('kernel of the server');
  });
});
