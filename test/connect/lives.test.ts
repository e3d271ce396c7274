import { describe, expect, it } from 'vitest';
import { socketLives } from '../../src/connect/lives.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import type { StateEvent } from '../../src/model/event.ts';
import type { Source } from '../../src/model/source.ts';
import type { TcpState } from '../../src/model/tcp.ts';
import type { SourceTime } from '../../src/model/time.ts';

const SOURCE: Source = {
  id: 0,
  name: 'log',
  format: 'tcpstates',
  clock: { kind: 'order', base: 0n, resolution: 0 },
  host: null,
  command: null,
  root: null,
  records: 0,
};

let line = 0;
function event(
  socket: string,
  from: TcpState,
  to: TcpState,
  ms: number | null,
  extra: Partial<StateEvent> = {},
): StateEvent {
  return {
    kind: 'state',
    source: 0,
    line: ++line,
    time: null,
    socket,
    pid: 7,
    comm: 'app',
    local: { address: '10.0.0.1', port: 4000 },
    remote: { address: '10.0.0.2', port: 80 },
    from,
    to,
    duration: ms === null ? null : ms * 1e6,
    ...extra,
  };
}

function lives(...events: StateEvent[]) {
  const diagnostics = new Diagnostics();
  return { lives: socketLives(SOURCE, events, diagnostics), diagnostics: diagnostics.list() };
}

const CLIENT_LIFE: [TcpState, TcpState, number][] = [
  ['CLOSE', 'SYN_SENT', 0],
  ['SYN_SENT', 'ESTABLISHED', 0.5],
  ['ESTABLISHED', 'FIN_WAIT1', 2],
  ['FIN_WAIT1', 'FIN_WAIT2', 40],
  ['FIN_WAIT2', 'CLOSE', 0.004],
];

