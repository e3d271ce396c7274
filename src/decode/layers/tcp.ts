import { OPT_DAMAGED, OPT_TIMESTAMP, type Packet } from '../../model/packet.ts';
import { ipProtocol, type Layer, word } from '../cursor.ts';
import { BAD_TCP_HEADER, TCP, TRUNCATED_TCP } from '../outcomes.ts';
import { verifyChecksum } from '../tcp-checksum.ts';
import { readTcpOptions } from '../tcp-options.ts';

const MIN_HEADER = 20;
/** Ports to window: checksum and urgent pointer are not needed, so a snap length that cuts them does no harm. */
const ENOUGH = 16;
/** NOP NOP and a timestamp option, as nearly every segment of an established connection has it (RFC 7323 appendix A). */
const ALIGNED_TIMESTAMP = 0x0101080a;

/** TCP (RFC 9293). Payload is counted by what IP says, whether captured or not. */
export const tcp: Layer = {
  id: 'tcp',
  over: [ipProtocol(6)],
  role: 'plain',
  decode(cursor, packet) {
    const { bytes, pos, wireEnd } = cursor;
    const onWire = wireEnd - pos;
    if (onWire < MIN_HEADER) return BAD_TCP_HEADER;
    if (cursor.end - pos < ENOUGH) return TRUNCATED_TCP;
    const header = (bytes[pos + 12] >> 4) << 2;
    if (header < MIN_HEADER || header > onWire) return BAD_TCP_HEADER;
    packet.srcPort = (bytes[pos] << 8) | bytes[pos + 1];
    packet.dstPort = (bytes[pos + 2] << 8) | bytes[pos + 3];
    packet.seq = word(bytes, pos + 4);
    packet.ack = word(bytes, pos + 8);
    packet.flags = ((bytes[pos + 12] & 1) << 8) | bytes[pos + 13];
    packet.window = (bytes[pos + 14] << 8) | bytes[pos + 15];
    packet.payload = onWire - header;
    cursor.payloadAt = cursor.isReassembled ? -1 : pos + header;
    packet.options = 0;
    packet.optionOrder = 0;
    packet.mss = 0;
    packet.windowScale = 0;
    packet.tsVal = 0;
    packet.tsEcr = 0;
    packet.checksum = 0;
    if (header > MIN_HEADER) options(bytes, pos + MIN_HEADER, pos + header, cursor.end, packet);
    if (cursor.isReassembled) return TCP;
    // Of what the first fragment of a tunnel's packet holds, the rest is elsewhere in the capture.
    packet.snapped = cursor.end < wireEnd && cursor.frame.captured < cursor.frame.length ? 1 : 0;
    if (cursor.verifiesChecksums && cursor.end === wireEnd) verifyChecksum(bytes, pos, onWire, packet);
    return TCP;
  },
};

function options(bytes: Uint8Array, start: number, end: number, captured: number, packet: Packet): void {
  if (end - start === 12 && end <= captured && word(bytes, start) === ALIGNED_TIMESTAMP) {
    packet.options = OPT_TIMESTAMP;
    packet.tsVal = word(bytes, start + 4);
    packet.tsEcr = word(bytes, start + 8);
  } else {
    readTcpOptions(bytes, start, Math.min(end, captured), packet);
    if (end > captured) packet.options |= OPT_DAMAGED;
  }
}
