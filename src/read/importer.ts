/**
 * What an importer is. Two kinds: a capture format reads bytes; a line format reads lines of text, so that one
 * pasted terminal log can hold several of them. Adding a format: one file, one line in formats.ts, one sample.
 */
import type { Diagnostics } from '../model/diagnostic.ts';
import type { KernelEvent } from '../model/event.ts';
import type { Frame, Packet } from '../model/packet.ts';
import type { Source } from '../model/source.ts';
import type { Clock, ClockKind, SourceTime } from '../model/time.ts';

/** What every format says of itself: `tcpautopsy formats` prints it. */
export interface FormatInfo {
  /** Stable id, equal to the file name. */
  id: string;
  title: string;
  clock: ClockKind;
  /** What evidence of this kind can prove, and what it cannot. One sentence each. */
  proves: string;
  cannotProve: string;
  /** A real line (or for binary formats a few words) that shows it. */
  example: string;
}

/** Where importers put what they read. Frames and packets are reused objects: valid during the call only. */
export interface Sink {
  /** A raw frame of a capture file, to be decoded. */
  frame(source: Source, frame: Frame): void;
  /** A segment that a text already describes (tcpdump output). */
  packet(source: Source, packet: Packet): void;
  event(source: Source, event: KernelEvent): void;
  /** What a pcapng file holds beside packets, a whole block each. */
  block?(source: Source, type: number, bytes: Uint8Array, isBigEndian: boolean): void;
  /** The ports of a segment that opens or ends a connection (portsKey); 0: the frame is none. */
  portsOf?(frame: Frame): number;
  /** Compares frames with what a source has so far; nothing is kept of them. */
  standing?(source: Source, frames: (take: (frame: Frame) => void) => void): Standing;
}

/** What a reader needs to make sources. */
export interface ReadContext {
  sink: Sink;
  diagnostics: Diagnostics;
  /** Makes a source and lists it. */
  source(init: Omit<Source, 'id' | 'records'>): Source;
  /** Bytes read so far, for progress. */
  progress(bytes: number): void;
}

/** A binary capture format, fed with consecutive blocks of bytes. */
export interface CaptureFormat extends FormatInfo {
  /** Decides from the first bytes alone (at least 24 are given when the file has them). */
  sniff(head: Uint8Array): boolean;
  /** What comes before the first packet: so many bytes, and what the files of one capture have in common; null: not all is there. */
  header(head: Uint8Array): { length: number; kind: string } | null;
  /** Where in the last bytes of a file records begin that fill the rest of it; null when none can be told. */
  lastRecords(head: Uint8Array, tail: Uint8Array): number | null;
  open(name: string, context: ReadContext): CaptureReader;
}

/** What the first frames of a file are to a capture that is read so far, by ends of connections. */
export interface Standing {
  /** Go on where the capture ends. */
  goesOn: number;
  /** Of these, those that sent bytes meanwhile. */
  jumped: number;
  /** Were captured elsewhere, or are in the capture already. */
  elsewhere: number;
  /** Addresses of the frames. */
  hosts: ReadonlySet<string>;
}

export interface CaptureReader {
  /** The next bytes of the file. The reader keeps what it cannot use yet, in bounded memory. */
  push(bytes: Uint8Array): void;
  /** End of file: reports a truncated record. */
  end(): void;
}

/** What a clock beside the output of a tool showed. */
export interface ClockReading {
  /** With an uncertainty where somebody may have typed the command long after it. */
  clock: Clock;
  time: SourceTime;
}

/** A section of a text: lines from one command, or a run of lines of one format. */
export interface Section {
  /** Display name of the source-to-be. */
  name: string;
  host: string | null;
  command: string | null;
  root: boolean | null;
  /** 1-based line where it begins: the prompt, else its first line. */
  line: number;
  context: ReadContext;
  /** For the next table of the section: by `date`, `watch` or the prompt; null where no clock was shown. */
  shown: ClockReading | null;
}

/** A text format made of lines. */
export interface LineFormat extends FormatInfo {
  /** True when the line is a header or record that this format and no other writes. Cheap; no state. */
  recognises(line: string): boolean;
  /** Matches the command at a shell prompt whose output this is, so that empty output counts too. */
  command?: RegExp;
  open(section: Section): LineReader;
}

export interface LineReader {
  /** Takes a line (without its end) and its 1-based number; false when the line is not of this format. */
  line(text: string, number: number): boolean;
  /**
   * Tools that take one snapshot a run: the tool ran again on the same host, and what follows is the next snapshot of
   * the same source. `command` is null when no prompt shows it. Without this method every run is a source of its own.
   */
  rerun?(command: string | null, number: number): void;
  /** A line that nobody could read belongs to the output all the same, and holds nothing: payload as text. */
  skips?(text: string): boolean;
  /** A line of the current run could not be read: a row may be missing from it. */
  unread?(): void;
  /**
   * Logs of events: true when this line, which stands apart from the log without prompt or header, belongs to it
   * (an excerpt, or its continuation), because it tells of something the log already told of.
   */
  continues?(text: string): boolean;
  end(): void;
}
