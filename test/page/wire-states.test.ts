import { describe, expect, it } from 'vitest';
import { impliedStates, parsePacket } from '../../src/page/wire-states.ts';

/** `>` sent, `<` received. */
function statesOf(...lines: string[]) {
  return impliedStates(lines.map((l) => parsePacket(l.slice(2), l[0] === '>')!));
}

const OPEN_CLIENT = [
  '> SYN, seq 100, ack 0, win 1',
  '< SYN|ACK, seq 500, ack 101, win 1',
  '> ACK, seq 101, ack 501, win 1',
];
const OPEN_SERVER = [
  '< SYN, seq 100, ack 0, win 1',
  '> SYN|ACK, seq 500, ack 101, win 1',
  '< ACK, seq 101, ack 501, win 1',
];

describe('states that packets imply', () => {
  it('active close: FIN_WAIT1, FIN_WAIT2, TIME_WAIT', () => {
    const states = statesOf(
      ...OPEN_CLIENT,
      '> FIN|ACK, 5 bytes, seq 101, ack 501, win 1',
      '< ACK, seq 501, ack 106, win 1',
      '< ACK, seq 501, ack 107, win 1',
      '< FIN|ACK, seq 501, ack 107, win 1',
    );
    expect(states).toEqual([
      'SYN_SENT',
      'ESTABLISHED',
      'ESTABLISHED',
      'FIN_WAIT1',
      'FIN_WAIT1',
      'FIN_WAIT2',
      'TIME_WAIT',
    ]);
  });

  it('passive close: CLOSE_WAIT, LAST_ACK, gone', () => {
    const states = statesOf(
      ...OPEN_SERVER,
      '< FIN|ACK, seq 101, ack 501, win 1',
      '> FIN|ACK, seq 501, ack 102, win 1',
      '< ACK, seq 102, ack 502, win 1',
    );
    expect(states).toEqual([null, 'SYN_RECV', 'ESTABLISHED', 'CLOSE_WAIT', 'LAST_ACK', 'CLOSE']);
  });

  it('both at once: CLOSING; an ACK that carries the FIN: TIME_WAIT at once', () => {
    const own = '> FIN|ACK, seq 101, ack 501, win 1';
    expect(statesOf(...OPEN_CLIENT, own, '< FIN|ACK, seq 501, ack 101, win 1').at(-1)).toBe('CLOSING');
    expect(statesOf(...OPEN_CLIENT, own, '< FIN|ACK, seq 501, ack 102, win 1').at(-1)).toBe('TIME_WAIT');
  });

  it('a RST ends it; a SYN alone is no state of the receiver; a capture may begin in the middle', () => {
    expect(statesOf(...OPEN_CLIENT, '< RST, seq 501, ack 0, win 0').at(-1)).toBe('CLOSE');
    expect(statesOf('< SYN, seq 100, ack 0, win 1', '< SYN, seq 100, ack 0, win 1')).toEqual([null, null]);
    expect(statesOf('> PSH|ACK, 10 bytes, seq 7, ack 9, win 1')).toEqual(['ESTABLISHED']);
  });

  it('a SYN-ACK sent again after the ACK: the end did not take it, until it sends something else', () => {
    const held = [
      ...OPEN_SERVER,
      '> SYN|ACK, seq 500, ack 101, win 1',
      '< PSH|ACK, 8 bytes, seq 101, ack 501, win 1',
    ];
    expect(statesOf(...held)).toEqual([null, ...Array(4).fill('SYN_RECV')]);
    expect(statesOf(...held, '> ACK, seq 501, ack 109, win 1').at(-1)).toBe('ESTABLISHED');
    expect(statesOf(...held, '> RST, seq 501, ack 0, win 0').at(-1)).toBe('CLOSE');
  });

  it('sequence numbers wrap', () => {
    const states = statesOf(
      '> FIN|ACK, seq 4294967295, ack 501, win 1',
      '< ACK, seq 501, ack 4294967295, win 1',
      '< ACK, seq 501, ack 0, win 1',
    );
    expect(states).toEqual(['FIN_WAIT1', 'FIN_WAIT1', 'FIN_WAIT2']);
  });
});
