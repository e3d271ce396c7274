import { describe, expect, test } from 'vitest';
import { Tracker } from '../../src/connect/tracker.ts';
import type { WireConnection } from '../../src/model/connection.ts';
import { Talk } from './talk.ts';

function only(tracker: Tracker): WireConnection {
  expect(tracker.count).toBe(1);
  return tracker.connection(0);
}

describe('one connection', () => {
  test('the longest silence, as far from the first packet as its numbers hold', () => {
    const DAY = 86_400_000;
    const tracker = new Tracker();
    const talk = new Talk(tracker).open().client('P.', { length: 1, at: 3 * DAY });
    const { silence } = only(tracker);
    expect(silence!.to).toBe(3 * DAY * 1e6);
    talk.client('P.', { length: 1, at: 20 * DAY });
    expect(only(tracker).silence!.to).toBe(20 * DAY * 1e6);
    talk.client('P.', { length: 1, at: 40 * DAY });
    expect(only(tracker).silence!.to).toBe(20 * DAY * 1e6);
  });

  test('from handshake to close', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).client('S', { scale: 7, ttl: 61 }).server('S.', { scale: 8, ttl: 57 });
    talk.client('.').client('P.', { length: 100 }).server('P.', { length: 250, window: 300 }).close();
    const w = only(tracker);
    expect([w.client.port, w.server.port, w.orientation]).toEqual([40000, 8080, 'syn']);
    expect([w.packets, w.bytes, w.syns, w.synAcks, w.fins, w.rsts]).toEqual([
      [5, 4],
      [100, 250],
      [1, 0],
      [0, 1],
      [1, 1],
      [0, 0],
    ]);
    expect([w.isn, w.nextSeq, w.acked]).toEqual([
      [1000, 5000],
      [1102, 5252],
      [5252, 1102],
    ]);
    expect([w.window, w.windowScale, w.ttl]).toEqual([
      [500 << 7, 500 << 8],
      [7, 8],
      [61, 57],
    ]);
    expect([w.start, w.end, w.finTime, w.finAckedTime, w.rstTime]).toEqual([
      0,
      8e6,
      [5e6, 7e6],
      [6e6, 8e6],
      [null, null],
    ]);
    expect([w.connState, w.history, w.completeness]).toEqual(['SF', 'ShADdFaf', 31]);
    expect([w.retransmits, w.keepalives, w.zeroWindows]).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });

  test('windows are not scaled when one side announced no scale', () => {
    const tracker = new Tracker();
    new Talk(tracker).client('S', { scale: 7 }).server('S.').client('.', { window: 400 });
    expect(only(tracker).window[0]).toBe(400);
    expect(only(tracker).windowScale).toEqual([7, null]);
  });

  test('the window of a RST is none', () => {
    const tracker = new Tracker();
    new Talk(tracker).open().client('.', { window: 321 }).client('R', { window: 0 });
    expect(only(tracker).window[0]).toBe(321);
    expect(only(tracker).rstTime).toEqual([4e6, null]);
  });

  test('more than 4 GiB of payload', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open();
    for (let i = 0; i < 700; i++) talk.server('P.', { length: 8_000_000 });
    expect(only(tracker).bytes).toEqual([0, 5.6e9]);
    expect(only(tracker).retransmits).toEqual([0, 0]);
  });

  test('IPv6, IPv4-mapped addresses and encapsulation paths are told in words', () => {
    const tracker = new Tracker({ encapsulations: ['', 'vlan>gre'] });
    const v6 = { address: '2001:db8::1', port: 1 };
    new Talk(tracker, { client: v6, server: { address: '2001:db8::2', port: 2 } }).client('S', {
      encapsulation: 1,
    });
    new Talk(tracker, { client: { address: '::ffff:10.1.1.1', port: 1 } }).client('S');
    const [first, second] = [...tracker.connections()];
    expect([first!.client.address, first!.encapsulation]).toEqual(['2001:db8::1', 'vlan>gre']);
    expect([second!.client.address, second!.encapsulation]).toEqual(['10.1.1.1', '']);
  });

  test('time that goes backwards keeps start and end in order', () => {
    const tracker = new Tracker();
    new Talk(tracker).client('S', { at: 100 }).server('S.', { at: 40 }).client('.', { at: 50 });
    const w = only(tracker);
    expect([w.start, w.end, w.lastTime]).toEqual([100e6, 100e6, [50e6, 40e6]]);
  });

  test('a connection of a socket with itself has one side', () => {
    const tracker = new Tracker();
    const self = { address: '127.0.0.1', port: 5555 };
    new Talk(tracker, { client: self, server: self }).client('S').server('S.', { seq: 1000 });
    expect(only(tracker).packets).toEqual([2, 0]);
  });
});

