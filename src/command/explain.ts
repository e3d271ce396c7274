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
      .option('rule', { type: 'string', describe: 'only connections with this cause' })
      .option('time', {
        type: 'string',
        describe: 'FROM..TO: only connections that lived then (06:56..06:57)',
      })
      .option('filter', { type: 'string', describe: 'as for analyze' })
      .option('verbose', {
        alias: 'v',
        type: 'boolean',
        default: false,
        describe: 'every cause with its evidence, and connections step by step',
      })
      .option('json', { type: 'boolean', default: false, describe: 'the result as JSON' }),
  examples: [
    ['explain capture.pcap.gz', 'what happened, and what to do'],
    ['explain -v capture.pcap.gz', 'with all evidence'],
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
    if (a.json) {
      const { jsonParts, readable } = await import('../json/json.ts');
      for (const part of jsonParts(readable(result))) process.stdout.write(part);
    } else {
      const { renderExplain, renderOverview } = await import('../terminal/terminal.ts');
      const render = a.verbose || a.connection !== undefined ? renderExplain : renderOverview;
      out(render(result, terminal()));
    }
    return failsOn(a.failOn, result.causes) ? EXIT_FOUND : statusOf(result.diagnostics);
  },
});
