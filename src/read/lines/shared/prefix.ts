/** What mail, `ts`, journalctl and containers put before every line of a log that they pass on. */

const TIME = String.raw`\d\d:\d\d:\d\d`;
/** `Nov 21 18:00:01`, `2026-11-21T18:00:01.123Z`, `2026-11-21 18:00:01`; a fraction behind a blank is tcpdump's own. */
const STAMP = String.raw`(?:[A-Z][a-z]{2} [ \d]\d ${TIME}(?:\.\d{1,9})?|\d{4}-\d\d-\d\dT${TIME}(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?|\d{4}-\d\d-\d\d ${TIME})`;

/** The most specific first; each takes one blank behind itself, because columns and stacks begin with more. */
const PREFIXES: readonly RegExp[] = [
  // mail: `> `, `>> `, `> > `
  /^(?:> ?){1,8}/,
  // journalctl, also -o short-iso: stamp, host, process
  new RegExp(String.raw`^${STAMP} [\w.-]{1,64} [^\s:[\]]{1,64}\[\d{1,10}\]:(?: |$)`),
  // docker compose: `web-1  | `, with -t a stamp
  new RegExp(String.raw`^[\w.-]{1,64} {1,64}\|(?: |$)(?:${STAMP} )?`),
  // kubectl logs --prefix
  /^\[pod\/[\w./-]{1,300}\](?: |$)/,
  // stern: pod and container
  /^[a-z\d][a-z\d.]{0,64}(?:-[a-z\d.]{1,64}){1,8} [a-z\d][a-z\d-]{0,62} (?=\S)/,
  // container runtimes: stamp, stream, F for a whole line
  new RegExp(`^${STAMP} (?:stdout|stderr) F(?: |$)`),
  // ts, docker logs -t
  new RegExp(String.raw`^(?:${STAMP}|\[${STAMP}\])(?: |$)`),
  // cat -n, nl; grep -n; grep -Hn; grep of several files
  /^ {0,6}\d{1,7}\t/,
  /^\d{1,7}:(?=\S)/,
  /^[\w.@/-]{0,64}[A-Za-z][\w.@/-]{0,64}:\d{1,7}:(?=\S)/,
  /^[\w.@/-]{1,128}\.(?:log|txt|out|netstat|ss|tcpdump):(?=\S)/,
];

interface Prefixed {
  prefix: string;
  rest: string;
}

/** The line in two where it begins as such lines do; null for all others. */
export function splitPrefix(line: string): Prefixed | null {
  for (const pattern of PREFIXES) {
    const match = pattern.exec(line);
    if (match) return { prefix: match[0], rest: line.slice(match[0].length) };
  }
  return null;
}
