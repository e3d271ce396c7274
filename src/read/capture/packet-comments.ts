/**
 * Processes from packet comments, as ptcpdump writes them: one comment on the process (`PID: 7`, `Cmd: /usr/bin/curl`,
 * `Args: curl -I …`), more on its thread, user, parent, container and pod, a `Key: value` a line. Every packet repeats
 * them, so they are told apart by their bytes and parsed once.
 */
import type { CapturedProcess } from '../../model/process.ts';

/** Comments beyond these bounds are not looked at. */
const MAX_LENGTH = 4096;
const MAX_KNOWN = 1 << 16;
const MAX_KNOWN_BYTES = 1 << 24;
/** Different comments with one hash, looked through one by one. */
const MAX_ALIKE = 4;

interface Known {
  bytes: Uint8Array;
  /** 1 + index of the process. */
  process: number;
}

export class PacketComments {
  readonly #processes: CapturedProcess[];
  readonly #byHash = new Map<number, Known[]>();
  readonly #byKey = new Map<string, number>();
  readonly #seed = (Math.random() * 2 ** 32) | 0;
  readonly #buffer = new Uint8Array(MAX_LENGTH);
  #length = 0;
  #known = 0;
  #knownBytes = 0;

  /** @param processes grows by every process found */
  constructor(processes: CapturedProcess[]) {
    this.#processes = processes;
    for (const [i, process] of processes.entries()) this.#byKey.set(JSON.stringify(process), i + 1);
  }

  /** Begins with the comments of another packet. */
  clear(): void {
    this.#length = 0;
  }

  /** Adds one comment of the packet: bytes[at .. at + length). */
  add(bytes: Uint8Array, at: number, length: number): void {
    if (this.#length + length + 1 > MAX_LENGTH) return;
    for (let i = 0; i < length; i++) this.#buffer[this.#length + i] = bytes[at + i];
    this.#length += length;
    this.#buffer[this.#length++] = 10;
  }

  /** 1 + index of the process that the comments name; 0 when they name none, or when there are too many to know. */
  process(): number {
    if (this.#length === 0) return 0;
    const hash = this.#hash();
    const alike = this.#byHash.get(hash);
    if (alike !== undefined) {
      for (const { bytes, process } of alike) if (this.#equals(bytes)) return process;
      if (alike.length >= MAX_ALIKE) return 0;
    }
    return this.#learn(hash, alike);
  }

  #learn(hash: number, alike: Known[] | undefined): number {
    if (this.#known >= MAX_KNOWN || this.#knownBytes + this.#length > MAX_KNOWN_BYTES) return 0;
    const bytes = this.#buffer.slice(0, this.#length);
    const known = { bytes, process: this.#number(parseComments(new TextDecoder().decode(bytes))) };
    if (alike) alike.push(known);
    else this.#byHash.set(hash, [known]);
    this.#known++;
    this.#knownBytes += bytes.length;
    return known.process;
  }

  #number(process: CapturedProcess | null): number {
    if (!process) return 0;
    const key = JSON.stringify(process);
    let number = this.#byKey.get(key);
    if (number === undefined) {
      number = this.#processes.push(process);
      this.#byKey.set(key, number);
    }
    return number;
  }

  #hash(): number {
    let hash = this.#seed;
    for (let i = 0; i < this.#length; i++) hash = Math.imul(hash ^ this.#buffer[i], 0x01000193);
    return hash ^ (hash >>> 15);
  }

  #equals(bytes: Uint8Array): boolean {
    if (bytes.length !== this.#length) return false;
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== this.#buffer[i]) return false;
    return true;
  }
}

/** Reads `Key: value` lines; null when they name no process. `Command` is what versions before 0.10 wrote for `Cmd`. */
export function parseComments(text: string): CapturedProcess | null {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) values.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
  }
  const value = (...keys: string[]) => keys.map((key) => values.get(key)).find(Boolean) ?? null;
  const pid = value('PID');
  const command = value('Cmd', 'Command');
  if (pid === null || !/^[1-9]\d{0,9}$/.test(pid) || command === null) return null;
  const pod = value('PodName');
  const namespace = value('PodNamespace');
  return {
    pid: Number(pid),
    comm: command.slice(command.lastIndexOf('/') + 1),
    command,
    arguments: value('Args'),
    container: value('ContainerName', 'ContainerId'),
    pod: pod && namespace ? `${namespace}/${pod}` : pod,
  };
}
