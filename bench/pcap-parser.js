// Counts the packets of a capture with pcap-parser.
import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';

const { parse } = createRequire(import.meta.url)('pcap-parser');
let packets = 0;
parse(createReadStream(process.argv[2]))
  .on('packet', () => packets++)
  .on('end', () => console.log(packets))
  .on('error', (/** @type {Error} */ error) => {
    throw error;
  });
