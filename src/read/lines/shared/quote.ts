const LONGEST = 80;

/**
 * A line of input made fit to be shown: control characters, line separators and characters that change the
 * direction of text become U+FFFD, and it is cut to 80 characters.
 */
export function quote(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  return cut.trim().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\u{FFFD}');
}
