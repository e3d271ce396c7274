/** Puts texts in one piece. */

let read = 0;

/**
 * A text that was put together stays a tree of its pieces, of several times its size, until a character of it is read.
 * Of hundreds of thousands of findings the trees would be most of the memory, and most of the garbage collector's work.
 */
export function whole(text: string): void {
  read ^= text.charCodeAt(0);
}

/** So that reading is not taken for idle. */
export function charactersRead(): number {
  return read;
}
