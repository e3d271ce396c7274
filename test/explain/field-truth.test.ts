/** samples/field/truth: inputs whose truth was written down before they were read. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { focusOf } from '../../src/view/focus.ts';
import { overviewOf } from '../../src/view/overview.ts';

const read = (name: string) =>
  analyze([path.resolve(import.meta.dirname, '../../samples/field/truth', name)]);

async function screenOf(name: string) {
  const result = await read(name);
  return { result, ...overviewOf(focusOf(result)) };
}

describe('what is healthy', () => {
  test('forty handshakes of which the file has SYN and SYN-ACK alone are not called healthy', async () => {
    const { headline, healthy, isFine } = await screenOf('half-open-short.pcap');
    expect(headline).toBe(
      'These files do not show what became of 40 of 40 connections, nor the cause of a problem.',
    );
    expect(healthy()).toEqual([]);
    expect(isFine).toBe(false);
  });

  test('of one direction the ACK of the SYN-ACK shows that it was answered', async () => {
    const { headline, healthy } = await screenOf('client-only.pcap');
    expect(headline).toBe('No problems found.');
    expect(healthy()).toEqual(['198.51.100.9:443: 1 connection without a problem (1 client)']);
  });

  test('a FIN that belongs to no connection, and met no answer, is no healthy connection', async () => {
    const { healthy, result } = await screenOf('fin-scan.pcap');
    expect(healthy()).toEqual([]);
    expect(result.incidents[0]!.headline).toContain(
      '203.0.113.66 most likely scanned 30 ports of 192.0.2.10',
    );
  });
});

test.each(['server-only.pcap', 'client-only.pcap'])(
  '%s: whose FIN was first is not known where the other direction is missing',
  async (name) => {
    const { connections } = await read(name);
    expect(connections).toMatchObject([{ closedBy: 'none', firstFinBy: '' }]);
  },
);

describe('a RST with data, which Linux does not send', () => {
  test.each(['rst-text.pcap', 'rst-text6.pcap'])(
    '%s: no full accept queue; the text is shown',
    async (name) => {
      const { findings } = await read(name);
      expect(findings.map((f) => [f.rule, f.confidence])).toEqual([['middlebox-reset', 'possible']]);
      expect(findings[0]!.summary).toContain('18 bytes of data in it with the text "Go away: policy 17"');
    },
  );

  test('it refuses a SYN all the same, and no Linux host did', async () => {
    const { findings } = await read('refused-text.pcap');
    expect(findings.map((f) => f.rule)).toEqual(['connection-refused']);
    expect(findings[0]!.summary).toContain('Linux puts no data into its RSTs, this one has 15 bytes');
  });
});

test('a RST from another number of hops than the SYN-ACKs of that server is not called its refusal', async () => {
  const { findings } = await read('refused-nearby.pcap');
  const [refused] = findings.filter((f) => f.rule === 'connection-refused');
  expect(refused).toMatchObject({ confidence: 'possible' });
  expect(refused!.summary).toContain('RST of TTL 63, where the SYN-ACKs of server 198.51.100.9:443 have 57');
});

describe('half-open handshakes', () => {
  test('at an even pace are health checks', async () => {
    const { incidents } = await read('half-open-checks.pcap');
    expect(incidents).toMatchObject([
      { who: ['10.0.0.5'], connections: 6, cause: { title: 'Half-open health checks' } },
    ]);
    expect(incidents[0]!.headline).toContain('10.0.0.5 most likely checks 10.0.0.80:8080 every 5 s');
    expect(incidents[0]!.action).toContain('no action is needed');
  });

  test('at no pace are not; the fix does not send anybody after a lost socket first', async () => {
    const { incidents } = await read('half-open-uneven.pcap');
    expect(incidents).toMatchObject([{ cause: { rule: 'no-socket-reset' }, confidence: 'possible' }]);
    expect(incidents[0]!.action).toMatch(/^If the client is a scanner, or a load balancer/);
  });
});

describe('what is to be done of a group', () => {
  const fixOf = async (name: string) => (await read(name)).causes.map((c) => c.remedy);

  test('names no client, and is told once', async () => {
    expect(await fixOf('half-open-clients.pcap')).toEqual([
      expect.stringMatching(/^If the client is a scanner(?!.*For others)/),
    ]);
  });

  test('of connections that were idle for 100 to 600 s keeps the first of them', async () => {
    expect(await fixOf('idle-times.pcap')).toEqual([
      expect.stringMatching(/^Send something more often than every 100 s:(?!.*For others)/),
    ]);
  });
});

test('CLOSE_WAIT in a table of before the FIN, by clocks that disagree, has no age', async () => {
  const { findings } = await read('close-wait-before-fin');
  const [leak] = findings.filter((f) => f.rule === 'close-wait-leak');
  expect(leak!.confidence).toBe('possible');
  expect(leak!.summary).toMatch(/because the other side has closed\.$/);
});

test('a short answer to a long request that the client had closed on is no TLS alert', async () => {
  const { findings } = await read('short-answer-refused.pcap');
  expect(findings.map((f) => [f.rule, f.severity])).toEqual([['data-after-close-reset', 'warning']]);
  expect(findings[0]!.summary).not.toContain('last words');
});

test('a server that closed its sending side before the client sent anything owes it no answer', async () => {
  const { healthy } = await screenOf('half-closed-first.pcap');
  expect(healthy()).toEqual([
    '10.0.0.2:80: 1 connection without a problem (1 client); the server closed it first and sent no data, though its client did',
  ]);
});

describe('bare ACKs that RSTs answer', () => {
  test('to thirty ports of services are a scan', async () => {
    const { incidents } = await read('ack-scan.pcap');
    expect(incidents).toMatchObject([{ who: ['203.0.113.66'], connections: 30, cause: { title: 'Scan' } }]);
    expect(incidents[0]!.headline).toContain('it sent bare ACKs of no connection');
  });

  test.each(['keepalives-after-failover.pcap', 'keepalives-without-timestamps.pcap'])(
    '%s: of sockets, which have a port each, are not: what they spoke to has forgotten them',
    async (name) => {
      const { incidents } = await read(name);
      expect(incidents.map((i) => [i.cause.rule, i.confidence])).toEqual([['no-socket-reset', 'possible']]);
    },
  );

  test('from the port of a service to ports of clients are not', async () => {
    const { incidents } = await read('keepalives-to-nobody.pcap');
    expect(incidents.map((i) => i.cause.rule)).toEqual(['no-socket-reset']);
  });
});

describe('keepalive probes', () => {
  test.each(['keepalives-answered-then-not.pcap', 'keepalives-unanswered.pcap'])(
    '%s: nine without an answer end it, whatever was answered before',
    async (name) => {
      const { findings } = await read(name);
      expect(findings.map((f) => [f.rule, f.confidence, f.side])).toEqual([
        ['keepalive-timeout-reset', 'inferred', 'client'],
      ]);
      expect(findings[0]!.summary).toContain('9 keepalive probes before it went unanswered');
    },
  );
});

test('a SYN sent again although its answer had passed: the answer was lost behind this place', async () => {
  const { findings } = await read('syn-ack-not-received.pcap');
  expect(findings.map((f) => [f.rule, f.confidence, f.side])).toEqual([
    ['syn-ack-lost-on-path', 'possible', 'path'],
  ]);
  expect(findings[0]!.summary).toContain(
    'The handshake of client 198.51.100.7:40100 with server 192.0.2.10:443 was held up',
  );
});
