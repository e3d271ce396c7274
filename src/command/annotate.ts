/** `tcpautopsy annotate`: the packets again, with what was found as comments. */

import { visible } from '../model/visible.ts';
import { disk } from '../platform/files.ts';
import { interruptible } from '../platform/interrupt.ts';
import { counted, unlistedWarnings } from '../view/words.ts';
import { hostNames, inputOptions, UsageError } from './arguments.ts';
import { define } from './command.ts';
import { nothingRead, out, warn } from './console.ts';
import { EXIT_NOTHING, statusOf, writing } from './faults.ts';
import { investigateInputs, redacted } from './investigate.ts';
import { redactOptions, redactor, writeMap } from './redaction.ts';

export const annotate = define({
  command: 'annotate <input...>',
  describe: 'write the packets to one pcapng file, with what was found as comments, for Wireshark',
  options: (y) =>
    redactOptions(inputOptions(y))
      .option('output', { alias: 'o', type: 'string', demandOption: true, describe: 'file to write' })
      .option('filter', {
        type: 'string',
        describe: 'as for analyze: only packets of these connections',
      }),
  examples: [['annotate client.pcap server.pcap -o annotated.pcapng', 'then in Wireshark: frame.comment']],
  async run(a) {
    await checkTwice(a.input);
    const secret = await redactor(a);
    const { analyze } = await import('../analyze.ts');
    const found = await investigateInputs(
      analyze,
      a,
      // nothing may be written that redaction has not seen
      secret ? { listed: Number.POSITIVE_INFINITY } : {},
      a.filter,
    );
    warn(found);
    if (nothingRead(found)) return EXIT_NOTHING;
    const { annotate: write } = await import('../wireshark/annotate.ts');
    const hosts = hostNames(a.host ?? []);
    const redact = secret ? { redact: secret } : {};
    const result = await redacted(found, secret);
    const rotations = found.inputs.flatMap((i) => (i.files ? [i.files.map((f) => f.name)] : []));
    const made = await writing(a.output, () =>
      write(result, a.input, a.output, {
        hosts,
        rotations,
        only: a.filter === undefined ? undefined : found.connections,
        busy: interruptible,
        ...redact,
      }),
    );
    await writeMap(a, secret);
    const alike = unlistedWarnings(found);
    out(
      `${visible(a.output)}: ${counted(made.packets, 'packet')}, ${counted(made.comments, 'comment')}, ${counted(made.events, 'event')}. In Wireshark: frame.comment` +
        (alike > 0
          ? `\n${counted(alike, 'connection')} like others have none: --filter asks for some of them.`
          : ''),
    );
    return statusOf(found.diagnostics);
  },
});

async function checkTwice(inputs: readonly string[]): Promise<void> {
  for (const path of inputs) {
    const isPipe = path === '-' || (await disk.stat(path).catch(() => null))?.isPipe === true;
    if (isPipe) throw new UsageError(`annotate reads its inputs twice, and ${path} is a pipe; give files`);
  }
}
