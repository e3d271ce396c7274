// Stands in for dist/batch-worker.js: "does" groups by writing rows made up from their keys, so that what is measured is the
// main process of a batch.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CAUSES = ['unread-data', 'closed-port', 'accept-queue-syn'];
/** @type {{ out: string } | null} */
let setting = null;
let settled = 0;

process.on('disconnect', () => process.exit());
process.on('message', (/** @type {any} */ message) => {
  if (setting === null) setting = message;
  else if (message.groups) {
    for (const group of message.groups) simulate(/** @type {{ out: string }} */ (setting).out, group);
    process.send?.({ idle: true });
    process.send?.({ settled: ++settled });
  }
});

/** @param {string} out @param {any} group */
function simulate(out, group) {
  const { key, place, reason, bytes, members } = group;
  const head = {
    key,
    place,
    reason,
    version: '',
    members: members.map((/** @type {any} */ m) => m.file),
    bytes,
  };
  const folder = join(out, 'groups', key.slice(0, 2), key.slice(2, 4), key);
  mkdirSync(folder, { recursive: true });
  process.send?.({ begin: key });
  const n = Number.parseInt(key.slice(0, 6), 16);
  if (n % 20 === 0) {
    const failure = { ...head, stage: 'read', at: 'byte 24', message: 'no packet in it', attempts: 1 };
    writeFileSync(join(folder, 'failure.json'), JSON.stringify(failure));
    process.send?.({ end: { key, failed: failure.message } });
    return;
  }
  const [, day, hour, host] = /(\d{4}-\d\d-\d\d)\/(\d+)\/(host-\d+)\.pcap$/.exec(place) ?? [];
  const first = `${day}T${String(hour).padStart(2, '0')}:00:00.000000Z`;
  const at = { first, last: first, hours: { [first.slice(0, 13)]: 1 }, connections: 1, host };
  const rule = CAUSES[n % CAUSES.length];
  const cause = { ...at, rule, title: rule, severity: 'error', confidence: 'proved', listener: `${host}:80` };
  const counts = { packets: 11, lines: 0, connections: 1, problems: 1, damage: [] };
  const row = {
    ...head,
    hosts: [host],
    day,
    first,
    last: first,
    ...counts,
    causes: n % 3 === 0 ? [cause] : [],
  };
  writeFileSync(join(folder, 'done.json'), JSON.stringify(row));
  process.send?.({ end: { key, damaged: 0 } });
}
