/** Text from outside so that all of it is seen: nothing in it may steer a terminal, or reorder what stands around it. */

/**
 * Characters that are invisible or reorder what stands around them: C0 and C1 controls, bidi marks, zero-width
 * characters, line and paragraph separators, variation and language tags, lone surrogates (Unicode TR 36).
 */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

/** Nearly all text, and told faster than that nothing of the above is in it. */
const PRINTABLE = /^[ -~]*$/;

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * Every unseen character as a visible escape, one that JSON understands too: `\u001b`, `\u202e`, `\n`.
 * The first step of every escape.
 */
export function visible(text: string): string {
  return PRINTABLE.test(text) ? text : text.replace(UNSEEN, (c) => SHORT[c] ?? codeUnits(c));
}

function codeUnits(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) out += `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return out;
}
