#!/usr/bin/env node
/** argv and exit codes. The only place that prints. */
import type { AnalyzeOptions, Investigation } from './analyze.ts';
import {
  connectionFilter,
  HELP_WIDTH,
  hostNames,
  type InputArguments,
  literal,
  type ReadingArguments,
  redactor,
  UsageError,
  usage,
} from './command/arguments.ts';
import type { AnalyzeArguments, AnnotateArguments, Commands, ExplainArguments } from './command/commands.ts';
import {
  EXIT_DAMAGED,
  EXIT_NOTHING,
  EXIT_OK,
  EXIT_OUTPUT,
  endOf,
  faultsIn,
  reasonOf,
  statusOf,
  toUsageOrWriteError,
  writing,
} from './command/faults.ts';
import { commandLine, diagnosticLines } from './command/messages.ts';
import { Progress } from './command/progress.ts';
import type { Result } from './model/result.ts';
import type { Source } from './model/source.ts';
import { disk, readWhole } from './platform/files.ts';
import { endOnSignals, interruptible } from './platform/interrupt.ts';
import { growHeapBy } from './platform/process.ts';
import { captureFormats } from './read/formats.ts';
import type { ReadProgress } from './read/read.ts';
import { visible } from './view/escape.ts';

// V8 lets a heap grow to twice what is alive or more before it looks for garbage. Of a gigabyte of packets that is
// hundreds of megabytes; a fifth costs a tenth more time. Beside logs, of which more stays alive, it would be a third.
growHeapBy(20);

const out = (text: string) => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
/** Names of files in a folder from elsewhere are in what is said of them: they must not steer the terminal. */
const err = (text: string) => process.stderr.write(`${text.split('\n').map(visible).join('\n')}\n`);

async function main(argv: string[]): Promise<number> {
  // its options are the script's own, and `--` belongs to it
  if (argv[0] === 'capture') return (await import('./command/capture.ts')).runCapture(argv.slice(1));
  return (
    (await shortcut(argv)) ??
    (await import('./command/commands.ts')).runCommand(literal(withZone(argv)), commands)
  );
}

/** `--tz -08:00` as `--tz=-08:00`: a zone west of Greenwich is no option. */
function withZone(argv: readonly string[]): string[] {
  const at = argv.indexOf('--tz');
  return at >= 0 && /^-\d\d:?\d\d$/.test(argv[at + 1] ?? '')
    ? [...argv.slice(0, at), `--tz=${argv[at + 1]}`, ...argv.slice(at + 2)]
    : [...argv];
}

/** Questions that need no parser are answered without loading one: it takes longer than Node itself. */
async function shortcut([word, id, ...rest]: readonly string[]): Promise<number | null> {
  if (rest.length > 0 || id?.startsWith('-')) return null;
  if (word === 'rules') return commands.rules(id);
  if (word === 'formats' && id === undefined) return commands.formats();
  return (word === '--help' || word === '-h') && id === undefined ? help() : null;
}

/** As the parser printed it when this was built; null where it has to be laid out anew. */
async function help(): Promise<number | null> {
  if ((process.stdout.columns ?? HELP_WIDTH) < HELP_WIDTH) return null;
  const text = await readWhole(new URL('./help.txt', import.meta.url)).catch(() => null);
  if (text === null) return null;
  out(new TextDecoder().decode(text));
  return EXIT_OK;
}

async function captureKitCommand(output: string): Promise<number> {
  const { writeKit } = await import('./command/capture.ts');
  const machines = await writing(output, () => writeKit(output));
  out(`${output}: unpack it on the host and run capture/tcpautopsy-capture -o DIR`);
  out(
    machines.length > 0
      ? `With the recorder for ${machines.join(', ')}: recorder/ARCH/tcpautopsy-record -o DIR/events.bin`
      : 'Without the recorder, which is not built here: npm run build:recorder',
  );
  return EXIT_OK;
}

