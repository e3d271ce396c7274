/** `tcpautopsy analyze`: tables, charts and a report in a folder. */

import type { Source } from '../model/source.ts';
import { growHeapBy } from '../platform/process.ts';
import { captureFormats } from '../read/formats.ts';
import type { ReadProgress } from '../read/read.ts';
import {
  checkFailOn,
  FILTER_WORDS,
  failOnOption,
  failsOn,
  inputOptions,
  readingOptions,
  toUsageError,
  withReadings,
} from './arguments.ts';
import { define } from './command.ts';
import { nothingRead, out, terminal, warn } from './console.ts';
import { EXIT_FOUND, EXIT_NOTHING, statusOf, toUsageOrWriteError, writing } from './faults.ts';
import { investigateInputs, progress, redacted } from './investigate.ts';
import { redactOptions, redactor, writeMap } from './redaction.ts';

export const analyze = define({
  command: 'analyze [input...]',
  describe: 'write CSV, charts and a report about every connection to a folder',
  options: (y) =>
    failOnOption(redactOptions(readingOptions(inputOptions(y, false))))
      .option('output', { alias: 'o', type: 'string', demandOption: true, describe: 'folder to write' })
      .option('filter', { type: 'string', describe: FILTER_WORDS })
      .option('timeline', {
        choices: ['findings', 'all'] as const,
        default: 'findings' as const,
        describe: 'connections in timeline.csv',
      })
      .option('zeek-timers', {
        type: 'boolean',
        default: false,
        describe: 'split connections where Zeek would',
      })
      .option('html', {
        type: 'boolean',
        default: true,
        describe: 'report.html and SVG charts (--no-html: neither)',
      })
      .option('png', { type: 'boolean', default: false, describe: 'the charts as PNG too' })
      .option('workers', {
        type: 'number',
        describe:
          'threads that hash, draw and read further captures (by default one a further core, up to 4), and, when given, decide connections of a large capture; 0: none; the output is the same',
      }),
  examples: [
    ['analyze client.pcap server.pcap -o report', 'both ends of one incident'],
    ['analyze bundle/ messages.txt -o report', 'a capture bundle and a log beside it'],
    ["analyze day.pcap -o report --filter 'port 443 and severity error'", 'a part of a long capture'],
  ],
  async run(args) {
    const a = withReadings(args);
    await checkFailOn(a.failOn);
    if (a.png) await import('../charts/render.ts').then(({ loadPng }) => loadPng()).catch(toUsageError);
    const [{ openPool }, { InputHashes }] = await Promise.all([
      import('../workers/pool.ts'),
      import('../workers/hashes.ts'),
    ]);
    const pool = openPool(a.workers);
    try {
      const hashes = new InputHashes(pool);
      // of a large input this takes longest: it begins before anything else is loaded
      await hashes.expect(a.input);
      const [{ checkOutput, writeReport }, { investigate }] = await Promise.all([
        import('../write.ts'),
        import('../analyze.ts'),
      ]);
      await checkOutput(a.output).catch(toUsageOrWriteError(a.output));
      const secret = await redactor(a);
      // what draws the charts is loaded while the inputs are read
      if (pool.parallel && (a.html || a.png)) pool.run('warm', null).catch(() => undefined);
      const options = {
        timeline: a.timeline,
        zeekTimers: a.zeekTimers,
        // nothing may be written that redaction has not seen
        ...(secret && { listed: Number.POSITIVE_INFINITY }),
        onProgress: ({ name, total }: ReadProgress) => hashes.begin(name, total),
        onRead: (sources: readonly Source[]) => {
          if (!sources.every(isCapture)) growHeapBy(60);
          return hashes.rest(sources);
        },
        pool,
      };
      const found = await investigateInputs(investigate, a, options, a.filter);
      warn(found.result);
      const result = await redacted(await hashes.addTo(found.result), secret);
      if (nothingRead(result)) return EXIT_NOTHING;
      const tables = secret ? {} : { tables: found.tables };
      progress.stage(`writing ${a.output}`);
      await writing(a.output, () =>
        writeReport(result, a.output, { html: a.html, png: a.png, pool, ...tables }),
      );
      await writeMap(a, secret);
      progress.clear();
      const { renderSummary } = await import('../terminal/terminal.ts');
      out(renderSummary(result, a.output, terminal(), a.html));
      return failsOn(a.failOn, result.causes) ? EXIT_FOUND : statusOf(result.diagnostics);
    } finally {
      await pool.close();
    }
  },
});

function isCapture({ format }: Source): boolean {
  return captureFormats.some((f) => f.id === format);
}
