/** Captures at another time and of another server: what demos and loads make many captures of a few samples with. */

/** The address of the server in samples/live. */
const SERVER = [10, 77, 0, 2];
/** Bytes before the IP header, by link type. */
const HEADERS = { 1: 14, 113: 16, 276: 20, 101: 0 };

/** A pcap (little-endian) with its first packet at `second`, and the server's address replaced: in place. */
export function moved(bytes, second, address) {
  const linkType = bytes.readUInt32LE(20);
  const shift = second - bytes.readUInt32LE(24);
  for (let at = 24; at + 16 <= bytes.length; ) {
    bytes.writeUInt32LE(bytes.readUInt32LE(at) + shift, at);
    const captured = bytes.readUInt32LE(at + 8);
    renumber(bytes.subarray(at + 16, at + 16 + captured), linkType, address);
    at += 16 + captured;
  }
  return bytes;
}

/** In IPv4 headers, with the checksums of IP and TCP brought along (RFC 1624). */
function renumber(frame, linkType, address) {
  const ip = HEADERS[linkType];
  if (ip === undefined || frame.length < ip + 20 || frame[ip] >> 4 !== 4) return;
  const tcp = ip + (frame[ip] & 15) * 4;
  for (const at of [ip + 12, ip + 16]) {
    if (!SERVER.every((byte, i) => frame[at + i] === byte)) continue;
    for (let i = 0; i < 4; i += 2) {
      const [before, after] = [frame.readUInt16BE(at + i), (address[i] << 8) | address[i + 1]];
      adjust(frame, ip + 10, before, after);
      if (frame[ip + 9] === 6 && frame.length >= tcp + 18) adjust(frame, tcp + 16, before, after);
      frame.writeUInt16BE(after, at + i);
    }
  }
}

function adjust(frame, at, before, after) {
  let sum = (~frame.readUInt16BE(at) & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  frame.writeUInt16BE(~sum & 0xffff, at);
}
