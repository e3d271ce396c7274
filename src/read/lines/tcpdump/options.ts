/** TCP options as tcpdump prints them: `mss 1460,sackOK,TS val 1 ecr 2,nop,wscale 7`; before 4.0 `timestamp 1 2`. */
import {
  OPT_AO,
  OPT_DAMAGED,
  OPT_FASTOPEN,
  OPT_MD5,
  OPT_MPTCP,
  OPT_MSS,
  OPT_SACK,
  OPT_SACK_PERMITTED,
  OPT_TIMESTAMP,
  OPT_WSCALE,
  ORDER_BITS,
  ORDER_MSS,
  ORDER_NOP,
  ORDER_OTHER,
  ORDER_PLACES,
  ORDER_SACK_PERMITTED,
  ORDER_TIMESTAMP,
  ORDER_WSCALE,
  type Packet,
} from '../../../model/packet.ts';

const BARE: readonly [RegExp, number][] = [
  [/^sackOK/, OPT_SACK_PERMITTED],
  [/^sack \d/, OPT_SACK],
  [/^md5/, OPT_MD5],
  [/^tcp-ao/, OPT_AO],
  [/^(?:exp-)?tfo/, OPT_FASTOPEN],
  [/^mptcp/, OPT_MPTCP],
  [/^\[bad opt\]|^\[\|tcp\]|\[bad opt\]$/, OPT_DAMAGED],
];

/** Sets the option fields of the packet from the text between the brackets. */
export function readOptions(text: string, packet: Packet): void {
  let place = 0;
  for (const item of text.split(',').map((t) => t.trim())) {
    readOption(item, packet);
    if (place < ORDER_PLACES) packet.optionOrder |= orderKind(item) << (ORDER_BITS * place++);
  }
}

const ORDER_KINDS: Readonly<Record<string, number>> = {
  mss: ORDER_MSS,
  sackOK: ORDER_SACK_PERMITTED,
  TS: ORDER_TIMESTAMP,
  timestamp: ORDER_TIMESTAMP,
  wscale: ORDER_WSCALE,
  nop: ORDER_NOP,
  eol: 0,
};

function orderKind(item: string): number {
  return ORDER_KINDS[item.split(' ', 1)[0]!] ?? ORDER_OTHER;
}

function readOption(item: string, packet: Packet): void {
  const [word, first, second, , fourth] = item.split(' ', 5);
  if (word === 'nop' || word === 'eol') return;
  if (word === 'mss') {
    packet.options |= OPT_MSS;
    packet.mss = Number(first) & 0xffff;
  } else if (word === 'wscale') {
    packet.options |= OPT_WSCALE;
    packet.windowScale = Number(first) & 0xff;
  } else if (word === 'TS' || word === 'timestamp') {
    packet.options |= OPT_TIMESTAMP;
    packet.tsVal = Number(word === 'TS' ? second : first) | 0;
    packet.tsEcr = Number(word === 'TS' ? fourth : second) | 0;
  } else {
    for (const [pattern, bit] of BARE) if (pattern.test(item)) packet.options |= bit;
  }
}
