/** Options of pcapng blocks (draft-ietf-opsawg-pcapng, "Options"): code, length, value padded to four bytes. */
import { u16 } from './byte-order.ts';

const END_OF_OPTIONS = 0;

export const padded = (length: number): number => (length + 3) & ~3;

/** Visits each option in bytes[start .. end). False when one reaches beyond `end`: it and what follows are skipped. */
export function eachOption(
  bytes: Uint8Array,
  start: number,
  end: number,
  big: boolean,
  visit: (code: number, at: number, length: number) => void,
): boolean {
  let pos = start;
  while (end - pos >= 4) {
    const code = u16(bytes, pos, big);
    const length = u16(bytes, pos + 2, big);
    if (code === END_OF_OPTIONS) return true;
    pos += 4;
    if (pos + length > end) return false;
    visit(code, pos, length);
    pos += padded(length);
  }
  return true;
}

export type PcapngOption = readonly [code: number, value: Uint8Array];

/**
 * The options in bytes[start .. end), copied, as a little-endian section has them: `numbers` are the codes whose value is
 * one number; in other values order means nothing.
 */
export function optionsOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  big: boolean,
  numbers: ReadonlySet<number>,
): PcapngOption[] {
  const options: PcapngOption[] = [];
  eachOption(bytes, start, end, big, (code, at, length) => {
    const value = bytes.slice(at, at + length);
    options.push([code, big && numbers.has(code) ? value.reverse() : value]);
  });
  return options;
}
