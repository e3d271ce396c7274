/** Lines that the tools print around their output: they say nothing about a connection. */
import type { DiagnosticSeverity } from '../../../model/diagnostic.ts';

const NOISE: readonly RegExp[] = [
  /^(?:tcpdump: )?(?:dropped privs to |verbose output suppressed|listening on |data link type |WARNING: |Warning: )/,
  /^reading from (?:file|PCAP)/,
  /^\d+ packets? (?:captured|received by filter|shown\.?$)/,
  /^Active (?:Internet connections|UNIX domain sockets)/,
  // the same of net-tools in other languages
  /^(?:Aktive (?:Internetverbindungen|UNIX-Domain[- ]Sockets)|Connexions Internet actives|Sockets du domaine UNIX actives|Conexiones activas de Internet|Conexões Internet Ativas|Connessioni Internet attive|Actieve Internetverbindingen|Активные соединения с интернетом)/i,
  // Jira
  /^\{(?:noformat|code(?::[^}]{0,60})?|quote|panel(?::[^}]{0,60})?)\}$/,
  /^Tracing .*(?:Ctrl-C|\.\.\.)/,
  /^Attach(?:ing|ed) (?:to )?\d+ probes?/,
  /^\(Not all processes could be identified|^ will not be shown, you would have to be root/,
  /^(?:WARNING|ERROR): tcp_drop\(\) kernel function/,
  /^Failed to find cgroup2 mount/,
  /^sysctl: (?:reading key|permission denied|cannot stat)/,
  /^(?:\^[CZD\\])+$/,
  /^(?:exit|logout)$/,
  /^(?:begin|end) trac(?:e|ing)\.{3,}$/,
  // pwru, of its probes
  /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (?:Attach|Listening|Detach|Per cpu|Received|Use )|^\d+ \/ \d+ \[-+|^time=\S+ level=/,
  /^-+$|^=+$|^\.{3,}$|^…$|^(=+|-+|#+) [\w.@:-]{1,64} \1$/,
];

/** Lost records, as the tools say it on their standard error. The first group is how many. */
const LOSSES: readonly { pattern: RegExp; code: string; what: string }[] = [
  {
    pattern: /^[Ll]ost (\d+) events(?: on CPU #\d+!?)?$/,
    code: 'tool-lost-events',
    what: 'events lost by the tool',
  },
  { pattern: /^Possibly lost (\d+) samples$/, code: 'tool-lost-events', what: 'events lost by the tool' },
  {
    pattern: /^(\d+) packets? dropped by (?:kernel|interface)/,
    code: 'tool-lost-packets',
    what: 'packets lost by tcpdump',
  },
];

interface Loss {
  code: string;
  severity: DiagnosticSeverity;
  count: number;
  message: string;
  /** The tool lost them; the file is whole. */
  upstream: true;
}

export function isNoise(line: string): boolean {
  return NOISE.some((pattern) => pattern.test(line));
}

/** What the tool itself says it lost; null for other lines; a count of 0 for "0 packets dropped by kernel". */
export function parseLoss(line: string): Loss | null {
  for (const { pattern, code, what } of LOSSES) {
    const match = pattern.exec(line);
    if (match) return { code, severity: 'data-loss', upstream: true, count: Number(match[1]), message: what };
  }
  return null;
}
