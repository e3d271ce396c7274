/** Zeek's history: a letter per kind of packet in the order of first sight, upper case for the originator. */
import {
  BITS,
  HISTORY,
  HISTORY_FULL,
  HISTORY_LENGTH_MASK,
  HISTORY_LENGTH_SHIFT,
  HISTORY_WORDS,
  LETTERS_SHIFT,
  SIDE_BITS,
} from '../layout.ts';
import { type Store, sideOf } from '../store.ts';

const BITS_PER_LETTER = 5;
const LETTERS_PER_WORD = 6;
const MAX_LETTERS = HISTORY_WORDS * LETTERS_PER_WORD;

/** The first twelve for the originator, then the same for the responder, then the flip. */
const ALPHABET = 'SHFRIDAQCTWGshfridaqctwg^';
const PER_SIDE = 12;

/** Letters by their place in the alphabet. The first of S and H counts as the same kind: a SYN of that side. */
export const LETTER_SYN = 0;
export const LETTER_SYN_ACK = 1;
export const LETTER_FIN = 2;
export const LETTER_RST = 3;
export const LETTER_FIN_RST = 4;
export const LETTER_DATA = 5;
export const LETTER_ACK = 6;
export const LETTER_MULTI = 7;
export const LETTER_CHECKSUM = 8;
export const LETTER_RETRANSMIT = 9;
export const LETTER_ZERO_WINDOW = 10;
export const LETTER_GAP = 11;
const LETTER_FLIP = 2 * PER_SIDE;

/** Ends a history that had more letters than are kept. */
const MORE = '+';

/** Adds a letter of a side. */
export function addLetter(store: Store, at: number, byOriginator: boolean, letter: number): void {
  append(store, at, byOriginator ? letter : letter + PER_SIDE);
}

/** Adds a letter when it is the side's first of that kind; whether there was one before. */
export function addOnce(
  store: Store,
  at: number,
  side: number,
  byOriginator: boolean,
  letter: number,
): boolean {
  const words = store.connections.words;
  const bits = sideOf(at, side) + SIDE_BITS;
  const kind = 1 << (LETTERS_SHIFT + (letter === LETTER_SYN_ACK ? LETTER_SYN : letter));
  if (words[bits]! & kind) return true;
  words[bits]! |= kind;
  addLetter(store, at, byOriginator, letter);
  return false;
}

/** Whether the side has a letter of this kind already. */
export function hasLetter(sideBits: number, letter: number): boolean {
  return (sideBits & (1 << (LETTERS_SHIFT + letter))) !== 0;
}

/** The direction of the connection was turned round. */
export function addFlip(store: Store, at: number): void {
  append(store, at, LETTER_FLIP);
}

function append(store: Store, at: number, code: number): void {
  const words = store.connections.words;
  const length = (words[at + BITS]! >> HISTORY_LENGTH_SHIFT) & HISTORY_LENGTH_MASK;
  if (length === MAX_LETTERS) {
    words[at + BITS]! |= HISTORY_FULL;
    return;
  }
  const word = (length / LETTERS_PER_WORD) | 0;
  words[at + HISTORY + word]! |= code << (BITS_PER_LETTER * (length - word * LETTERS_PER_WORD));
  words[at + BITS]! += 1 << HISTORY_LENGTH_SHIFT;
}

/**
 * The history as text; a `+` at its end stands for letters beyond the 24 that are kept. `turned`: the side that is
 * lower case here is named as the originator.
 */
export function historyText(store: Store, at: number, turned = false): string {
  const words = store.connections.words;
  const length = (words[at + BITS]! >> HISTORY_LENGTH_SHIFT) & HISTORY_LENGTH_MASK;
  let text = '';
  for (let i = 0; i < length; i++) {
    const word = words[at + HISTORY + ((i / LETTERS_PER_WORD) | 0)]!;
    text += ALPHABET[(word >> (BITS_PER_LETTER * (i % LETTERS_PER_WORD))) & 31];
  }
  if (turned) text = [...text].map(otherCase).join('');
  return words[at + BITS]! & HISTORY_FULL ? text + MORE : text;
}

/** A flip is none for who names the sides the other way round. */
function otherCase(letter: string): string {
  if (letter === ALPHABET[LETTER_FLIP]) return '';
  return letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase();
}
