/**
 * samples/field/between: what stands between the hosts, as client, router and server each saw it, and what looks alike.
 * $BETWEEN: a folder with captures of the same runs by another kernel (test/live/scenarios/vm.sh OUT --between).
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';

const FOLDER = process.env.BETWEEN ?? path.resolve(import.meta.dirname, '../../samples/field/between');

const findings = async (...names: string[]) =>
  (await analyze(names.map((name) => path.join(FOLDER, name)))).findings;
const told = async (...names: string[]) =>
  (await findings(...names)).map((f) => `${f.rule} ${f.confidence} ${f.group} ${f.side}`);

test.each([
  ['icmp_admin-client.pcap', 'proved syn path'],
  ['icmp_admin-router.pcap', 'proved syn path'],
  // a text does not quote the numbers
  ['icmp_admin.txt', 'inferred syn path'],
  ['icmp6_admin-client.pcap', 'proved syn path'],
  ['icmp6_admin-router.pcap', 'proved syn path'],
  ['icmp6_admin.txt', 'inferred syn path'],
  ['icmp_port-client.pcap', 'proved syn server'],
  ['icmp_port-router.pcap', 'proved syn server'],
  ['icmp_port-server.pcap', 'proved syn server'],
  ['icmp_port.txt', 'inferred syn server'],
])('%s: who refused the SYN', async (name, expected) => {
  expect(await told(name)).toEqual([`icmp-rejected ${expected}`]);
});

test.each(['client', 'router'])('data that were refused until the client gave up: %s', async (place) => {
  const [first] = await findings(`icmp_data-${place}.pcap`);
  expect(first).toMatchObject({
    rule: 'icmp-rejected',
    confidence: 'proved',
    group: 'close',
    role: 'verdict',
  });
  expect(first!.summary).toMatch(/device 10\.78\.1\.1 refused [2-9] segments/);
});

test('the server does not see what the router refuses', async () => {
  expect((await told('icmp_data-server.pcap')).join()).not.toContain('icmp-rejected');
});

test.each(['client', 'router', 'server'])('refused for a while, then acknowledged: %s', async (place) => {
  expect(await told(`icmp_passing-${place}.pcap`)).toEqual([]);
});

test.each([
  ['idle_reset-client.pcap', 'inferred'],
  ['idle_reset-router.pcap', 'inferred'],
  // what reached the server was the client's RST to its FIN
  ['idle_reset-server.pcap', 'possible'],
  ['idle_silent-client.pcap', 'possible'],
  ['idle_silent-router.pcap', 'possible'],
  ['idle_silent-server.pcap', 'possible'],
])('%s: idle for 305 s, and the router had forgotten it', async (name, confidence) => {
  const [first, ...others] = await findings(name);
  expect(others).toEqual([]);
  expect(first).toMatchObject({ rule: 'idle-mapping-expired', confidence, side: 'path' });
  expect(first!.summary).toMatch(/idle for 5 min [589](\.\d+)? s/);
});

test('the RST of the server after as long an idle time is its own, as its capture shows; elsewhere it cannot be told', async () => {
  const [own] = await findings('idle_server_gone-server.pcap');
  expect(own).toMatchObject({ rule: 'no-socket-reset', confidence: 'possible' });
  expect(own!.alternatives).toContain('idle-mapping-expired');
  for (const place of ['client', 'router']) {
    const [first] = await findings(`idle_server_gone-${place}.pcap`);
    expect([first!.rule, ...first!.alternatives]).toEqual(
      expect.arrayContaining(['idle-mapping-expired', 'no-socket-reset']),
    );
    expect(first!.confidence).toBe('possible');
  }
});

test.each(['client', 'router', 'server'])('idle as long, and answered: %s', async (place) => {
  expect(await told(`idle_answered-${place}.pcap`)).toEqual([]);
});

test.each(['client', 'server'])(
  'a request that crosses the FIN of an idle server: both times, %s',
  async (place) => {
    const [first, ...others] = await findings(`keep_alive_race-${place}.pcap`);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ rule: 'keep-alive-race', confidence: 'inferred', side: 'server' });
    expect(first!.summary).toMatch(
      /closed the idle connection after (4\.[89]\d*|5(\.\d+)?) s .*8 bytes, 5(\.\d+)? s after/,
    );
    expect(first!.alternatives).toContain('data-after-close-reset');
  },
);

test.each(['client', 'router', 'server'])(
  'a request after the FIN had come is no race: %s',
  async (place) => {
    expect((await told(`request_after_fin-${place}.pcap`)).join()).not.toContain('keep-alive-race');
  },
);

const rulesOf = async (...names: string[]) => [
  ...new Set((await told(...names)).map((t) => t.split(' ').slice(0, 2).join(' '))),
];

test.each([
  [['reply_around-client.pcap'], 'inferred'],
  [['reply_around-router.pcap'], 'possible'],
  [['reply_around-server.pcap'], 'possible'],
  [['reply_around-client.pcap', 'reply_around-server.pcap'], 'inferred'],
])('%s: the SYN-ACK came around the NAT', async (names, confidence) => {
  expect(await rulesOf(...names)).toEqual([`untranslated-reply ${confidence}`]);
});

test('a SYN-ACK from another address: both are named', async () => {
  const [first] = await findings('reply_around-client.pcap');
  expect(first!.summary).toMatch(/went to 10\.78\.9\.9:\d+, and the SYN-ACK for it came from 10\.78\.2\.2:/);
});

test.each([
  ['entry_lost-client.pcap'],
  ['entry_lost-router.pcap'],
  ['entry_lost-client.pcap', 'entry_lost-server.pcap'],
])('the NAT lost its entry and let a segment pass: %s', async (...names) => {
  expect(await rulesOf(...names.filter(Boolean))).toContain('untranslated-packet-reset inferred');
});

test('at the server it is one of those that fit', async () => {
  const [first] = await findings('entry_lost-server.pcap');
  expect(first).toMatchObject({ rule: 'no-socket-reset', confidence: 'possible' });
  expect(first!.alternatives).toContain('untranslated-packet-reset');
});

test.each(['client', 'router', 'server'])(
  'translated replies, and a port that serves two servers, are none: %s',
  async (place) => {
    for (const name of ['reply_translated', 'port_reused'])
      expect((await told(`${name}-${place}.pcap`)).join()).not.toContain('untranslated');
  },
);

test.each([
  [['ecn_dropped-client.pcap'], 'inferred'],
  [['ecn_dropped-router.pcap'], 'inferred'],
  [['ecn_dropped-client.pcap', 'ecn_dropped-server.pcap'], 'inferred'],
])('%s: SYNs that offer ECN are dropped', async (names, confidence) => {
  expect(await rulesOf(...names)).toEqual([`ecn-syn-black-hole ${confidence}`]);
});

test('the server sees nothing of it; a SYN with ECN that is lost once, where another is answered, is lost', async () => {
  expect(await rulesOf('ecn_dropped-server.pcap')).toEqual([]);
  for (const place of ['client', 'router', 'server'])
    expect((await told(`ecn_lost_once-${place}.pcap`)).join()).not.toContain('ecn');
});

test.each([
  [['mtu_ignored-client.pcap'], 'inferred'],
  [['mtu_ignored-router.pcap'], 'inferred'],
  [['mtu_ignored-client.pcap', 'mtu_ignored-server.pcap'], 'inferred'],
  [['mtu_silent-client.pcap'], 'possible'],
  [['mtu_silent-router.pcap'], 'possible'],
])('%s: large packets vanish, small ones pass', async (names, confidence) => {
  const found = (await findings(...names)).find((f) => f.rule === 'path-mtu-black-hole');
  expect(found).toMatchObject({ confidence, group: 'stuck', side: 'path' });
  expect(found!.summary).toMatch(/a segment of 1,448 bytes .* segments of up to 17 bytes were acknowledged/);
});

test.each(['client', 'router', 'server'])(
  'a smaller MTU that is heeded, and a path that was cut: %s',
  async (place) => {
    for (const name of ['mtu_heeded', 'large_then_gone'])
      expect((await told(`${name}-${place}.pcap`)).join()).not.toContain('mtu');
  },
);

test.each(['client', 'router'])('a traceroute that sends SYNs is not refused: %s', async (place) => {
  expect((await told(`traceroute-${place}.pcap`)).join()).not.toContain('icmp-rejected');
});

test.each([
  ['half_open-server.pcap', 'possible'],
  ['half_open-client.pcap,half_open-server.pcap', 'inferred'],
])('%s: no ACK of the client gets through', async (names, confidence) => {
  const verdict = (await findings(...names.split(','))).find((f) => f.role === 'verdict');
  expect(verdict).toMatchObject({ rule: 'handshake-unfinished', confidence, group: 'syn', side: 'path' });
});

test.each(['client', 'router'])(
  'before the drop the ACK is there, and the path is among what fits: %s',
  async (place) => {
    const [first, ...others] = await findings(`half_open-${place}.pcap`);
    // on a slow machine the capture runs until the FIN has been sent three times
    expect(others.filter((f) => f.rule !== 'fin-unacknowledged')).toEqual([]);
    expect(first!.confidence).toBe('possible');
    expect(first!.alternatives).toContain('handshake-unfinished');
  },
);

test.each(['client', 'router', 'server'])(
  'an ACK that gets through late, and a SYN scan, are no unfinished handshake and no reply of a NAT: %s',
  async (place) => {
    for (const name of ['ack_late', 'half_open_scan'])
      expect((await told(`${name}-${place}.pcap`)).join()).not.toMatch(/handshake-unfinished|untranslated/);
  },
);

test.each(['client', 'router', 'server'])(
  'a RST before the next SYN-ACK was due: the listener had gone, the request had not expired: %s',
  async (place) => {
    const all = await told(`half_open_listener_gone-${place}.pcap`);
    expect(all).toContain('no-socket-reset possible close server');
    expect(all.join()).not.toContain('request-expired-reset');
  },
);

test.each([
  ['reset_forged-client.pcap', 'inferred'],
  ['reset_forged-router.pcap', 'inferred'],
  ['reset_forged-client.pcap,reset_forged-server.pcap', 'proved'],
])('%s: the router made the RST', async (names, confidence) => {
  expect(await told(...names.split(','))).toEqual([`middlebox-reset ${confidence} close path`]);
});

test('at the server it is one of those that fit', async () => {
  const [first] = await findings('reset_forged-server.pcap');
  expect(first!.confidence).toBe('possible');
  expect(first!.alternatives).toContain('middlebox-reset');
});

test.each(['client', 'router', 'server'])('the RST of SO_LINGER 0 is no forged one: %s', async (place) => {
  expect(await told(`reset_own-${place}.pcap`)).toEqual(['linger-zero-reset possible close server']);
});

test.each(['client', 'router'])(
  'an error that quotes a number which the connection never had refuses nothing: %s',
  async (place) => {
    expect(await told(`icmp_forged-${place}.pcap`)).toEqual([]);
  },
);

test.each(['client', 'router', 'server'])('what looks alike and is not it: %s', async (place) => {
  const all = async (name: string) => (await told(`${name}-${place}.pcap`)).join();
  // another host's segment, with numbers that are of no connection
  expect(await all('stray_elsewhere')).not.toContain('untranslated-packet-reset');
  // a second request crosses the FIN that follows the answer at once: no idle timeout
  expect(await all('closed_after_answer')).toBe('data-after-close-reset inferred close server');
  // probes every minute keep every mapping
  expect(await all('idle_kept_alive')).not.toContain('idle-mapping-expired');
});

/** field-notes §3 without icmp-rejected, where the packet itself says who refused. */
const OF_THE_PATH = [
  'untranslated-reply',
  'untranslated-packet-reset',
  'idle-mapping-expired',
  'keep-alive-race',
  'path-mtu-black-hole',
  'ecn-syn-black-hole',
  'handshake-unfinished',
  'middlebox-reset',
];

test('packets of one place prove nothing about what stands between the hosts', async () => {
  const confidences = new Map<string, Set<string>>();
  for (const name of readdirSync(FOLDER).filter((n) => /\.(pcap|txt)$/.test(n))) {
    for (const f of await findings(name)) {
      if (!confidences.has(f.rule)) confidences.set(f.rule, new Set());
      confidences.get(f.rule)!.add(f.confidence);
    }
  }
  for (const rule of OF_THE_PATH) {
    expect.soft(confidences.get(rule), rule).toBeDefined();
    expect.soft([...(confidences.get(rule) ?? [])], rule).not.toContain('proved');
  }
});