describe('socket lives', () => {
  it('follows one socket and adds up its durations', () => {
    const { lives: found, diagnostics } = lives(...CLIENT_LIFE.map(([f, t, ms]) => event('a', f, t, ms)));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      role: 'client',
      state: 'CLOSE',
      owner: { pid: 7, comm: 'app' },
      missing: [],
    });
    expect(found[0]!.transitions.map((t) => t.sinceBirth)).toEqual([0, 5e5, 25e5, 425e5, 42504e3]);
    expect(diagnostics).toEqual([]);
  });

  it('puts lines out of order right and says so', () => {
    const events = CLIENT_LIFE.map(([f, t, ms]) => event('a', f, t, ms));
    const swapped = [events[0]!, events[1]!, events[3]!, events[2]!, events[4]!].map((e, i) => ({
      ...e,
      line: i + 1,
    }));
    const { lives: found, diagnostics } = lives(...swapped);
    expect(found[0]!.transitions.map((t) => t.from)).toEqual(CLIENT_LIFE.map(([f]) => f));
    expect(found[0]!.transitions.map((t) => t.reordered)).toEqual([false, false, false, true, false]);
    expect(diagnostics).toMatchObject([
      { code: 'state-lines-reordered', locator: 'line 3', severity: 'info' },
    ]);
  });

  it('repairs any order of one life', () => {
    const events = CLIENT_LIFE.map(([f, t, ms]) => event('a', f, t, ms));
    for (let shift = 1; shift < events.length; shift++) {
      const rotated = [...events.slice(shift), ...events.slice(0, shift)];
      const { lives: found } = lives(...rotated);
      expect(found.map((l) => l.transitions.length)).toEqual([5]);
      expect(found[0]!.missing).toEqual([]);
    }
  });

  it('goes by the time of the kernel, however many lines lie between', () => {
    const at = (
      t: number,
      socket: string,
      [from, to]: [TcpState, TcpState, number],
      port: number,
      no: number,
    ) => ({
      ...event(socket, from, to, null, { time: (t * 1e6) as SourceTime, line: no }),
      local: { address: '10.0.0.1', port },
    });
    // a child whose lines come first in the file, and the client that had its address before
    const client = CLIENT_LIFE.map((step, i) => at(i, 'a', step, 4000, 900_000 + i));
    const next = CLIENT_LIFE.map((step, i) => at(10 + i, 'a', step, 4001, 1 + i));
    const { lives: found, diagnostics } = lives(...client, ...next);
    expect(found.map((l) => [l.local.port, l.transitions.length]).sort()).toEqual([
      [4000, 5],
      [4001, 5],
    ]);
    expect(diagnostics).toEqual([]);
  });

  it('waits for nothing that is earlier: what a capture lost is lost', () => {
    const kept = CLIENT_LIFE.filter(([, to]) => to !== 'ESTABLISHED');
    const events = kept.map(([from, to], i) => event('a', from, to, null, { time: (i * 1e6) as SourceTime }));
    expect(lives(...events).lives[0]!.missing).toEqual([{ before: 1, from: 'SYN_SENT', to: 'ESTABLISHED' }]);
  });

  it('keeps tcp_done on a closed socket (ss -K of a listener) at the end of its life', () => {
    const listener = { remote: { address: '0.0.0.0', port: 0 } };
    const steps: [TcpState, TcpState][] = [
      ['CLOSE', 'LISTEN'],
      ['LISTEN', 'CLOSE'],
      ['CLOSE', 'CLOSE'],
    ];
    const events = steps.map(([from, to], i) =>
      event('l', from, to, null, { ...listener, time: (i * 1e6) as SourceTime }),
    );
    const { lives: found } = lives(...events);
    expect(found.map((l) => [l.role, l.transitions.map((t) => t.to)])).toEqual([
      ['listener', ['LISTEN', 'CLOSE', 'CLOSE']],
    ]);
    expect(lives(events[2]!).lives).toEqual([]);
  });

  it('names a line that never came', () => {
    const events = CLIENT_LIFE.filter(([, to]) => to !== 'ESTABLISHED').map(([f, t, ms]) =>
      event('a', f, t, ms),
    );
    const { lives: found, diagnostics } = lives(...events);
    expect(found[0]!.missing).toEqual([{ before: 1, from: 'SYN_SENT', to: 'ESTABLISHED' }]);
    expect(diagnostics[0]).toMatchObject({
      code: 'state-line-missing',
      severity: 'data-loss',
      upstream: true,
    });
    expect(diagnostics[0]!.message).toContain('4000');
  });

  it('tells a reused address from one life', () => {
    const twice = [...CLIENT_LIFE, ...CLIENT_LIFE].map(([f, t, ms]) => event('a', f, t, ms));
    expect(lives(...twice).lives.map((l) => l.transitions.length)).toEqual([5, 5]);
  });

  it('keeps a socket older than the log apart from the next life at its address', () => {
    const old = [event('a', 'ESTABLISHED', 'FIN_WAIT1', 0), event('a', 'FIN_WAIT1', 'CLOSE', 3)];
    const next = CLIENT_LIFE.map(([f, t, ms]) => event('a', f, t, ms));
    expect(lives(...old, ...next).lives.map((l) => l.transitions.length)).toEqual([2, 5]);
  });

  it('takes ports and addresses from the first line that has them (G8, G9)', () => {
    const child = [
      event('b', 'LISTEN', 'SYN_RECV', 0, {
        local: { address: '0.0.0.0', port: 80 },
        remote: { address: '0.0.0.0', port: 0 },
      }),
      event('b', 'SYN_RECV', 'ESTABLISHED', 0.01, {
        local: { address: '10.0.0.2', port: 80 },
        remote: { address: '10.0.0.1', port: 4000 },
      }),
    ];
    expect(lives(...child).lives[0]).toMatchObject({
      role: 'server',
      local: { address: '10.0.0.2', port: 80 },
      remote: { address: '10.0.0.1', port: 4000 },
    });
  });

  it('does not keep the port of the life before (G8 after connect(AF_UNSPEC))', () => {
    const stale = { local: { address: '10.0.0.1', port: 34736 } };
    const own = { local: { address: '10.0.0.1', port: 34752 } };
    const { lives: found } = lives(
      event('a', 'CLOSE', 'SYN_SENT', 0, stale),
      event('a', 'SYN_SENT', 'ESTABLISHED', 1, own),
      event('a', 'ESTABLISHED', 'CLOSE', 1, { local: { address: '0.0.0.0', port: 0 } }),
    );
    expect(found[0]!.local).toEqual(own.local);
  });

  it('keeps close() after the FIN where it belongs (G5), even when its line is late', () => {
    const { lives: found } = lives(
      event('a', 'LISTEN', 'SYN_RECV', 0),
      event('a', 'SYN_RECV', 'ESTABLISHED', 1),
      event('a', 'ESTABLISHED', 'FIN_WAIT1', 1),
      event('a', 'FIN_WAIT1', 'FIN_WAIT2', 1),
      event('a', 'FIN_WAIT2', 'CLOSE', 1),
      event('a', 'FIN_WAIT1', 'FIN_WAIT1', 1),
    );
    expect(found).toHaveLength(1);
    expect(found[0]!.missing).toEqual([]);
    expect(found[0]!.transitions.map((t) => t.to)).toEqual([
      'SYN_RECV',
      'ESTABLISHED',
      'FIN_WAIT1',
      'FIN_WAIT1',
      'FIN_WAIT2',
      'CLOSE',
    ]);
  });
});
