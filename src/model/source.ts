import type { CapturedProcess } from './process.ts';
import type { Clock, SourceTime } from './time.ts';

export interface Span {
  first: SourceTime;
  last: SourceTime;
}

/** One input file, or one part of a pasted terminal log, with one clock. */
export interface Source {
  /** Index in the list of sources; events and packets refer to it. */
  id: number;
  /** As shown to people: the path as given, with `#part` when one file holds several parts. */
  name: string;
  /** Importer id: `pcap`, `pcapng`, `tcpstates`, `netstat-sockets`, … */
  format: string;
  clock: Clock;
  /** Host name as the source itself gives it (shell prompt, manifest) or as given with --host; null when unknown. */
  host: string | null;
  /** The command line at the prompt, when the source is a pasted terminal log. */
  command: string | null;
  /** True when the prompt says the command ran as root, so that `-` for a process means there is none. */
  root: boolean | null;
  /**
   * Of a `relative` source that also prints times of day: the bounds of the time of day (nanoseconds since midnight,
   * local) at which its own time was 0. TIME is taken when the line is printed, so the bounds are of that.
   */
  wallOfZero?: { from: number; to: number };
  /** pcapng: names of its interfaces by Frame.interfaceId, '' where the file gives none. */
  interfaces?: string[];
  /** pcapng: processes that packet comments name; Frame.process and Packet.process are 1 + the index. */
  processes?: CapturedProcess[];
  /** Events of a capture bundle: what the capture says of its own probes. */
  recording?: Recording;
  /** Packets of a capture bundle: from when to when they were recorded, and none was missed. ns of CLOCK_REALTIME. */
  window?: { from: bigint; to: bigint };
  /** Packets of a bundle during which the clock was set: their times are told by the clock as it stood at the end. */
  stepped?: SteppedTimes;
  /** Of these, times of which it is not known on which side of a step they lie: they are in no order with other sources. */
  unordered?: Span[];
  /** Packets that its filter asked for are missing, or may be: the capture says so itself. */
  incomplete?: boolean;
  /** Of packets in lines: their windows are not in it. Its segments have 65535 instead, and nothing may be concluded of that. */
  windowless?: boolean;
  /** The network namespace (inode number) that the packets of a bundle were taken in. */
  netns?: string;
  /** By frame number, what the payload of a RST says (RFC 9293 3.5.2 allows one): of the first of them, and its beginning. */
  resetTexts?: Map<number, string>;
  /** Records read from it: packets, events, rows. */
  records: number;
  /** Times of its first and last record; absent without any. */
  times?: Span;
  /** Of a capture: time of its latest packet, and the longest time between two packets of a file. */
  span?: { last: SourceTime; silence: number };
  /** Files of one capture that was rotated, in the order of their packets; absent when there is one. */
  files?: CaptureFile[];
}

/** CLOCK_REALTIME between two steps of it. Times are ns from one origin, on the clock as it stood at the end. */
export interface ClockPeriod {
  /** What it was ahead of the clock as it stood at the end. */
  ahead: number;
  /** It began after one and ended before the other: readings beside a clock that is not set. */
  from: number;
  until: number;
}

/** Packets `from` … `to` - 1 of a file, counted from 0. */
export interface FrameRange {
  from: number;
  to: number;
}

/** Where in a capture the clock was set. */
export interface SteppedTimes {
  /** From which packet on, counted from 0, the clock was how much ahead of how it stood at the end, ns. The first is of packet 0. */
  parts: { from: number; ahead: number }[];
  /** Packets that may be of either of two parts, */
  unsure: FrameRange[];
  /** and those whose time is of none. */
  strange: FrameRange[];
}

export interface CaptureFile {
  name: string;
  /** Packets of the files before it: its own are numbered from there on. */
  before: number;
}

/** What a capture says of itself (manifest.json). Names are those of the pieces under bpf/: `conn-request`, `minisock`. */
export interface Recording {
  /** Release of the kernel, `6.1.0-48-cloud-amd64`; null when the manifest does not say. */
  kernel: string | null;
  /** Probes that were attached. */
  attached: ReadonlySet<string>;
  /** Probes that could not be attached, and why. */
  refused: ReadonlyMap<string, string>;
  /** Of the attached, the probes of which no event can be missing: nothing was lost, skipped or cut off. */
  complete: ReadonlySet<string>;
  /** Paths of the cgroups of sockets in containers, by their ends (endsKey); */
  cgroups?: ReadonlyMap<string, string>;
  /** names of containers and pods by id, as the host had them. */
  names?: ReadonlyMap<string, string>;
  /** From when on all events are in it, by the clock of the source; what a flight recorder has of before is a part. */
  from: SourceTime;
  /** When the last event came, of whatever kind: signs of life are sent every ten seconds. */
  until: SourceTime;
}

/** Formats of packets that are text. */
const PACKETS_IN_LINES = new Set(['tcpdump', 'wireshark-list', 'tshark-fields', 'retis']);

/** Formats of packets and nothing else (retis tells what the kernel did with them). */
export const CAPTURES: ReadonlySet<string> = new Set([
  'pcap',
  'pcapng',
  'tcpdump',
  'wireshark-list',
  'tshark-fields',
]);

/** How a packet of the source is found again: text captures count lines, the others frames. */
export function packetPlace(source: Source, number: number): string {
  if (PACKETS_IN_LINES.has(source.format)) return `line ${number}`;
  const file = fileOf(source, number);
  if (!source.files) return `frame ${number}`;
  return `frame ${file.number} of ${file.name.slice(file.name.lastIndexOf('/') + 1)}`;
}

/** How an event is found again: one of a capture is a frame. */
export function eventPlace(source: Source, line: number): string {
  return CAPTURES.has(source.format) ? packetPlace(source, line) : `line ${line}`;
}

/** The file that holds a frame of the source, and its number there. */
export function fileOf(source: Source, number: number): { name: string; number: number } {
  const file = source.files?.findLast(({ before }) => before < number);
  return file ? { name: file.name, number: number - file.before } : { name: source.name, number };
}
