/**
 * An event of a kernel as a packet of an interface of its own: Wireshark's exported PDU (wsutil/exported_pdu_tlvs.h),
 * which gives it addresses and shows its text line by line.
 */
import type { Words } from './segment.ts';

/** LINKTYPE_WIRESHARK_UPPER_PDU */
export const LINKTYPE_EVENT = 252;

const DISSECTOR_NAME = 12;
const IPV4_SOURCE = 20;
const IPV4_DESTINATION = 21;
const IPV6_SOURCE = 22;
const IPV6_DESTINATION = 23;
const PORT_TYPE = 24;
const SOURCE_PORT = 25;
const DESTINATION_PORT = 26;
const TCP = 2;

export interface EventEnd {
  /** null when the address is a name, not an address. */
  words: Words | null;
  port: number;
}

/** From where it happened to the other end; null for what belongs to no connection. */
export function eventBytes(text: string, ends: readonly [EventEnd, EventEnd] | null): Buffer {
  const tags = [tag(DISSECTOR_NAME, Buffer.from('data-text-lines'))];
  if (ends) {
    const [from, to] = ends;
    if (from.words && to.words) {
      const v4 = [from.words, to.words].every((w) => (w[0] | w[1]) === 0 && w[2] >>> 0 === 0xffff);
      tags.push(tag(v4 ? IPV4_SOURCE : IPV6_SOURCE, addressBytes(from.words, v4)));
      tags.push(tag(v4 ? IPV4_DESTINATION : IPV6_DESTINATION, addressBytes(to.words, v4)));
    }
    tags.push(
      tag(PORT_TYPE, word(TCP)),
      tag(SOURCE_PORT, word(from.port)),
      tag(DESTINATION_PORT, word(to.port)),
    );
  }
  return Buffer.concat([...tags, Buffer.alloc(4), Buffer.from(`${text}\n`)]);
}

function tag(type: number, value: Buffer): Buffer {
  const length = (value.length + 3) & ~3;
  const out = Buffer.alloc(4 + length);
  out.writeUInt16BE(type, 0);
  out.writeUInt16BE(length, 2);
  value.copy(out, 4);
  return out;
}

function word(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value >>> 0);
  return out;
}

function addressBytes(words: Words, v4: boolean): Buffer {
  return v4 ? word(words[3]) : Buffer.concat(words.map(word));
}
