/** samples/field/alike: what looks like a cause between the hosts, or like a story, and is another. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { readCapture, writeCapture } from './captures.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../samples/field/alike');
const analyzed = (name: string) => analyze([path.join(FOLDER, `${name}.pcap`)]);
const rulesOf = async (name: string) =>
  (await analyzed(name)).findings.map((f) => `${f.rule} ${f.confidence}`);

test('a firewall that rejects one address always is no listener that was restarted', async () => {
  const { story, findings } = await analyzed('one-client-rejected');
  expect(findings.map((f) => f.rule)).toContain('connection-refused');
  expect(story.join(' ')).not.toMatch(/restarted/);
});

test('a connection that the server reset after the FIN of the client leaves no TIME_WAIT there', async () => {
  expect((await analyzed('reuse-rst')).story.join(' ')).not.toMatch(/TIME_WAIT/);
});

test("a router's capture of what comes in has the answers untranslated, and the client goes on", async () => {
  expect(await rulesOf('router-q-in')).toEqual([]);
});

test('one outage takes all SYNs of its time, those with ECN', async () => {
  expect(await rulesOf('ecn-outage')).toContain('ecn-syn-black-hole possible');
});

test('what a server sends of its own across the FIN of a client is no request', async () => {
  expect(await rulesOf('push-crosses')).toEqual(['data-after-close-reset inferred']);
});

test('segments that fit the MTU of the ICMP error and are lost too are not lost for their size', async () => {
  expect(await rulesOf('pmtu-reduced')).toEqual(['retransmission-timeout possible']);
});

test.each([
  ['icmp-only', 'inferred', /connect\(\) fails/],
  ['synack-icmp', 'proved', /the client is not told/],
  ['syn-icmp-again', 'proved', /the client went on all the same/],
])('%s: what an ICMP error proves, and does', async (name, confidence, effect) => {
  const [first] = (await analyzed(name)).findings;
  expect(first).toMatchObject({ rule: 'icmp-rejected', confidence });
  expect(first!.summary).toMatch(effect);
});

test('a client that is not Linux, resets after the whole answer and misses nothing; one that misses some is told', async () => {
  const { findings, servers } = await analyzed('windows-client-resets');
  const own = findings.filter((f) => f.group === 'close' && f.role === 'verdict');
  expect(own.map((f) => [f.rule, f.confidence, f.severity])).toEqual([
    ['unread-data-reset', 'possible', 'info'],
    ['unread-data-reset', 'possible', 'warning'],
  ]);
  expect(own[0]!.summary).toContain('It had acknowledged all that the server had answered');
  expect(servers).toMatchObject([{ connections: 2, well: 1 }]);
});

test('probes of a window that a SYN proxy never opened are no keepalive: the server behind it is to be looked at', async () => {
  const [found] = (await analyzed('proxy-never-opens')).findings;
  expect(found).toMatchObject({ rule: 'linger-zero-reset', confidence: 'possible', severity: 'warning' });
  expect(found!.alternatives).not.toContain('keepalive-timeout-reset');
  expect(found!.summary).toContain('whose receive window had been closed for 5 s');
  expect(found!.remedy).toMatch(/^What answered the SYN is a proxy/);
});

test('a device that resets what nobody uses: the RST answers nothing, so no socket is missing', async () => {
  const { findings } = await analyzed('idle-reset-by-device');
  expect(findings.map((f) => [f.rule, f.confidence, f.side])).toEqual(
    Array(4).fill(['idle-mapping-expired', 'possible', 'path']),
  );
  expect(findings[0]!.summary).toMatch(
    /nobody had used it for 4 min 0 s \(Azure Load Balancer: 240 s by default\), and then a RST came/,
  );
  expect(findings[0]!.remedy).toMatch(/^Send something more often than every 4 min/);
});

test('nor is one missing where a RST comes sooner and answers nothing', async () => {
  const { findings } = await analyzed('unprompted-reset');
  expect(findings).toMatchObject([{ rule: 'middlebox-reset', confidence: 'possible', side: 'path' }]);
  expect(findings[0]!.summary).toContain('20 s after the last packet of client');
  expect(findings[0]!.evidence.map((e) => e.fact).join()).not.toContain('an answer to a packet');
});

test('last words of a server that nobody waits for are no problem; what comes 3 s after the close may be an answer', async () => {
  const { findings } = await analyzed('last-words');
  const closing = findings.filter((f) => f.group === 'close' && f.role === 'verdict');
  const told = closing.map((f) => `${f.client.port} ${f.rule} ${f.severity}`).sort();
  expect(told).toEqual([
    '43001 data-after-close-reset info',
    '43002 data-after-close-reset warning',
    '43003 unread-data-reset info',
  ]);
});

test('of two RSTs of one number the first answers the data, the second the FIN behind them', async () => {
  const [found] = (await analyzed('two-resets')).findings;
  expect(found!.rule).toBe('time-wait-data-reset');
  expect(found!.summary).toContain('1000 bytes reached client');
});

test('an answer that acknowledges only the first part of a request leaves the rest unread', async () => {
  const [found] = (await analyzed('answered-too-soon')).findings;
  expect(found).toMatchObject({ rule: 'unread-data-reset', confidence: 'possible', severity: 'warning' });
});

test('a check of a server that speaks first, and a client that resets when it has all, miss nothing; who waited 5 s for a word does', async () => {
  const { findings } = await analyzed('check-of-one-that-speaks-first');
  const closing = findings.filter((f) => f.group === 'close' && f.role === 'verdict');
  expect(closing.map((f) => [f.client.port, f.severity])).toEqual([
    [54000, 'info'],
    [54001, 'warning'],
    [54002, 'info'],
  ]);
});

test('a SYN-ACK that came too late is told as that, and not as a scan', async () => {
  const [found] = (await analyzed('late-syn-ack')).findings;
  expect(found).toMatchObject({ rule: 'no-socket-reset', confidence: 'possible', side: 'client' });
  expect(found!.summary).toContain('the SYN-ACK came 1.5 s after the SYN');
  expect(found!.remedy).toMatch(/^Find out why the server, or the path, took so long/);
});

test('no FIN for minutes after that of the peer: possibly CLOSE_WAIT, as packets alone show it', async () => {
  const { findings } = await analyzed('never-closed');
  expect(findings).toMatchObject([
    { rule: 'close-wait-leak', confidence: 'possible', severity: 'warning', side: 'client' },
  ]);
  expect(findings[0]!.summary).toContain('none of its own in the 3 min 19 s until the file ends');
  const { header, records } = readCapture(path.join(FOLDER, 'never-closed.pcap'));
  const soon = await analyze([writeCapture('soon.pcap', { header, records: records.slice(0, 8) })]);
  expect(soon.findings).toEqual([]);
});

test('a client that waited 30 s for the answer to its second request, and reset', async () => {
  const [found] = (await analyzed('second-request-left')).findings;
  expect(found).toMatchObject({ rule: 'linger-zero-reset', severity: 'warning', side: 'client' });
  expect(found!.summary).toMatch(/nothing had come in answer to the last that it had sent, 30 s before\.$/);
  expect(found!.remedy).toMatch(/^Find out why the server had not answered by then/);
});

describe('who spoke last goes by numbers: keepalives came after, and few packets are kept', () => {
  const ended = async (name: string) =>
    (await analyzed(name)).findings.find((f) => f.group === 'close' && f.role === 'verdict')!;

  test.each(['answered-then-keepalives', 'answer-not-in-file'])(
    '%s: the last request was answered',
    async (name) => {
      const { severity, summary } = await ended(name);
      expect(severity).toBe('info');
      expect(summary).not.toMatch(/in answer/);
    },
  );

  test('it was left, and what is said of the time is sure', async () => {
    const { rule, severity, summary } = await ended('left-then-keepalives');
    expect([rule, severity]).toEqual(['linger-zero-reset', 'warning']);
    expect(summary).toMatch(
      /nothing had come in answer to the last that it had sent, at least 8 s before\.$/,
    );
    expect((await ended('left-then-keepalives-windows')).severity).toBe('warning');
  });
});

test('what is to be done of a group is said once', async () => {
  const { causes } = await analyzed('behind-loss-group');
  expect(causes).toMatchObject([{ rule: 'data-after-close-reset' }]);
  expect(causes[0]!.remedy).not.toContain('For others');
});

test('of connections that packets alone show unclosed no state is claimed', async () => {
  const { causes } = await analyzed('never-closed-group');
  const { summary } = causes.find((c) => c.rule === 'close-wait-leak')!;
  expect(summary).toMatch(/were not closed by one side .* possibly because a process does not close/);
  expect(summary).not.toContain('ended up in');
});