async function analyzeCommand(a: AnalyzeArguments): Promise<number> {
  const [{ openPool }, { InputHashes }] = await Promise.all([
    import('./workers/pool.ts'),
    import('./workers/hashes.ts'),
  ]);
  const pool = openPool(a.workers);
  try {
    const hashes = new InputHashes(pool);
    // of a large input this takes longest: it begins before anything else is loaded
    await hashes.expect(a.input);
    const { checkOutput, writeReport } = await import('./write.ts');
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
        if (!sources.every(isCapture)) growHeapBy(0);
        return hashes.rest(sources);
      },
      pool,
    };
    const found = await runAnalysis(a, options, a.filter);
    warn(found.result);
    const result = await redacted(await hashes.addTo(found.result), secret);
    if (nothingRead(result)) return EXIT_NOTHING;
    const tables = secret ? {} : { tables: found.tables };
    await writing(a.output, () =>
      writeReport(result, a.output, { html: a.html, png: a.png, pool, ...tables }),
    );
    return await summarise(result, a);
  } finally {
    await pool.close();
  }
}

async function summarise(result: Result, a: AnalyzeArguments): Promise<number> {
  const { renderSummary } = await import('./terminal/terminal.ts');
  out(renderSummary(result, a.output, terminal(), a.html));
  return statusOf(result.diagnostics);
}

async function explainCommand(a: ExplainArguments): Promise<number> {
  const parts = [
    a.filter && `(${a.filter})`,
    a.rule && `rule ${a.rule}`,
    a.connection && connectionFilter(a.connection),
  ];
  if (a.rule) await knownRule(a.rule);
  const filter = parts.filter(Boolean).join(' and ');
  const { parsePeriod, withinPeriod } = await import('./view/period.ts');
  const period = a.time === undefined ? null : usage(() => parsePeriod(a.time!));
  const { result: all } = await runAnalysis(
    a,
    { timeline: a.connection ? 'all' : 'findings', listAll: period !== null },
    filter || undefined,
  );
  const result = period ? withinPeriod(all, period) : all;
  warn(result);
  if (nothingRead(result)) return EXIT_NOTHING;
  const { renderExplain } = await import('./terminal/terminal.ts');
  out(renderExplain(result, terminal()));
  return statusOf(result.diagnostics);
}

async function annotateCommand(a: AnnotateArguments): Promise<number> {
  await checkTwice(a.input);
  const secret = await redactor(a);
  const { result: found } = await runAnalysis(a, { timeline: 'all' }, undefined);
  warn(found);
  if (nothingRead(found)) return EXIT_NOTHING;
  const { annotate } = await import('./wireshark/annotate.ts');
  const hosts = hostNames(a.host ?? []);
  const redact = secret ? { redact: secret } : {};
  const result = await redacted(found, secret);
  const rotations = found.inputs.flatMap((i) => (i.files ? [i.files.map((f) => f.name)] : []));
  const made = await writing(a.output, () =>
    annotate(result, a.input, a.output, { hosts, rotations, busy: interruptible, ...redact }),
  );
  out(
    `${visible(a.output)}: ${made.packets} packets, ${made.comments} comments, ${made.events} events. In Wireshark: frame.comment`,
  );
  return statusOf(found.diagnostics);
}

async function redacted(result: Result, secret: Awaited<ReturnType<typeof redactor>>): Promise<Result> {
  if (!secret) return result;
  return (await import('./redact/result.ts')).redactResult(result, secret);
}

