/** What line readers share: making their source with the first record, and its diagnostics. */
import type { DiagnosticSeverity } from '../../../model/diagnostic.ts';
import type { KernelEvent } from '../../../model/event.ts';
import type { Source } from '../../../model/source.ts';
import type { Clock, ClockKind } from '../../../model/time.ts';
import type { Section } from '../../importer.ts';
import { quote } from './quote.ts';

export const NO_CLOCK: Clock = { kind: 'order', base: 0n, resolution: 0 };

export function clockOf(kind: ClockKind, resolution: number, base = 0n): Clock {
  return { kind, base, resolution };
}

/** The source of one section. It comes into being with the first record: a prompt without output leaves none. */
export class SectionSource {
  protected readonly section: Section;
  readonly #format: string;
  #source: Source | null = null;

  constructor(section: Section, format: string) {
    this.section = section;
    this.#format = format;
  }

  /** The source, made with this clock when it is not there yet. */
  open(clock: Clock): Source {
    if (this.#source === null) {
      const { name, host, command, root, context } = this.section;
      this.#source = context.source({ name, format: this.#format, clock, host, command, root });
    }
    return this.#source;
  }

  get made(): Source | null {
    return this.#source;
  }

  event(source: Source, event: KernelEvent): void {
    if (event.kind !== 'snapshot') source.records++;
    this.section.context.sink.event(source, event);
  }

  diagnose(code: string, severity: DiagnosticSeverity, line: number, message: string, text = ''): void {
    this.section.context.diagnostics.add({
      code,
      severity,
      source: this.section.name,
      locator: `line ${line}`,
      message: text === '' ? message : `${message}: "${quote(text)}"`,
    });
  }
}
