/** What was lost, skipped, truncated or ambiguous. Each kind is counted once per source and shown to the user. */

/** `error`: a mistake of the input that stops a part of it being read. `data-loss`: evidence is missing.
 *  `info`: worth knowing, nothing is missing. */
export type DiagnosticSeverity = 'error' | 'data-loss' | 'info';

export interface Diagnostic {
  /** kebab-case, stable: `pcap-truncated-record`, `unknown-line`, `state-line-missing`. */
  code: string;
  severity: DiagnosticSeverity;
  /** Display name of the source, or '' when it concerns the whole analysis. */
  source: string;
  /** Where it was seen first: `byte 1234`, `line 7`, `frame 12`, or ''. */
  locator: string;
  count: number;
  message: string;
  /** Lost before it reached the file (by the tracer, by tcpdump): the file itself is whole. */
  upstream?: true;
  /** A fault of ours: the stack of the error. */
  fault?: string;
}

/** One more of its kind, or as many as `count` says. */
export type NewDiagnostic = Omit<Diagnostic, 'count'> & { count?: number };

/** Collects diagnostics: one row per code and source, which keeps the first place and counts the rest. */
export class Diagnostics {
  readonly #rows = new Map<string, Diagnostic>();

  add(d: NewDiagnostic): void {
    const key = `${d.code}\0${d.source}`;
    const row = this.#rows.get(key);
    if (row) row.count += d.count ?? 1;
    else this.#rows.set(key, { ...d, count: d.count ?? 1 });
  }

  /** In order of first sight. */
  list(): Diagnostic[] {
    return [...this.#rows.values()];
  }

  /** True when some input was damaged, truncated or not readable: exit status 2. */
  get damaged(): boolean {
    return this.list().some((d) => d.severity !== 'info' && !d.upstream);
  }
}
