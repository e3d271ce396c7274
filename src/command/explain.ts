/** `tcpautopsy explain`: in the terminal. */
import {
  checkFailOn,
  failOnOption,
  failsOn,
  inputOptions,
  knownRule,
  readingOptions,
  usage,
  withReadings,
} from './arguments.ts';
import { define } from './command.ts';
import { nothingRead, out, terminal, warn } from './console.ts';
import { EXIT_FOUND, EXIT_NOTHING, statusOf } from './faults.ts';
import { investigateInputs } from './investigate.ts';

export const explain = define({
  command: 'explain [input...]',
  describe: 'explain in the terminal, write nothing',
  options: (y) =>
    failOnOption(readingOptions(inputOptions(y, false)))
      .option('connection', {
        type: 'string',
        describe: 'only this connection: c11, ADDRESS:PORT of an end, or both ends joined by -',
      })
      .option('rule', { type: 'string', describe: 'only connections for which this rule holds' })
      .option('time', {
        type: 'string',
        describe: 'FROM..TO: only connections that lived then (06:56..06:57)',
      })
      .option('filter', { type: 'string', describe: 'as for analyze' }),
  examples: [
    ['explain capture.pcap.gz', 'what happened, in order of weight'],
    ['explain bundle/ --connection 10.0.0.1:40001-10.0.0.2:443', 'one connection, step by step'],
    ['explain - < ss.txt', 'a table as it was printed or pasted'],
  ],
  async run(args) {
    const a = withReadings(args);
    await checkFailOn(a.failOn);
    const parts = [
      a.filter && `(${a.filter})`,
      a.rule && `rule ${a.rule}`,
      a.connection && `conn ${a.connection}`,
    ];
    if (a.rule) await knownRule(a.rule);
    const filter = parts.filter(Boolean).join(' and ');
    const { parsePeriod, withinPeriod } = await import('../view/period.ts');
    const period = a.time === undefined ? null : usage(() => parsePeriod(a.time!));
    const { analyze } = await import('../analyze.ts');
    const all = await investigateInputs(
      analyze,
      a,
      { timeline: a.connection ? 'all' : 'findings', listAll: period !== null },
      filter || undefined,
    );
    const result = period ? withinPeriod(all, period) : all;
    warn(result);
    if (nothingRead(result)) return EXIT_NOTHING;
    const { renderExplain } = await import('../terminal/terminal.ts');
    out(renderExplain(result, terminal()));
    return failsOn(a.failOn, result.causes) ? EXIT_FOUND : statusOf(result.diagnostics);
  },
});
