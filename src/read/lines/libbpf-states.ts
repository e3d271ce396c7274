/**
 * State lines of a small libbpf program: `ts:<ktime ns>:<server|client>:<old>:<new>`. It traces one server and its
 * client on one host and prints no addresses: the side stands for the socket.
 */
import { parseState, type TcpState } from '../../model/tcp.ts';
import type { SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { clockOf, SectionSource } from './shared/section.ts';

const STATE = /^ts:(\d{1,19}):(server|client|unknown):(?:TCP_)?(\w{1,16}):(?:TCP_)?(\w{1,16})$/;

export const libbpfStates: LineFormat = {
  id: 'libbpf-states',
  title: 'state lines ts:TIME:SIDE:OLD:NEW of a libbpf program',
  clock: 'monotonic',
  proves:
    'When each end went from state to state, including the minisock when the program traces inet_twsk_alloc and _put.',
  cannotProve: 'Which connection it was: there are no addresses, so two at once cannot be told apart.',
  example: 'ts:81726354433211:client:ESTABLISHED:FIN_WAIT1',
  recognises: (line) => line.startsWith('ts:') && parse(line) !== null,
  open: (section) => new LibbpfStatesReader(section),
};

function parse(line: string): { time: bigint; side: string; from: TcpState; to: TcpState } | null {
  const match = STATE.exec(line);
  const from = match && parseState(match[3]!);
  const to = match && parseState(match[4]!);
  return match && from && to ? { time: BigInt(match[1]!), side: match[2]!, from, to } : null;
}

class LibbpfStatesReader implements LineReader {
  readonly #source: SectionSource;

  constructor(section: Section) {
    this.#source = new SectionSource(section, libbpfStates.id);
  }

  line(text: string, line: number): boolean {
    const record = parse(text);
    if (!record) return false;
    const source = this.#source.open(clockOf('monotonic', 1, record.time));
    this.#source.event(source, {
      kind: 'state',
      source: source.id,
      line,
      time: Number(record.time - source.clock.base) as SourceTime,
      socket: record.side,
      pid: null,
      comm: null,
      local: { address: '', port: 0 },
      remote: { address: '', port: 0 },
      from: record.from,
      to: record.to,
      duration: null,
    });
    return true;
  }

  end(): void {}
}
