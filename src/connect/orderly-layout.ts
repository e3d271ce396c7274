/** Records of orderly lives of sockets: which states they went through, and where what stands. */
import type { TcpState } from '../model/tcp.ts';

export type Path = readonly TcpState[];
const OPENED: readonly Path[] = [
  ['CLOSE', 'SYN_SENT', 'ESTABLISHED'],
  ['LISTEN', 'SYN_RECV', 'ESTABLISHED'],
];
const CLOSED: readonly Path[] = [
  ['FIN_WAIT1', 'FIN_WAIT2', 'CLOSE'],
  ['CLOSE_WAIT', 'LAST_ACK', 'CLOSE'],
];
/** All states of an orderly life, of a client and of a server, of who closes first and of who closes second. */
export const PATHS: readonly Path[] = OPENED.flatMap((opened) =>
  CLOSED.map((closed) => [...opened, ...closed]),
);
export const STEPS = 5;

/**
 * Words of a record: its path and how many steps it has, what names the life, then of each step its line, process and name; doubles:
 * time and duration.
 */
export const PATH = 0;
export const COUNT = 1;
export const SOCKET = 2;
export const LOCAL = 3;
export const REMOTE = 4;
export const PORTS = 5;
export const STEP = 6;
export const STEP_WORDS = 3;
/** An even number of words. */
export const TIME = STEP + STEPS * STEP_WORDS + 1;
export const STRIDE = TIME + 2 * 2 * STEPS;
/** No process, no name: nothing that a tool prints. */
export const NONE = -(2 ** 31);

export function placeOf(index: number): number {
  return (index + 1) * STRIDE;
}
