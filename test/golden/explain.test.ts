// What users read: `tcpautopsy explain` of twelve samples, whole. `npm run golden` writes the files anew; a reviewer reads their difference.
import { expect, test } from 'vitest';
import { analyze } from '../../src/analyze.ts';
import { renderExplain } from '../../src/terminal/terminal.ts';

const SAMPLES = [
  'documents/000',
  'documents/004',
  'documents/exp1',
  'bundle/accept-queue-incident/6.18',
  'bundle/deferred-accept/6.18',
  'bundle/fin-wait2-expired/6.18',
  'bundle/keepalive-timeout/6.18',
  'bundle/syn-drops/6.1',
  'live/close-wait-leak/6.18',
  'live/pcap-and-tcpstates',
  'live/syn-lost-on-path/6.18',
  'live/unread-data/6.18',
];

test.each(SAMPLES)('%s', async (sample) => {
  const result = await analyze([`samples/${sample}`]);
  const text = renderExplain(result, { width: 100, color: false });
  await expect(`${text.trimEnd()}\n`).toMatchFileSnapshot(`explain/${sample.replaceAll('/', '-')}.txt`);
});