async function runAnalysis(
  a: InputArguments & ReadingArguments,
  options: Omit<AnalyzeOptions, 'hosts' | 'date' | 'zone'>,
  filter: string | undefined,
): Promise<Investigation> {
  const [{ investigate }, { parseFilter }, { checkCivil }] = await Promise.all([
    import('./analyze.ts'),
    import('./view/filter.ts'),
    import('./align/zone.ts'),
  ]);
  const keep = filter ? usage(() => parseFilter(filter)) : undefined;
  usage(() => checkCivil({ date: a.date, zone: a.tz }));
  const progress = new Progress(process.stderr);
  const found = await investigate(a.input, {
    ...options,
    ...(keep && { keep }),
    hosts: hostNames(a.host ?? []),
    readings: { before: a.before ?? [], after: a.after ?? [] },
    date: a.date,
    zone: a.tz,
    command: commandLine(process.argv.slice(2)),
    busy: interruptible,
    onProgress: (p) => {
      progress.show(p);
      options.onProgress?.(p);
    },
  });
  progress.clear();
  return found;
}

async function knownRule(id: string): Promise<void> {
  const { rules } = await import('./explain/rules/index.ts');
  if (!rules.some((r) => r.id === id)) throw new UsageError(`no rule is called ${id}; see tcpautopsy rules`);
}

async function rulesCommand(id: string | undefined): Promise<number> {
  const [{ rules }, { renderRules }] = await Promise.all([
    import('./explain/rules/index.ts'),
    import('./terminal/lists.ts'),
  ]);
  if (id) await knownRule(id);
  out(renderRules(id ? rules.filter((r) => r.id === id) : rules, terminal(), id !== undefined));
  return EXIT_OK;
}

async function formatsCommand(): Promise<number> {
  const [{ captureFormats, lineFormats }, { renderFormats }] = await Promise.all([
    import('./read/formats.ts'),
    import('./terminal/lists.ts'),
  ]);
  out(renderFormats([...captureFormats, ...lineFormats], terminal()));
  return EXIT_OK;
}

async function eventsCommand(bundle: string): Promise<number> {
  const { printEvents } = await import('./command/events.ts');
  const damage = await printEvents(bundle, (text) => process.stdout.write(text));
  for (const line of damage) err(line);
  return damage.length > 0 ? EXIT_DAMAGED : EXIT_OK;
}

function terminal(): { width: number; color: boolean } {
  const tty = process.stdout.isTTY === true;
  // in a pipe COLUMNS is only there when someone exported it
  const asked = Number(process.env.COLUMNS);
  return {
    width: process.stdout.columns ?? (asked >= 40 ? asked : 100),
    color: tty && !process.env.NO_COLOR,
  };
}

function nothingRead(result: Result): boolean {
  if (result.inputs.some((i) => i.records > 0)) return false;
  const names = result.inputs.map((i) => i.name).join(', ');
  err(`tcpautopsy: nothing to explain${names && `: no packet and no event in ${names}`}`);
  return true;
}

/** What the user must know before trusting the output. */
function warn({ diagnostics }: Result): void {
  for (const line of diagnosticLines(diagnostics)) err(line);
  for (const text of faultsIn(diagnostics)) err(text);
}

async function checkTwice(inputs: readonly string[]): Promise<void> {
  for (const path of inputs) {
    const isPipe = path === '-' || (await disk.stat(path).catch(() => null))?.isPipe === true;
    if (isPipe) throw new UsageError(`annotate reads its inputs twice, and ${path} is a pipe; give files`);
  }
}

const commands: Commands = {
  analyze: analyzeCommand,
  explain: explainCommand,
  annotate: annotateCommand,
  rules: rulesCommand,
  formats: formatsCommand,
  events: eventsCommand,
  captureKit: captureKitCommand,
};

// behind the terminal's ^C, or on a line that shows progress
endOnSignals(() => process.stderr.isTTY && process.stderr.write('\n'));
process.stdout.on('error', (error: Error & { code?: string }) => {
  // the reader of a pipe has gone (`| head`): nothing is left to say
  if (error.code === 'EPIPE') process.exit(EXIT_OK);
  err(`tcpautopsy: standard output could not be written: ${reasonOf(error)}`);
  process.exit(EXIT_OUTPUT);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { status, text } = endOf(error);
  err(text);
  process.exitCode = status;
}

function isCapture({ format }: Source): boolean {
  return captureFormats.some((f) => f.id === format);
}
