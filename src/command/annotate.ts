/** `tcpautopsy annotate`: the packets again, with what was found as comments. */
import { disk } from '../platform/files.ts';
import { interruptible } from '../platform/interrupt.ts';
import { visible } from '../view/escape.ts';
import { hostNames, inputOptions, redactOptions, redactor, UsageError } from './arguments.ts';
import { define } from './command.ts';
import { nothingRead, out, warn } from './console.ts';
import { EXIT_NOTHING, statusOf, writing } from './faults.ts';
import { investigateInputs, redacted } from './investigate.ts';

export const annotate = define({
  command: 'annotate <input...>',
  describe: 'write one pcapng file of all packets, with what was found as comments, for Wireshark',
  options: (y) =>
    redactOptions(inputOptions(y)).option('output', {
      alias: 'o',
      type: 'string',
      demandOption: true,
      describe: 'file to write',
    }),
  examples: [['annotate client.pcap server.pcap -o annotated.pcapng', 'then in Wireshark: frame.comment']],
  async run(a) {
    await checkTwice(a.input);
    const secret = await redactor(a);
    const { analyze } = await import('../analyze.ts');
    const found = await investigateInputs(analyze, a, { timeline: 'all' });
    warn(found);
    if (nothingRead(found)) return EXIT_NOTHING;
    const { annotate: write } = await import('../wireshark/annotate.ts');
    const hosts = hostNames(a.host ?? []);
    const redact = secret ? { redact: secret } : {};
    const result = await redacted(found, secret);
    const rotations = found.inputs.flatMap((i) => (i.files ? [i.files.map((f) => f.name)] : []));
    const made = await writing(a.output, () =>
      write(result, a.input, a.output, { hosts, rotations, busy: interruptible, ...redact }),
    );
    out(
      `${visible(a.output)}: ${made.packets} packets, ${made.comments} comments, ${made.events} events. In Wireshark: frame.comment`,
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
