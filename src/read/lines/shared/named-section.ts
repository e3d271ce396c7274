import type { ClockReading, ReadContext, Section } from '../../importer.ts';

/** What is known of the terminal that printed the lines. */
export interface Shell {
  /** null: nothing shows which terminal it is. */
  key: string | null;
  host: string | null;
  root: boolean | null;
  command: string | null;
}

export const NO_SHELL: Shell = { key: null, host: null, root: null, command: null };

/** Gets its name when a source is made of it, so that sections without a record use up no number. */
export class NamedSection implements Section {
  readonly host: string | null;
  readonly command: string | null;
  readonly root: boolean | null;
  readonly line: number;
  readonly context: ReadContext;
  shown: ClockReading | null = null;
  readonly #give: () => string;
  #name: string | null = null;

  constructor(shell: Shell, line: number, context: ReadContext, give: () => string) {
    this.host = shell.host;
    this.command = shell.command;
    this.root = shell.root;
    this.line = line;
    this.context = context;
    this.#give = give;
  }

  get name(): string {
    this.#name ??= this.#give();
    return this.#name;
  }
}
