/** Lines of TCP and connection tracking in the kernel's log: dmesg, journalctl -k, syslog. */
import type { LogEvent } from '../../model/event.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { Interner } from './shared/interner.ts';
import { SectionSource } from './shared/section.ts';
import { KernelLogClock, kernelLine } from './shared/syslog.ts';

/**
 * tcp_syn_flood_action, __nf_conntrack_alloc, tcp_check_oom (tcp_too_many_orphans, tcp_out_of_memory; one line for both before
 * 3.4), tcp_time_wait, tcp_conn_request, neigh_alloc, tcp_retransmit_timer, warn_alloc, __oom_kill_process, ip_handle_martian_source (with log_martians).
 */
const SAID: readonly { what: LogEvent['what']; pattern: RegExp }[] = [
  {
    what: 'syn-flood-cookies',
    pattern:
      /^(?:TCP: ){0,2}(?:request_sock_(?:TCP(?:v6)?|subflow\w*): )?[Pp]ossible SYN flooding on (?:ctid \d{1,9}, )?port (?:\S*:)?(\d{1,5})\. Sending cookies\./,
  },
  {
    what: 'syn-flood-drops',
    pattern:
      /^(?:TCP: ){0,2}(?:request_sock_(?:TCP(?:v6)?|subflow\w*): )?[Pp]ossible SYN flooding on (?:ctid \d{1,9}, )?port (?:\S*:)?(\d{1,5})\. Dropping request\./,
  },
  {
    what: 'conntrack-full',
    pattern: /^(?:nf_conntrack: ){0,2}(?:ip_conntrack: )?table full, dropping packet/,
  },
  { what: 'orphans', pattern: /^(?:TCP: )?too many (?:of )?orphaned sockets/ },
  { what: 'memory', pattern: /^(?:TCP: )?out of memory -- consider tuning tcp_mem/ },
  { what: 'socket-memory', pattern: /^(?:TCP: )?[Oo]ut of socket memory/ },
  { what: 'page-allocation', pattern: /^.{1,32}: page allocation failure[:.] order:\d/ },
  {
    what: 'process-killed',
    pattern: /^(?:Memory cgroup )?[Oo]ut of memory: Kill(?:ed)? process \d{1,10} \(/,
  },
  { what: 'martian', pattern: /^(?:IPv4: )?martian source [\d.]{7,15} from [\d.]{7,15},? on dev \S/ },
  {
    what: 'time-wait-overflow',
    pattern: /^(?:TCP: )?(?:request_sock_TCP: )?time wait bucket table overflow/,
  },
  { what: 'backlog-reserve', pattern: /^(?:TCP: )?(?:request_sock_TCP: )?drop open request from \S/ },
  {
    what: 'neighbours-full',
    pattern: /^(?:neighbour: )?(?:arp_cache: |ndisc_cache: )?[Nn]eighbou?r table overflow/,
  },
  {
    what: 'window-shrunk',
    pattern:
      /^(?:TCP: )?(?:Peer |Probing zero-window on )\S{3,64}\/\d{1,5}[,: ].{0,40}(?:shrunk window|seq=)/,
  },
];
/** Other lines of a kernel's log, once one of these was there. */
const OF_KERNEL =
  /^(?:<\d{1,3}>|kern {1,3}:[a-z]{3,6} {1,3}: )?(?:\[ *\d{1,9}\.\d{6}\] |\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}\] |\d{4}-\d\d-\d\dT[\d:]{8},\d{6}[+-]\d\d:\d\d |.{1,80} kernel: )/;

export const kernelLog: LineFormat = {
  id: 'kernel-log',
  title: 'kernel log (dmesg, journalctl -k): lines about TCP and connection tracking',
  clock: 'relative',
  proves:
    'That the kernel met this limit at that time: a full SYN queue, connection table, time-wait table, orphans, memory; or dropped a martian.',
  cannotProve:
    'Which connections it met, and how often: these lines are rate-limited, and that of a SYN queue comes once a listener.',
  example:
    '[375852.589465] TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies.  Check SNMP counters.',
  command: runs('dmesg|journalctl', /(?=\s|$)/),
  recognises: (line) => saidBy(kernelLine(line).rest) !== null,
  open: (section) => new KernelLogReader(section),
};

function saidBy(text: string): { what: LogEvent['what']; port: number | null } | null {
  for (const { what, pattern } of SAID) {
    const match = pattern.exec(text);
    if (match) return { what, port: match[1] === undefined ? null : Number(match[1]) };
  }
  return null;
}

class KernelLogReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();
  readonly #clock = new KernelLogClock();

  constructor(section: Section) {
    this.#source = new SectionSource(section, kernelLog.id);
  }

  line(text: string, number: number): boolean {
    const line = kernelLine(text);
    const said = saidBy(line.rest);
    // lines of a firewall's LOG have a reader of their own
    if (!said) return OF_KERNEL.test(text) && !text.includes(' SRC=');
    const time = this.#clock.read(line);
    const source = this.#source.open(this.#clock.clock!);
    this.#source.event(source, {
      kind: 'log',
      source: source.id,
      line: number,
      time,
      ...said,
      text: this.#interner.keep(line.rest.trim()),
    });
    return true;
  }

  end(): void {}
}
