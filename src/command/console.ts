/** What is printed: results on standard output, all else on standard error. */
import type { Diagnostic } from '../model/diagnostic.ts';
import { visible } from '../model/visible.ts';
import type { Result } from '../tables/result.ts';
import { faultsIn } from './faults.ts';
import { diagnosticLines } from './messages.ts';

export const out = (text: string) => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);

/** Names of files in a folder from elsewhere are in what is said of them: they must not steer the terminal. */
export const err = (text: string) => process.stderr.write(`${text.split('\n').map(visible).join('\n')}\n`);

/** Columns of standard output, and whether it takes colours (https://no-color.org, https://force-color.org). */
export function terminal(): { width: number; color: boolean } {
  const { NO_COLOR, FORCE_COLOR, COLUMNS } = process.env;
  // in a pipe COLUMNS is only there when someone exported it
  const asked = Number(COLUMNS);
  const isForced = FORCE_COLOR !== undefined && FORCE_COLOR !== '' && FORCE_COLOR !== '0';
  return {
    width: process.stdout.columns ?? (asked >= 40 ? asked : 100),
    color: !NO_COLOR && (isForced || (process.stdout.isTTY === true && FORCE_COLOR !== '0')),
  };
}

/** Whether there is nothing to explain, which it says. */
export function nothingRead({ inputs, diagnostics }: Pick<Result, 'inputs' | 'diagnostics'>): boolean {
  if (inputs.some((i) => i.records > 0)) return false;
  const names = inputs.map((i) => i.name).join(', ');
  err(`tcpautopsy: nothing to explain${names && `: no packet and no event in ${names}`}`);
  // what is no damage may say why
  const notes = diagnostics
    .filter((d) => d.severity === 'info')
    .map((d) => ({ ...d, severity: 'error' as const }));
  for (const line of diagnosticLines(notes)) err(line);
  return true;
}

/** What the user must know before trusting the output. */
export function warn({ diagnostics }: { diagnostics: readonly Diagnostic[] }): void {
  for (const line of diagnosticLines(diagnostics)) err(line);
  for (const text of faultsIn(diagnostics)) err(text);
}
