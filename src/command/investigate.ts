/** The analysis as commands run it: with what they all take, and with progress on a terminal. */
import type { AnalyzeOptions } from '../analyze.ts';
import { interruptible } from '../platform/interrupt.ts';
import type { Redactor } from '../redact/redactor.ts';
import type { Result } from '../tables/result.ts';
import { containerNames, hostNames, type InputArguments, type ReadingArguments, usage } from './arguments.ts';
import { commandLine } from './messages.ts';
import { Progress } from './progress.ts';

/** One line of progress for the whole command. */
export const progress = new Progress(process.stderr);

/** @param run with tables or without. @param filter see view/filter.ts. Rejects with UsageError when it or a date makes no sense. */
export async function investigateInputs<Found>(
  run: (inputs: readonly string[], options: AnalyzeOptions) => Promise<Found>,
  a: InputArguments & ReadingArguments,
  options: Omit<AnalyzeOptions, 'hosts' | 'date' | 'zone'>,
  filter?: string,
): Promise<Found> {
  const [{ parseFilter }, { checkCivil }] = await Promise.all([
    import('../view/filter.ts'),
    import('../align/zone.ts'),
  ]);
  const keep = filter ? usage(() => parseFilter(filter)) : undefined;
  usage(() => checkCivil({ date: a.date, zone: a.tz }));
  const names = await containerNames(a.names);
  const found = await run(a.input, {
    ...options,
    ...(keep && { keep }),
    ...(names && { names }),
    hosts: hostNames(a.host ?? []),
    readings: { before: a.before ?? [], after: a.after ?? [] },
    date: a.date,
    zone: a.tz,
    command: commandLine(process.argv.slice(2)),
    busy: interruptible,
    onProgress: (p) => {
      progress.read(p);
      options.onProgress?.(p);
    },
    onStage: (stage) => progress.stage(stage),
  });
  progress.clear();
  return found;
}

export async function redacted(result: Result, secret: Redactor | null): Promise<Result> {
  if (!secret) return result;
  return (await import('../redact/result.ts')).redactResult(result, secret);
}
