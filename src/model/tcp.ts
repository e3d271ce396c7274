/** TCP as the wire (RFC 9293) and the Linux kernel (include/net/tcp_states.h) number it. */

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
export const ECE = 0x40;
export const CWR = 0x80;
/** Accurate ECN, formerly NS (RFC 9768). */
export const AE = 0x100;

/** Flags that no TCP sends: SYN with FIN or RST, FIN with RST, or neither ACK, SYN nor RST; by the six low bits. */
const SENSELESS = Array.from({ length: 64 }, (_, flags) => {
  const control = flags & (FIN | SYN | RST);
  return (control & (control - 1)) !== 0 || (flags & (ACK | SYN | RST)) === 0;
});

/** A scan, or damage: such a segment is no SYN and no FIN. */
export function isSenseless(flags: number): boolean {
  return SENSELESS[flags & 63]!;
}

/** Kernel state numbers, as tracepoints and drgn print them. */
export const STATE_NAMES = [
  'UNKNOWN',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
  'NEW_SYN_RECV',
] as const;

export type TcpState = (typeof STATE_NAMES)[number];

const SPELLINGS = new Map<string, TcpState>([
  ...STATE_NAMES.map((name): [string, TcpState] => [name, name]),
  ...STATE_NAMES.map((name, number): [string, TcpState] => [String(number), name]),
  ['ESTAB', 'ESTABLISHED'],
  ['FIN_WAIT_1', 'FIN_WAIT1'],
  ['FIN_WAIT_2', 'FIN_WAIT2'],
  ['UNCONN', 'CLOSE'],
  ['CLOSED', 'CLOSE'],
  // of net-tools in German, Spanish, Portuguese, Italian and Czech, which leave the others
  ['VERBUNDEN', 'ESTABLISHED'],
  ['ESTABLECIDO', 'ESTABLISHED'],
  ['ESCUCHAR', 'LISTEN'],
  ['ESTABELECIDA', 'ESTABLISHED'],
  ['OUÇA', 'LISTEN'],
  ['STABILITO', 'ESTABLISHED'],
  ['NAVÁZÁNO', 'ESTABLISHED'],
]);

/** Reads a state as any tool spells it (`ESTAB`, `FIN-WAIT-2`, `FIN_WAIT2`, `5`); null when it is none. */
export function parseState(text: string): TcpState | null {
  return SPELLINGS.get(text) ?? SPELLINGS.get(text.toUpperCase().replaceAll('-', '_')) ?? null;
}

/** Flags by the names that kernels and tools print. */
export const FLAG_BITS: ReadonlyMap<string, number> = new Map([
  ['SYN', SYN],
  ['FIN', FIN],
  ['RST', RST],
  ['PSH', PSH],
  ['ACK', ACK],
  ['URG', URG],
  ['ECE', ECE],
  ['CWR', CWR],
]);

/** Flags in words joined by `|`: `SYN|ACK`, as bcc and bpftrace tools and people write them. */
export function flagNames(flags: number): string {
  const names: string[] = [];
  for (const [name, bit] of FLAG_BITS) if (flags & bit) names.push(name);
  return names.length === 0 ? 'none' : names.join('|');
}

/** `SYN|ACK` (any separator) back to bits; unknown words are ignored. */
export function parseFlagNames(text: string): number {
  let flags = 0;
  for (const word of text.toUpperCase().split(/[^A-Z]+/)) flags |= FLAG_BITS.get(word) ?? 0;
  return flags;
}

/** Signed distance a - b in sequence space (RFC 9293 §3.4, Linux before()/after()); operands are any 32-bit view. */
export function seqDiff(a: number, b: number): number {
  return (a - b) | 0;
}
