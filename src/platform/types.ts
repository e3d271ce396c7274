/** What the stages ask of the machine they run on. `platform/` alone knows Node; `platform/browser/` is the same without it. */

export interface OpenFile {
  /** In bytes; null for a pipe or a device. */
  readonly size: number | null;
  /**
   * Fills a buffer from a position in the file, or from where the last reading ended (null), as far as there is something
   * to read at once. How many bytes; 0 at the end.
   */
  read(into: Uint8Array, position: number | null): Promise<number>;
  close(): Promise<void>;
}

export interface Entry {
  name: string;
  /** False for both: a pipe, a device, or a link in a listing. */
  isFile: boolean;
  isFolder: boolean;
  isPipe?: boolean;
}

/** Rejections carry the system's code: `ENOENT`, …. A file with the same `mark` as before has not changed. */
export interface Files {
  /** `-` is standard input. */
  open(path: string): Promise<OpenFile>;
  stat(path: string): Promise<Omit<Entry, 'name'> & { size: number; mark?: string }>;
  list(folder: string): Promise<Entry[]>;
}

/** How a gzip stream ended: null at its proper end. */
export type GzipEnd = { fault: 'truncated' | 'damaged'; at: number; message: string } | null;

export interface Thread {
  post(message: unknown, moved?: readonly ArrayBuffer[]): void;
  terminate(): Promise<void>;
}

/** What a thread says to the one that started it. `exit` follows an error as well. */
export interface ThreadEvents {
  message(value: unknown): void;
  error(error: unknown): void;
  exit(status: number): void;
}

/** The thread itself, as its program sees it. */
export interface ThisThread {
  /** What it was started with. */
  readonly data: unknown;
  post(message: unknown, moved?: readonly ArrayBuffer[]): void;
  listen(take: (message: unknown) => void): void;
  /** Listens no more: the thread ends when its work does. */
  close(): void;
}

/** UTF-16 units of lines. */
export interface Units {
  /** The units of a line, and behind them of longer ones before it; good until the next call. */
  take(line: string): Uint16Array;
}
