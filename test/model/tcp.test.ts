import { describe, expect, it } from 'vitest';
import { ACK, FIN, flagNames, parseFlagNames, parseState, RST, seqDiff } from '../../src/model/tcp.ts';

describe('tcp words', () => {
  it.each([
    ['ESTAB', 'ESTABLISHED'],
    ['FIN-WAIT-2', 'FIN_WAIT2'],
    ['fin_wait1', 'FIN_WAIT1'],
    ['10', 'LISTEN'],
    ['UNCONN', 'CLOSE'],
  ])('reads the state %s', (text, state) => {
    expect(parseState(text)).toBe(state);
  });

  it('does not invent states', () => {
    expect(parseState('OPEN')).toBeNull();
    expect(parseState('13')).toBeNull();
  });

  it('writes flags as people do, and reads them', () => {
    expect(flagNames(RST | ACK)).toBe('RST|ACK');
    expect(parseFlagNames('FIN|ACK')).toBe(FIN | ACK);
  });

  it('compares sequence numbers across the wrap', () => {
    expect(seqDiff(5, 0xfffffffb)).toBe(10);
    expect(seqDiff(0xfffffffb, 5)).toBe(-10);
  });
});
