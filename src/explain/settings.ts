/** Settings of the kernel that had a part in a cause that was found. */
import type { SettingInfo } from '../model/result.ts';
import { SYN_LINEAR } from './facts/timing.ts';
import type { World } from './facts/world.ts';
import type { Explained } from './rule.ts';
import type { RuleId } from './rules/index.ts';

const QUEUE: readonly RuleId[] = [
  'accept-queue-overflow-syn',
  'accept-queue-overflow-ack',
  'abort-on-overflow-reset',
  'cookie-overflow-reset',
  'close-wait-unaccepted',
];
const SYN_QUEUE: readonly RuleId[] = [
  'syn-queue-full-drop',
  'syn-backlog-reserve-drop',
  'syn-cookie-handshake',
  'cookie-overflow-reset',
];

/** The causes in which each has a part, and at which end it has it: `both` where the finding's side does not tell. */
const PARTS: Readonly<
  Record<string, readonly [end: 'client' | 'server' | 'both', causes: readonly RuleId[]]>
> = {
  'net.core.somaxconn': ['server', QUEUE],
  'net.ipv4.tcp_abort_on_overflow': ['server', QUEUE],
  'net.ipv4.tcp_max_syn_backlog': ['server', SYN_QUEUE],
  'net.ipv4.tcp_syncookies': ['server', [...SYN_QUEUE, 'accept-queue-overflow-syn']],
  'net.ipv4.tcp_syn_retries': [
    'client',
    ['unanswered-syn', 'accept-queue-overflow-syn', 'netfilter-drop', 'syn-lost-on-path'],
  ],
  'net.ipv4.tcp_synack_retries': [
    'server',
    ['request-expired-reset', 'accept-queue-overflow-ack', 'handshake-unfinished'],
  ],
  'net.ipv4.tcp_fin_timeout': [
    'both',
    ['fin-wait2-expired', 'fin-wait2-expired-reset', 'long-fin-wait2', 'fin-wait2-stuck'],
  ],
  'net.ipv4.tcp_max_tw_buckets': ['both', ['time-wait-overflow', 'time-wait-pileup']],
  'net.ipv4.tcp_orphan_retries': ['both', ['fin-unacknowledged', 'last-ack-stuck', 'fin-wait1-aborted']],
  'net.ipv4.tcp_retries2': ['both', ['retransmission-timeout', 'peer-silent']],
};

/** What their values mean. */
const MEANINGS: Record<string, (value: number, world: World) => string> = {
  'net.core.somaxconn': (n) => `no accept queue is longer than ${n}, whatever a program gives to listen()`,
  'net.ipv4.tcp_abort_on_overflow': (n) =>
    n === 0
      ? 'a handshake whose last ACK meets a full accept queue is left waiting, and the client thinks it is connected; SYNs are dropped silently'
      : 'a handshake whose last ACK meets a full accept queue is reset; SYNs are dropped silently all the same',
  'net.ipv4.tcp_max_syn_backlog': (n, world) =>
    world.sysctl('net.ipv4.tcp_syncookies') === 0
      ? `with SYN cookies off the last quarter of ${n} half-open connections is kept for known peers`
      : `no limit by itself while SYN cookies are on (the SYN queue is as long as the accept limit); with them off the last quarter of ${n} is kept for known peers`,
  'net.ipv4.tcp_syncookies': (n) =>
    n === 0
      ? 'SYNs are dropped when the SYN queue is full'
      : n === 1
        ? 'when the SYN queue is full SYNs are answered with a cookie; a full accept queue drops them even so'
        : 'every SYN is answered with a cookie',
  'net.ipv4.tcp_syn_retries': (n) =>
    `a client sends its SYN again ${n} times before connect() fails: after ${seconds(n)} s altogether (6.5 and later: ${n + SYN_LINEAR} times and ${seconds(n) + SYN_LINEAR} s, by tcp_syn_linear_timeouts)`,
  'net.ipv4.tcp_synack_retries': (n) =>
    `a server sends its SYN-ACK again ${n} times and forgets the half-open connection ${seconds(n)} s after the SYN`,
  'net.ipv4.tcp_fin_timeout': (n) =>
    `an orphan in FIN_WAIT2 is forgotten after ${n} s; TIME_WAIT is always 60 s`,
  'net.ipv4.tcp_max_tw_buckets': (n) =>
    `more than ${n} timewait sockets in TIME_WAIT and FIN_WAIT2 are not kept`,
  'net.ipv4.tcp_orphan_retries': (n) =>
    n === 0
      ? 'a closed socket sends its FIN again 8 times'
      : `a closed socket sends its FIN again ${n} times`,
  'net.ipv4.tcp_retries2': (n) => `data are sent again ${n} times before the connection is given up silently`,
};

/** 1 + 2 + 4 … s: the initial RTO of 1 s doubled each time. */
function seconds(retries: number): number {
  return 2 ** (retries + 1) - 1;
}

/**
 * Those that decided something on a host of the connections, with the value the files give for it; all that the files give
 * where they are no captures and nothing is wrong.
 */
export function settingsOf(world: World, explained: readonly Explained[]): SettingInfo[] {
  const isAlone =
    world.context.cases.captures.size === 0 && explained.every((e) => e.finding.severity === 'info');
  const examples = new Map<string, Explained>();
  for (const e of explained) if (!examples.has(e.rule.id)) examples.set(e.rule.id, e);
  return Object.entries(MEANINGS).flatMap(([name, meaning]) => {
    const [end, causes] = PARTS[name]!;
    const parts = causes.flatMap((id) => examples.get(id)?.finding ?? []);
    const ends = end === 'both' ? (['server', 'client'] as const) : [end];
    const addresses = parts.flatMap((f) => ends.map((e) => f[e].address));
    const given = isAlone ? [world.setting(name)] : addresses.map((a) => world.setting(name, a));
    const setting = given.find((s) => s !== null);
    if (!setting) return [];
    const { value, changed } = setting;
    if (changed)
      return [{ name, value, meaning: 'changed while the files were taken: nothing is concluded from it' }];
    return /^-?\d+$/.test(value) ? [{ name, value, meaning: meaning(Number(value), world) }] : [];
  });
}
