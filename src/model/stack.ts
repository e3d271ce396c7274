/** Whose TCP it is. A SYN or SYN-ACK shows it: RFC 9293 leaves the order of its options open, and each system has its own. */
export const STACKS = ['unknown', 'linux', 'not linux'] as const;
export type Stack = (typeof STACKS)[number];
export const UNKNOWN_STACK = 0;
export const LINUX = 1;
export const NOT_LINUX = 2;
