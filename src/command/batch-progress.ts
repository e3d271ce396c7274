/** How far a batch is: a line on a terminal; elsewhere a JSON line for each group. */
import type { Outcome } from '../archive/commit.ts';
import type { Group, Groups } from '../archive/plan.ts';

export class BatchProgress {
  readonly #out: NodeJS.WriteStream;
  readonly #running = new Map<string, string>();
  readonly #begun = Date.now();
  #shownAt = 0;
  #shown = false;
  #groups = 0;
  #bytes = 0;
  #failed = 0;
  #ofGroups = 0;
  #ofBytes = 0;
  #before = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  look(file: string, done: number, of: number): void {
    this.#show(() => `looking at file ${done + 1} of ${of}: ${file}`);
  }

  plan(todo: Groups, before: number): void {
    this.#ofGroups = todo.length;
    for (const { bytes } of todo) this.#ofBytes += bytes;
    this.#before = before;
  }

  begin(group: Group): void {
    this.#running.set(group.key, group.place);
    this.#show(() => this.#line());
  }

  end(group: Group, outcome: Outcome): void {
    this.#running.delete(group.key);
    this.#groups++;
    this.#bytes += group.bytes;
    if ('failed' in outcome) this.#failed++;
    if (this.#out.isTTY) this.#show(() => this.#line());
    else {
      const ended = 'failed' in outcome ? { failed: outcome.failed } : { damaged: outcome.damaged };
      const line = { group: group.place, key: outcome.key, ...ended, done: this.#groups, of: this.#ofGroups };
      this.#out.write(`${JSON.stringify(line)}\n`);
    }
  }

  clear(): void {
    if (this.#shown) this.#out.write('\r\x1b[K');
  }

  #line(): string {
    const seconds = (Date.now() - this.#begun) / 1000;
    const rate = this.#groups / Math.max(seconds, 0.001);
    const left = rate > 0 ? duration((this.#ofGroups - this.#groups) / rate) : '?';
    const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
    const parts = [
      `${this.#groups} of ${this.#ofGroups} groups`,
      `${mb(this.#bytes)} of ${mb(this.#ofBytes)} MB`,
      `${rate.toFixed(1)}/s`,
      `${left} left`,
      ...(this.#failed > 0 ? [`${this.#failed} failed`] : []),
      ...(this.#before > 0 ? [`${this.#before} done before`] : []),
      [...this.#running.values()].slice(0, 2).join(', '),
    ];
    return parts.join(', ');
  }

  /** On a terminal, at most ten times a second. */
  #show(line: () => string): void {
    const now = Date.now();
    if (this.#out.isTTY !== true || now - this.#shownAt < 100) return;
    this.#shownAt = now;
    this.#shown = true;
    const text = line().replaceAll(/[^\x20-\x7e]/g, '?');
    this.#out.write(`\r\x1b[K${text.slice(0, (this.#out.columns ?? 80) - 1)}`);
  }
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
