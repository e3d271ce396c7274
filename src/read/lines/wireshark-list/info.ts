/**
 * The Info column of a TCP segment (packet-tcp.c of Wireshark), of all versions:
 *
 *     [TCP Retransmission] 44013 → 8080 [SYN] Seq=0 Win=64240 Len=0 MSS=1460 SACK_PERM TSval=100 TSecr=0 WS=128
 */
import {
  OPT_FASTOPEN,
  OPT_MSS,
  OPT_SACK,
  OPT_SACK_PERMITTED,
  OPT_TIMESTAMP,
  OPT_WSCALE,
  ORDER_BITS,
  ORDER_MSS,
  ORDER_SACK_PERMITTED,
  ORDER_TIMESTAMP,
  ORDER_WSCALE,
} from '../../../model/packet.ts';
import { AE, ECE, FLAG_BITS } from '../../../model/tcp.ts';
import { parsePort } from '../shared/services.ts';

export interface SegmentInfo {
  sourcePort: number;
  destinationPort: number;
  flags: number;
  /** As printed. */
  seq: number;
  ack: number | null;
  window: number;
  payload: number;
  /** OPT_*, ORDER_* without NOPs, which the column does not show. */
  options: number;
  order: number;
  mss: number;
  scale: number;
  tsVal: number;
  tsEcr: number;
  /** Name of a service that is in no table here. */
  unknownService?: string;
  /** Wireshark says that the ports were used before, and begins to count anew. */
  reused: boolean;
}

const SEGMENT =
  /^((?:\[[^\]]{1,80}\] ?){0,6})(\S{1,64})\s+(?:→|->|>|&gt;)\s+(\S{1,64}) \[([A-Za-z<>, ]{1,64})\] Seq=(\d{1,10})(?: Ack=(\d{1,10}))?(?: Win=(\d{1,10}))?(.*)$/;
const LENGTH = / Len=(\d{1,9})/;
const FLAGS = new Map([...FLAG_BITS, ['ECN', ECE], ['AE', AE], ['NS', AE], ['ACE', AE]]);

/** Null for what is no TCP segment with ports, flags, number and length. */
export function parseInfo(info: string): SegmentInfo | null {
  const match = SEGMENT.exec(info);
  const length = match && LENGTH.exec(match[8]!);
  if (!match || !length) return null;
  const [, notes, source, destination, names, seq, ack, window, rest] = match as unknown as string[];
  const sourcePort = portOf(source!);
  const destinationPort = portOf(destination!);
  const flags = flagsOf(names!);
  if ((sourcePort < 0 && destinationPort < 0) || flags === null) return null;
  return {
    sourcePort: Math.max(0, sourcePort),
    destinationPort: Math.max(0, destinationPort),
    ...(sourcePort < 0 ? { unknownService: source! } : {}),
    ...(destinationPort < 0 ? { unknownService: destination! } : {}),
    flags,
    seq: Number(seq),
    ack: ack === undefined ? null : Number(ack),
    window: Number(window ?? 0),
    payload: Number(length[1]),
    ...optionsOf(rest!),
    // of a SYN that is sent again Wireshark says both
    reused: notes!.includes('Port numbers reused') && !notes!.includes('Retransmission'),
  };
}

/** `8080`, `http`, `http(80)` and, with its own names, `http-alt(8080)`. */
function portOf(text: string): number {
  const number = /\((\d{1,5})\)$/.exec(text);
  return parsePort(number ? number[1]! : text);
}

function flagsOf(names: string): number | null {
  if (names === '<None>') return 0;
  let flags = 0;
  for (const name of names.split(', ')) {
    const bit = FLAGS.get(name);
    if (bit === undefined && name !== 'Reserved') return null;
    flags |= bit ?? 0;
  }
  return flags;
}

type Options = Pick<SegmentInfo, 'options' | 'order' | 'mss' | 'scale' | 'tsVal' | 'tsEcr'>;

function optionsOf(text: string): Options {
  const out: Options = { options: 0, order: 0, mss: 0, scale: 0, tsVal: 0, tsEcr: 0 };
  let place = 0;
  const add = (bit: number, kind: number): void => {
    out.options |= bit;
    out.order |= kind << (ORDER_BITS * place++);
  };
  for (const [, name, value] of text.matchAll(/ (MSS|WS|SACK_PERM|TSval|TSecr|SLE|TFO)\b(?:=(\d{1,10}))?/g)) {
    const number = Number(value ?? 0);
    if (name === 'MSS') {
      add(OPT_MSS, ORDER_MSS);
      out.mss = number & 0xffff;
    } else if (name === 'WS') {
      add(OPT_WSCALE, ORDER_WSCALE);
      out.scale = Math.round(Math.log2(Math.max(1, number)));
    } else if (name === 'SACK_PERM') add(OPT_SACK_PERMITTED, ORDER_SACK_PERMITTED);
    else if (name === 'TSval') {
      add(OPT_TIMESTAMP, ORDER_TIMESTAMP);
      out.tsVal = number | 0;
    } else if (name === 'TSecr') out.tsEcr = number | 0;
    else out.options |= name === 'SLE' ? OPT_SACK : OPT_FASTOPEN;
  }
  return out;
}