describe('orientation', () => {
  test('by SYN-ACK when no SYN was seen, and a later SYN has the last word', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker);
    talk.next[0] = 1001;
    talk.server('S.');
    expect([only(tracker).client.port, only(tracker).orientation]).toEqual([40000, 'syn-ack']);
    talk.client('S', { seq: 1000 });
    expect([only(tracker).client.port, only(tracker).orientation]).toEqual([40000, 'syn']);
  });

  test('by first sight midstream, and turned round on demand', () => {
    const tracker = new Tracker();
    new Talk(tracker).server('P.', { length: 10 }).client('.').client('P.', { length: 7 });
    const seen = only(tracker);
    expect([seen.client.port, seen.orientation, seen.bytes]).toEqual([8080, 'guess', [10, 7]]);
    const flipped = tracker.connection(0, true);
    expect([flipped.client.port, flipped.bytes, flipped.lastTime]).toEqual([40000, [7, 10], [2e6, 0]]);
    expect(flipped.keyPackets.map((k) => k.side)).toEqual(seen.keyPackets.map((k) => 1 - k.side));
  });

  test('one-sided capture', () => {
    const tracker = new Tracker();
    new Talk(tracker).client('S').client('.').client('P.', { length: 5 }).client('F.');
    const w = only(tracker);
    expect([w.packets, w.nextSeq, w.isn, w.lastTime[1]]).toEqual([[4, 0], [1007, null], [1000, null], null]);
    expect([w.connState, w.ttl[1], w.window[1], w.acked[1]]).toEqual(['SH', null, null, null]);
  });
});

describe('several vantage points', () => {
  test('copies at a second interface are counted apart', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker);
    const copy = () => talk.again({ vantage: 2 });
    talk.client('S').again({ vantage: 2 }).server('S.', { vantage: 2 }).again({ vantage: 1 });
    talk.client('.');
    copy();
    talk.client('P.', { length: 10 });
    copy();
    talk.client('R.');
    copy();
    const w = only(tracker);
    expect([w.packets, w.duplicateSightings, w.rsts, w.bytes]).toEqual([[4, 1], 5, [1, 0], [10, 0]]);
    expect(w.retransmits).toEqual([0, 0]);
  });

  test('a SYN that is sent again is one retransmission however often it is seen', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).client('S').again({ vantage: 2 });
    talk.client('S', { seq: 1000, at: 1000 }).again({ vantage: 2, at: 1000 });
    const w = only(tracker);
    expect([w.syns, w.retransmits, w.duplicateSightings]).toEqual([[2, 0], [1, 0], 2]);
  });

  test('what is new at another vantage point moves the home there', () => {
    const tracker = new Tracker();
    const talk = new Talk(tracker).open();
    talk.client('P.', { length: 10, vantage: 3 }).again({ vantage: 0 });
    talk.client('P.', { length: 10, vantage: 3 });
    const w = only(tracker);
    expect([w.bytes, w.packets, w.duplicateSightings]).toEqual([[20, 0], [4, 1], 1]);
    expect(w.keyPackets.at(-1)!.vantage).toBe(3);
  });

  test('a RST that only the second vantage point shows is no copy', () => {
    const tracker = new Tracker();
    new Talk(tracker).open().server('R', { vantage: 9 });
    expect(only(tracker).rsts).toEqual([0, 1]);
  });
});

describe('slots', () => {
  test('a forgotten connection is gone and its slot is used again, in the order of first sight', () => {
    const tracker = new Tracker();
    const talks = [1, 2, 3].map((port) => new Talk(tracker, { client: { address: '10.0.0.1', port } }));
    for (const talk of talks) talk.open();
    tracker.forget(0);
    expect(tracker.count).toBe(2);
    expect(() => tracker.connection(0)).toThrow(RangeError);
    talks[0]!.client('P.', { length: 1 });
    expect([...tracker.connections()].map((w) => w.client.port)).toEqual([2, 3, 1]);
    expect(tracker.connection(0).history).toBe('D');
    talks[1]!.close();
    expect(tracker.connection(1).connState).toBe('SF');
  });

  test('thousands of connections come and go without losing one another', () => {
    const tracker = new Tracker();
    const talks: Talk[] = [];
    for (let port = 1; port <= 3000; port++) {
      talks.push(new Talk(tracker, { client: { address: '10.0.0.1', port: 30000 + port } }).client('S'));
    }
    for (let slot = 0; slot < 3000; slot += 3) tracker.forget(slot);
    for (const talk of talks) talk.server('S.');
    expect(tracker.count).toBe(3000);
    const histories = [...tracker.connections()].map((w) => w.history);
    expect(histories.filter((h) => h === 'Sh').length).toBe(2000);
    expect(histories.filter((h) => h === '^h').length).toBe(1000);
  });

  test('no such connection', () => {
    expect(() => new Tracker().connection(0)).toThrow(RangeError);
    expect(() => new Tracker().connection(-1)).toThrow(RangeError);
  });
});
