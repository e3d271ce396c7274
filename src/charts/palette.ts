/**
 * Colours. All are from Okabe and Ito's palette for colour-blind readers or lie between its members, in the middle
 * of the lightness scale, so that they stand out from white and from black paper alike.
 */
import type { Confidence } from '../model/finding.ts';
import type { TcpState } from '../model/tcp.ts';

/** In the order in which a connection goes through them. CLOSE is no bar: the socket is gone. */
export const STATE_COLORS: readonly (readonly [TcpState, string])[] = [
  ['LISTEN', '#7f7f7f'],
  ['SYN_SENT', '#56b4e9'],
  ['SYN_RECV', '#0072b2'],
  ['NEW_SYN_RECV', '#0072b2'],
  ['ESTABLISHED', '#009e73'],
  ['FIN_WAIT1', '#e69f00'],
  ['FIN_WAIT2', '#f0d03c'],
  ['CLOSE_WAIT', '#d55e00'],
  ['CLOSING', '#8c6d31'],
  ['LAST_ACK', '#cc79a7'],
  ['TIME_WAIT', '#a6a6a6'],
];

/** Dark, middle, light: in order also without colour. */
export const CONFIDENCE_COLORS: Record<Confidence, string> = {
  proved: '#0072b2',
  inferred: '#56b4e9',
  possible: '#b8b8b8',
};

/** Of causes, the one with most connections first; the last is for all others. */
export const CAUSE_COLORS = [
  '#d55e00',
  '#0072b2',
  '#e69f00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#8c6d31',
  '#a6a6a6',
] as const;

export const ACCENT = '#d55e00';
export const SECOND = '#0072b2';
