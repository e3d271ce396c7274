/**
 * Lines of LOG rules (iptables, nftables, UFW, firewalld) in the kernel's log, as nf_log_syslog.c writes them. The prefix is
 * whatever the author of the rule wrote: only where it says so is a packet taken as dropped.
 */
import type { PacketHeader } from '../../model/event.ts';
import { FLAG_BITS } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { Interner } from './shared/interner.ts';
import { SectionSource } from './shared/section.ts';
import { KernelLogClock, kernelLine } from './shared/syslog.ts';

const PACKET =
  /^(.{0,128}?)IN=([\w.@:-]{0,32}) OUT=([\w.@:-]{0,32}) (?:.{0,128} )?SRC=([\da-fA-F.:]{2,45}) DST=([\da-fA-F.:]{2,45}) .{0,200}?PROTO=(\w{1,16})(.*)$/;
const TCP =
  /^ SPT=(\d{1,5}) DPT=(\d{1,5}) (?:SEQ=(\d{1,10}) ACK=(\d{1,10}) )?WINDOW=\d{1,5} RES=0x[\da-f]{2} (.*)$/;
/** Words of prefixes that say that what is logged is dropped or rejected. */
const DROPS = /(?<![a-z])(?:block(?:ed)?|drop(?:ped)?|rej(?:ect(?:ed)?)?|den(?:y|ied)|refused?)(?![a-z])/i;
const ALLOWS = /(?<![a-z])(?:allow(?:ed)?|accept(?:ed)?|audit|pass)(?![a-z])/i;

export const netfilterLog: LineFormat = {
  id: 'netfilter-log',
  title: 'LOG lines of iptables, nftables and UFW',
  clock: 'relative',
  proves: 'That this packet came by that rule of the firewall.',
  cannotProve:
    'What became of the packet: LOG drops nothing, and the prefix is what the author of the rule wrote. Rules without LOG, and what a limit left out, are not shown.',
  example:
    '[12345.678901] [UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:aa:bb:cc:52:54:00:dd:ee:ff:08:00 SRC=198.51.100.7 DST=192.0.2.10 LEN=60 TOS=0x00 PREC=0x00 TTL=52 ID=54321 DF PROTO=TCP SPT=44013 DPT=8080 WINDOW=64240 RES=0x00 SYN URGP=0 ',
  recognises: (line) => line.includes(' SRC=') && PACKET.test(kernelLine(line).rest),
  open: (section) => new NetfilterLogReader(section),
};

class NetfilterLogReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();
  readonly #clock = new KernelLogClock();

  constructor(section: Section) {
    this.#source = new SectionSource(section, netfilterLog.id);
  }

  line(text: string, number: number): boolean {
    if (!text.includes(' SRC=')) return false;
    const line = kernelLine(text);
    const match = PACKET.exec(line.rest);
    if (!match) return false;
    const [, prefix, input, output, source, destination, protocol, rest] = match as unknown as string[];
    const time = this.#clock.read(line);
    const { id } = this.#source.open(this.#clock.clock!);
    if (protocol !== 'TCP') {
      this.#source.diagnose('not-tcp', 'info', number, 'packets of other protocols, not read');
      return true;
    }
    const tcp = TCP.exec(rest!);
    if (!tcp) return false;
    const from = { address: this.#interner.address(source!), port: Number(tcp[1]) };
    const to = { address: this.#interner.address(destination!), port: Number(tcp[2]) };
    const flags = flagsOf(tcp[5]!);
    const said = this.#interner.keep(prefix!.trim());
    const where = { source: id, line: number, time, pid: null };
    const open = this.#source.open(this.#clock.clock!);
    if (DROPS.test(said) && !ALLOWS.test(said)) {
      // in a chain of a router it came in and would have gone out
      const place = input !== '' ? 'in' : output !== '' ? 'out' : 'unknown';
      const reason = { code: null, name: 'NETFILTER_DROP' };
      this.#source.event(open, {
        ...where,
        kind: 'drop',
        from,
        to,
        state: null,
        flags,
        reason,
        stack: [],
        place,
        said,
      });
      return true;
    }
    const packet: PacketHeader = {
      from,
      to,
      flags,
      seq: Number(tcp[3] ?? 0) | 0,
      ack: Number(tcp[4] ?? 0) | 0,
      payload: 0,
    };
    this.#source.event(open, {
      ...where,
      kind: 'probe',
      name: 'firewall-log',
      socket: null,
      comm: null,
      local: to,
      remote: from,
      packet,
      values: {},
      pointers: {},
      said: `logged by a firewall${said === '' ? '' : ` ("${said}")`}, which does not say that it was dropped`,
    });
    return true;
  }

  end(): void {}
}

/** `SYN URGP=0`, `ACK PSH URGP=0 OPT (…)` */
function flagsOf(text: string): number {
  let flags = 0;
  for (const word of text.split(' ')) {
    const bit = FLAG_BITS.get(word);
    if (bit === undefined) break;
    flags |= bit;
  }
  return flags;
}
