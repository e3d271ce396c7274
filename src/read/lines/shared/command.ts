/** Which tool a command line runs: the tool itself must be the command, not an argument of another (`man ss`). */

/** What may stand before the command without changing its output. */
const WRAPPERS = [
  'sudo(?:\\s+-\\w+){0,4}',
  'time',
  'exec',
  'unbuffer',
  'stdbuf\\s+\\S{1,8}',
  'nice(?:\\s+-\\S{1,8}){0,2}',
  'watch(?:\\s+-\\S{1,8}(?:\\s+[\\d.]{1,6})?){0,4}',
  'timeout(?:\\s+-\\S{1,16}(?:\\s+(?:INT|TERM|KILL))?){0,4}\\s+[\\d.]{1,8}[smhd]?',
  'ip\\s+netns\\s+exec\\s+\\S{1,64}',
  'nsenter(?:\\s+\\S{1,64}){1,8}?',
  'env(?:\\s+\\w{1,32}=\\S{0,64}){0,4}',
  'LC_ALL=\\S{1,16}',
  'LANG=\\S{1,16}',
  'python[23]?',
].join('|');

/**
 * Matches a command line that runs one of the tools, also by path, behind a wrapper, in a list or a loop, or in a
 * container (`kubectl exec pod -- ss -tan`), and shows what they print, not how many lines. `tools` is an alternation,
 * `rest` what must follow the name.
 */
export function runs(tools: string, rest = /(?=[\s|;]|$)/): RegExp {
  return new RegExp(
    `^(?![^\\n]*\\|\\s*(?:uniq\\s+-\\w*c|wc\\b))(?:[^|]{1,200}?(?:;|&&|--|\\bdo)\\s+)?(?:(?:${WRAPPERS})\\s+){0,4}(?:[\\w.~/-]{0,200}/)?(?:${tools})${rest.source}`,
  );
}
