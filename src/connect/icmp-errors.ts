/** ICMP errors of one capture, those that say the same of one connection as one event. */
import type { IcmpError } from '../decode/cursor.ts';
import { formatWords } from '../model/address.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { IcmpEvent } from '../model/event.ts';
import { icmpText, mtuOf, saysOf } from '../model/icmp.ts';
import type { Packet } from '../model/packet.ts';
import type { Source } from '../model/source.ts';
import { NS_PER_MS, NS_PER_S } from '../model/time.ts';

/** What is said again after a longer time may be of the next connection of the same ends. */
const SAME = 30 * NS_PER_S;
/** Events that are kept. */
const MOST = 100_000;

export class IcmpErrors {
  readonly events: IcmpEvent[] = [];
  readonly #latest = new Map<string, IcmpEvent>();
  readonly #source: number;
  #dropped = 0;

  constructor(source: number) {
    this.#source = source;
  }

  /** `packet`: what is quoted of the segment. */
  add(error: IcmpError, packet: Packet): void {
    const by = formatWords(error.by0, error.by1, error.by2, error.by3);
    const from = {
      address: formatWords(packet.src0, packet.src1, packet.src2, packet.src3),
      port: packet.srcPort,
    };
    const to = {
      address: formatWords(packet.dst0, packet.dst1, packet.dst2, packet.dst3),
      port: packet.dstPort,
    };
    const text = icmpText(error.isV6, error.type, error.code);
    const mtu = mtuOf(error);
    const key = `${by} ${from.address} ${from.port} ${to.address} ${to.port} ${text} ${mtu}`;
    const known = this.#latest.get(key);
    if (known && packet.time - known.last < SAME) {
      // of one message that is seen at several interfaces
      if (packet.time - known.last >= NS_PER_MS) known.count++;
      known.last = packet.time;
      return;
    }
    if (this.events.length >= MOST) {
      this.#dropped++;
      return;
    }
    const says = saysOf(error.isV6, error.type, error.code);
    const event: IcmpEvent = {
      ...{
        kind: 'icmp',
        source: this.#source,
        line: packet.frame,
        time: packet.time,
        says,
        text,
        by,
        from,
        to,
        mtu,
      },
      ...{ seq: error.isCut ? null : packet.seq, size: error.size, count: 1, last: packet.time },
    };
    this.events.push(event);
    this.#latest.set(key, event);
  }

  report(source: Source, diagnostics: Diagnostics): void {
    if (this.#dropped === 0) return;
    diagnostics.add({
      ...{ code: 'icmp-errors-left-out', severity: 'info', source: source.name, locator: '' },
      count: this.#dropped,
      message: `ICMP errors beyond the first ${MOST} that differ, left out`,
    });
  }
}
