/** `tcpretrans` of bcc, bpftrace and perf-tools: every retransmission (R), and with -l every tail loss probe (L). */
import { parseState, STATE_NAMES } from '../../model/tcp.ts';
import { NS_PER_S } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { parseEndpoint } from './shared/endpoints.ts';
import { Interner } from './shared/interner.ts';
import { clockOf, SectionSource } from './shared/section.ts';
import { WallClock } from './shared/times.ts';

const HEADER =
  /^TIME\s+PID\s+(?:IP\s+)?LADDR:LPORT\s+(?:(?:T>|--)\s+)?RADDR:RPORT\s+STATE(?:\s+SEQUENCE)?\s*$/;
const ROW =
  /^(\d\d:\d\d:\d\d)\s+(\d{1,10})\s+(?:[46]\s+)?(\S{3,60}:\d{1,5})\s+([RL])[>|]\s+(\S{3,60}:\d{1,5})\s+([A-Z][A-Z_0-9-]{3,12})(?:\s+\d{1,10})?\s*$/;

export const tcpretrans: LineFormat = {
  id: 'tcpretrans',
  title: 'tcpretrans (bcc, bpftrace, perf-tools)',
  clock: 'wall',
  proves: 'That the kernel sent a segment of this connection again, in which second and state.',
  cannotProve: 'Which segment, and whether it or its acknowledgement was lost.',
  example: '01:55:05 0      4  192.0.2.10:22        R> 198.51.100.7:34619   ESTABLISHED',
  command: runs('(?:bpftrace\\s+)?(?:\\S{0,200}/)?tcpretrans(?:-bpfcc|\\.py|\\.bt)?'),
  recognises: (line) => HEADER.test(line) || ROW.test(line),
  open: (section) => new TcpretransReader(section),
};

class TcpretransReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();
  readonly #clock = new WallClock();
  #headed = false;

  constructor(section: Section) {
    this.#source = new SectionSource(section, tcpretrans.id);
  }

  line(text: string, number: number): boolean {
    if (HEADER.test(text)) {
      this.#headed = true;
      return true;
    }
    const match = ROW.exec(text);
    const local = match && parseEndpoint(match[3]!, this.#interner);
    const remote = match && parseEndpoint(match[5]!, this.#interner);
    const state = match && parseState(match[6]!);
    if (!match || !local || !remote || !state) return false;
    const what = match[4] === 'R' ? 'retransmission' : 'tail loss probe';
    const source = this.#open();
    this.#source.event(source, {
      kind: 'probe',
      source: source.id,
      line: number,
      time: this.#clock.read(match[1]!),
      name: 'retransmit',
      socket: null,
      // whoever was running, most often nobody
      pid: Number(match[2]) || null,
      comm: null,
      local,
      remote,
      packet: null,
      values: { state: STATE_NAMES.indexOf(state) },
      pointers: {},
      said: `${what} in state ${state}`,
    });
    return true;
  }

  #open() {
    return this.#source.open(clockOf('wall', NS_PER_S));
  }

  end(): void {
    if (this.#headed) this.#open();
  }
}
