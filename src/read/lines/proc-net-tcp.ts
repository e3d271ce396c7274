/** /proc/net/tcp and tcp6: the table of sockets in the kernel's own hexadecimal notation (get_tcp4_sock, net/ipv4/tcp_ipv4.c). */
import { type Endpoint, formatWords, MAPPED_WORD } from '../../model/address.ts';
import { STATE_NAMES, type TcpState } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { Snapshots } from './shared/snapshots.ts';
import { FILTER_UNKNOWN } from './shared/table-command.ts';
import { TableSource } from './shared/table-source.ts';

const HEADER = /^\s*sl\s+local_address\s+(?:rem|remote)_address\s+st\s+tx_queue\s+rx_queue\s/;
const ROW =
  /^\s*\d{1,9}: ([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4}) ([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4}) (0[1-9A-C]) ([\dA-F]{8}):([\dA-F]{8}) (0[0-4]):([\dA-F]{8}) ([\dA-F]{8})\s+\d+\s+\d+ (\d{1,12})\b/;
/** tr of the row: what tm->when counts down to, in jiffies as USER_HZ (100 a second). */
const TIMERS = [null, 'on', 'keepalive', 'timewait', 'persist'] as const;
const NS_PER_TICK = 10_000_000;

export const procNetTcp: LineFormat = {
  id: 'proc-net-tcp',
  title: '/proc/net/tcp and /proc/net/tcp6',
  clock: 'order',
  proves: 'Which connections existed at that moment, in which state, with their queues and timers.',
  cannotProve: 'Who owned them, the limit of an accept queue, and what happened between two readings.',
  example:
    '   1: 0A0200C0:1F90 076433C6:ABED 08 00000000:00000001 00:00000000 00000000     0        0 20001 1 0000000000000000 20 4 30 10 -1',
  command: /\/proc\/(?:\d+\/|self\/)?net\/tcp6?(?=\s|$|\|)/,
  recognises: (line) => HEADER.test(line) || ROW.test(line),
  open: (section) => new ProcNetTcpReader(section),
};

class ProcNetTcpReader implements LineReader {
  readonly #snapshots: Snapshots;

  constructor(section: Section) {
    this.#snapshots = new Snapshots(new TableSource(section, procNetTcp.id));
  }

  /** tcp and tcp6 are two halves of one table: neither's emptiness says anything of the other. */
  rerun(_command: string | null, number: number): void {
    this.#snapshots.begin(number, FILTER_UNKNOWN, false);
  }

  unread(): void {
    this.#snapshots.spoil();
  }

  line(text: string, number: number): boolean {
    if (HEADER.test(text)) {
      this.#snapshots.begin(number, text.includes('remote_address') ? 'IPv6 only' : 'IPv4 only', true);
      return true;
    }
    const match = ROW.exec(text);
    if (!match) return false;
    if (this.#snapshots.number === 0) this.#snapshots.begin(number, FILTER_UNKNOWN, false);
    this.#snapshots.row();
    this.#emit(match, number);
    return true;
  }

  #emit(match: RegExpExecArray, line: number): void {
    const [, local, localPort, remote, remotePort, st, sent, received, tr, when, retransmits, inode] =
      match as unknown as string[];
    const state = STATE_NAMES[Number.parseInt(st!, 16)] as TcpState;
    const timer = TIMERS[Number(tr)];
    this.#snapshots.tell(line, {
      state: state === 'NEW_SYN_RECV' ? 'SYN_RECV' : state,
      local: endpoint(local!, localPort!),
      remote: endpoint(remote!, remotePort!),
      recvQ: Number.parseInt(received!, 16),
      sendQ: Number.parseInt(sent!, 16),
      // no inode: no file of any process refers to it (sock_i_ino), as of minisocks, requests and orphans
      owner: inode === '0' ? 'none' : 'hidden',
      pid: null,
      comm: null,
      timer: timer
        ? {
            name: timer,
            left: Number.parseInt(when!, 16) * NS_PER_TICK,
            retransmits: Number.parseInt(retransmits!, 16),
          }
        : null,
    });
  }

  end(): void {
    this.#snapshots.finish();
  }
}

/** Words as this host's CPU stores them: of a little-endian one, the bytes of each are reversed. */
function endpoint(address: string, port: string): Endpoint {
  const words = address
    .match(/.{8}/g)!
    .map((word) => Number.parseInt(word.match(/../g)!.reverse().join(''), 16) | 0);
  const [a, b, c, d] =
    words.length === 1 ? [0, 0, MAPPED_WORD, words[0]!] : (words as [number, number, number, number]);
  return { address: formatWords(a, b, c, d), port: Number.parseInt(port, 16) };
}
