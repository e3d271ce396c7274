/** Which of two ends is the server, where neither SYN nor socket says: by the ports that the evidence, and people, use. */
import type { KernelEvent } from '../model/event.ts';

/** net.ipv4.ip_local_port_range, as Linux has it unless it is set. */
const EPHEMERAL: PortRange = [32_768, 60_999];
/** Ports below are bound by root only (net.ipv4.ip_unprivileged_port_start). */
const PRIVILEGED = 1024;
/** Registered ports above 1023 at which servers commonly listen (IANA, and what /etc/services lacks). */
const SERVICES: ReadonlySet<number> = new Set([
  ...[1080, 1433, 1521, 1883, 2049, 2181, 2375, 2376, 2379, 2380, 3000, 3128, 3268, 3306, 3389, 4222, 4369],
  ...[5000, 5060, 5222, 5432, 5601, 5671, 5672, 5900, 5984, 5985, 6379, 6443, 6667, 7000, 7001, 8000, 8008],
  ...[8080, 8081, 8086, 8088, 8443, 8500, 8888, 9000, 9042, 9090, 9092, 9093, 9100, 9200, 9300, 9418, 10_250],
  ...[11_211, 15_672, 26_257, 27_017],
]);

type PortRange = readonly [from: number, to: number];

export class Directions {
  /** In how many tuples each port is an end. */
  readonly #uses = new Uint32Array(65_536);
  readonly #ephemeral: PortRange;

  constructor(events: readonly KernelEvent[]) {
    this.#ephemeral = ephemeralOf(events);
  }

  /** Counts the ports of a tuple: of each once. */
  count(one: number, two: number): void {
    this.#uses[one]!++;
    if (one !== two) this.#uses[two]!++;
  }

  /** Which of two ports is most likely the server's: 0, 1, or null when nothing tells. */
  serverOf(one: number, two: number): 0 | 1 | null {
    return (
      higher(this.#uses[one]!, this.#uses[two]!) ??
      higher(fame(one), fame(two)) ??
      higher(this.#isEphemeral(one) ? 0 : 1, this.#isEphemeral(two) ? 0 : 1)
    );
  }

  #isEphemeral(port: number): boolean {
    const [from, to] = this.#ephemeral;
    return from <= port && port <= to;
  }
}

function higher(one: number, two: number): 0 | 1 | null {
  return one === two ? null : one > two ? 0 : 1;
}

function fame(port: number): number {
  return port < PRIVILEGED ? 2 : SERVICES.has(port) ? 1 : 0;
}

function ephemeralOf(events: readonly KernelEvent[]): PortRange {
  const shown = events.findLast((e) => e.kind === 'sysctl' && e.name === 'net.ipv4.ip_local_port_range');
  const match = shown?.kind === 'sysctl' ? /^(\d+)\s+(\d+)$/.exec(shown.value.trim()) : null;
  return match ? [Number(match[1]), Number(match[2])] : EPHEMERAL;
}
