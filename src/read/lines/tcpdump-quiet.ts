/**
 * `tcpdump -q`: both ends and the bytes of payload of each segment (print-tcp.c: `tcp %d`), no flags and no numbers. What
 * opens or closes a connection cannot be told, so its lines are no packets: each connection is summed up at its first and
 * its last line.
 */
import type { Endpoint } from '../../model/address.ts';
import { formatEndpoint } from '../../model/address.ts';
import { getOr } from '../../model/get-or.ts';
import type { SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { Interner } from './shared/interner.ts';
import { SectionSource } from './shared/section.ts';
import { StampClock } from './tcpdump/clock.ts';
import { PrintedSegment, parseLine } from './tcpdump/line.ts';

const LINE = /(?:(?:^|\s)IP6?|, length \d{1,9}:) \S{1,300} > \S{1,300}: tcp \d{1,9}$/;

/** Of a connection: the sender of its first line, the other end, and what each has sent. */
interface Carried {
  ends: [Endpoint, Endpoint];
  segments: [number, number];
  bytes: [number, number];
  first: { line: number; time: SourceTime };
  last: { line: number; time: SourceTime };
}

export const tcpdumpQuiet: LineFormat = {
  id: 'tcpdump-quiet',
  title: 'tcpdump -q (text)',
  clock: 'wall',
  proves: 'Which connections had segments here, from when to when, and how many bytes each end sent.',
  cannotProve:
    'How a connection began or ended: -q prints no flags and no numbers. What was sent again, or seen at 2 interfaces, counts twice.',
  example: '07:12:27.784229 IP 172.16.58.147.43752 > 172.16.58.146.8080: tcp 120',
  command: runs('tcpdump', /(?=\s)(?=[^|]*\s-\w*q)(?![^|]*\s-\w*w)/),
  recognises: (line) => line.includes(': tcp ') && LINE.test(line) && parseLine(line, recognised) === 'quiet',
  open: (section) => new TcpdumpQuietReader(section),
};

const recognised = new PrintedSegment();

class TcpdumpQuietReader implements LineReader {
  readonly #source: SectionSource;
  readonly #clock: StampClock;
  readonly #segment = new PrintedSegment();
  readonly #interner = new Interner();
  readonly #connections = new Map<string, Carried>();

  constructor(section: Section) {
    this.#source = new SectionSource(section, tcpdumpQuiet.id);
    this.#clock = new StampClock(section.command);
  }

  line(text: string, number: number): boolean {
    const kind = parseLine(text, this.#segment);
    if (kind === 'quiet') this.#add(number);
    else if (kind === 'other')
      this.#source.diagnose('not-tcp', 'info', number, 'packets of other protocols, not read');
    return kind === 'quiet' || kind === 'other';
  }

  #add(line: number): void {
    const s = this.#segment;
    const now = { line, time: this.#clock.read(s) };
    this.#source.open(this.#clock.clock!);
    const [a, b] = [this.#end(s.source, s.sourcePort), this.#end(s.destination, s.destinationPort)];
    const [from, to] = [formatEndpoint(a), formatEndpoint(b)];
    const c = getOr(this.#connections, [from, to].sort().join(' '), () => ({
      ...{ ends: [a, b], segments: [0, 0], bytes: [0, 0], first: now, last: now },
    }));
    const side = formatEndpoint(c.ends[0]) === from ? 0 : 1;
    c.segments[side]++;
    c.bytes[side] += s.payload;
    c.last = now;
  }

  #end(address: string, port: number): Endpoint {
    return { address: this.#interner.address(address), port };
  }

  #emit({ ends: [local, remote] }: Carried, at: Carried['first'], said: string): void {
    const source = this.#source.made!;
    this.#source.event(source, {
      ...{ kind: 'probe', source: source.id, ...at, name: 'tcpdump -q', socket: null, pid: null, comm: null },
      ...{ local, remote, packet: null, values: {}, pointers: {}, said },
    });
  }

  end(): void {
    for (const c of this.#connections.values()) {
      const { ends, segments, bytes, first, last } = c;
      const sent = ([0, 1] as const).map(
        (i) =>
          `${bytes[i]} bytes in ${segments[i]} ${segments[i] === 1 ? 'segment' : 'segments'} from ${formatEndpoint(ends[i])}`,
      );
      if (first !== last) this.#emit(c, first, 'first segment here, its flags are not printed');
      this.#emit(c, last, `last segment here, its flags are not printed; ${sent.join(', ')}`);
    }
  }
}
