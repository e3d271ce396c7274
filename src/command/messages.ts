/** Sentences for stderr and for the report's command line. */

import type { Diagnostic } from '../model/diagnostic.ts';
import { visible } from '../model/visible.ts';
import { quoted } from './arguments.ts';

/** What the user must know before trusting the output. Notes (`info`) are in diagnostics.csv and on the report. */
export function diagnosticLines(diagnostics: readonly Diagnostic[]): string[] {
  return diagnostics
    .filter((d) => d.severity !== 'info')
    .map((d) => {
      const place = [d.source, d.locator].filter(Boolean).join(', ');
      const times = d.count > 1 ? ` (${d.count} times)` : '';
      return visible(`tcpautopsy: ${place}: ${d.message}${times}`);
    });
}

/** The command line as one would type it. */
export function commandLine(words: readonly string[]): string {
  return `tcpautopsy ${words.map(quoted).join(' ')}`;
}
