/**
 * bpftrace scripts that print which TCP function was entered for which socket:
 * `[tcp_set_state] pid: 2828708, state: 1, ns: 4, sk: -1907214080`. The order of the lines is all the clock there is.
 */
import type { WalkEvent } from '../../model/event.ts';
import { parseState } from '../../model/tcp.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { Interner } from './shared/interner.ts';
import { NO_CLOCK, SectionSource } from './shared/section.ts';

const PROBE = /^\[(\w{1,64})\] ((?:\w{1,32}: [^,\s]{1,40})(?:, \w{1,32}: [^,\s]{1,40}){1,15})$/;

export const bpftraceWalk: LineFormat = {
  id: 'bpftrace-walk',
  title: 'function traces of bpftrace',
  clock: 'order',
  proves: 'Which kernel function handled a socket, in which state it found it, and in which order.',
  cannotProve:
    'Addresses, times, and that a function did not run: a filter on comm hides what runs in softirq.',
  example: '[tcp_set_state] pid: 2828708, state: 1, ns: 4, sk: -1907214080',
  recognises: (line) => line.startsWith('[') && parse(line) !== null,
  open: (section) => new WalkReader(section),
};

/** Function and named values; null unless a socket is among them. */
function parse(line: string): { name: string; values: Map<string, string> } | null {
  const match = PROBE.exec(line);
  if (!match) return null;
  const values = new Map(match[2]!.split(', ').map((pair) => pair.split(': ') as [string, string]));
  return socketOf(values) === undefined ? null : { name: match[1]!, values };
}

function socketOf(values: Map<string, string>): string | undefined {
  return values.get('sk') ?? values.get('sock') ?? values.get('skaddr');
}

class WalkReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();

  constructor(section: Section) {
    this.#source = new SectionSource(section, bpftraceWalk.id);
  }

  line(text: string, line: number): boolean {
    const probe = parse(text);
    if (!probe) return false;
    const { name, values } = probe;
    const source = this.#source.open(NO_CLOCK);
    const state = (key: string) => parseState(values.get(key) ?? '');
    const event: WalkEvent = {
      kind: 'walk',
      source: source.id,
      line,
      time: null,
      function: this.#interner.keep(name),
      socket: this.#interner.keep(socketOf(values)!),
      pid: number(values.get('pid')),
      state: state('state'),
      newState: state('ns') ?? state('newstate'),
      acceptLimit: number(values.get('sk_max_ack_backlog')),
    };
    this.#source.event(source, event);
    return true;
  }

  end(): void {}
}

function number(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
