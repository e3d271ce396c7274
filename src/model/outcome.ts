/** What became of a connection, where the packets of one capture leave no question. */

/** Both FINs acknowledged, one after the other, no RST: closed in good order. */
export const ORDERLY = 1;
/** One SYN, answered; then nothing of the client. */
export const HALF_OPEN = 2;
/** One SYN, without an answer. */
export const UNANSWERED = 3;
/** One SYN, answered with a RST. */
export const REFUSED = 4;
/** Nothing went wrong as long as it was seen; its end is not in the capture. */
export const OPEN = 5;
/** Anything else is 0. */
export type Outcome =
  | 0
  | typeof ORDERLY
  | typeof HALF_OPEN
  | typeof UNANSWERED
  | typeof REFUSED
  | typeof OPEN;

/** What a connection says in numbers. One object is filled with one after the other; sides are [client, server]. */
export interface Brief {
  /** Of the addresses, see addressKey. */
  keys: [number, number];
  /** Whose TCP the handshake shows, see STACKS. */
  stacks: [number, number];
  /** By the clock of its capture; NaN without packets. */
  start: number;
  /** A SYN-ACK was seen. */
  answered: boolean;
  /** The side sent data, also when only the other's acknowledgments show them. */
  payload: [boolean, boolean];
  /** Whose FIN came first: 0 the client's, 1 the server's; of an orderly one. */
  firstFin: 0 | 1;
  /** From the ACK of the first FIN to the other side's, ns; NaN for none. */
  finWait2: number;
  /** As its sockets tell, see finWait2Kernel; NaN for none. */
  finWait2Kernel: number;
}
