/** An archive of many small captures: hosts with a capture an hour each, of samples/live moved in time and renumbered. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { moved } from '../scripts/moved.js';

const FIRST = Date.UTC(2026, 10, 1) / 1000;
/** 11, 11, 11, 8, 6 and 3 packets of one connection. */
const SAMPLES = [
  'graceful-server-first',
  'graceful-client-first',
  'graceful-server-first',
  'fin-with-ack',
  'unread-data',
  'closed-port',
].map((name) =>
  readFileSync(fileURLToPath(new URL(`../samples/live/${name}/6.18/packets.pcap`, import.meta.url))),
);

/** `hosts` have a capture an hour, until there are `count`. @param {string} folder @param {number} count @param {number} hosts */
export function makeArchive(folder, count, hosts) {
  const mark = join(folder, '..', `made-${count}`);
  if (existsSync(mark)) return;
  for (let n = 0; n < count; n++) {
    const [host, hour] = [n % hosts, Math.floor(n / hosts)];
    const second = FIRST + hour * 3600 + (host % 3000);
    const day = new Date(second * 1000).toISOString().slice(0, 10);
    const dir = join(folder, day, String(hour % 24));
    if (host === 0) mkdirSync(dir, { recursive: true });
    const sample = Buffer.from(/** @type {Buffer} */ (SAMPLES[(host + hour) % SAMPLES.length]));
    const address = [10, 20 + (host >> 16), (host >> 8) & 255, host & 255];
    writeFileSync(join(dir, `host-${host}.pcap`), moved(sample, second, address));
  }
  writeFileSync(mark, '');
}
