/**
 * Splits the lines of one text into sections: what one run of one tool printed. Prompts, headers, code fences and the
 * lines themselves show where a section begins. Each line goes to the reader of the current section first.
 */
import type { NewDiagnostic } from '../../../model/diagnostic.ts';
import type { ClockReading, LineFormat, ReadContext } from '../../importer.ts';
import { clockLine, promptClock, typedAfter, watchHeader } from './clock-line.ts';
import { NamedSection, NO_SHELL, type Shell } from './named-section.ts';
import { isNoise, parseLoss } from './noise.ts';
import { type NotRead, notRead } from './not-read.ts';
import { splitPrefix } from './prefix.ts';
import { isRedirected, type Prompt, parseBarePrompt, parsePrompt } from './prompt.ts';
import { type IndexedSection, SectionIndex } from './section-index.ts';
import {
  Lines,
  linesUnread,
  MAX_SECTIONS,
  prefixRemoved,
  textOutside,
  tooManySections,
  unknownFormat,
} from './section-report.ts';

/** A text with more than so many unreadable lines before its first section is a document, not a log. */
const PROSE = 2;

/** So many lines outside every section are compared with what is known and not read. */
const LOOKED_AT = 100;

const BLANK = /^\s*$/;
const INDENT = /^(?: {2,8}|\t)(?=\S)/;
/** What a journal puts before the line of a program. */
const OF_PROGRAM = /[^\s:[\]]\[\d{1,10}\]: ?$/;
const FENCE = /^\s*(?:```|~~~|\{(?:noformat|code(?::[^}]{0,60})?)\}\s*$)/;
/** Chats have the fence on the line of what it encloses. */
const FENCED = /^\s*(```)(?=\S*\s)([^`]*[^`\s][^`]*)$/;
const FENCE_AFTER = /^([^`]*[^`\s]\s*)(```)\s*$/;

interface OpenSection extends IndexedSection {
  section: NamedSection;
  /** Lines that stood inside it and that nobody could read, and what they look like. */
  unread: Lines;
  looks: NotRead | null;
}

export class Sections {
  readonly #name: string;
  readonly #context: ReadContext;
  readonly #formats: readonly LineFormat[];
  readonly #sections = new SectionIndex<OpenSection>();
  readonly #surplus = new Lines();
  #named = 0;
  #current: OpenSection | null = null;
  #shell: Shell = NO_SHELL;
  /** What a clock has shown, for the table that follows. */
  #shown: ClockReading | null = null;
  /** The line before was read by the current section: what follows at once is its output too. */
  #adjacent = false;
  /** Prose stands between the sections, as in an article; otherwise everything after a prompt is output. */
  #document = false;
  /** Code fences, opening and closing ones. */
  #fences = 0;
  /** Lines outside every section that are nothing known here. */
  readonly #outside = new Lines();
  /** What lines outside look like, where that is known. */
  #looks: NotRead | null = null;
  /** Blanks before every line of a block that was indented as a whole, as its first prompt shows; '' for none. */
  #indent = '';
  /** Lines that could be read without what stood before them. */
  readonly #prefixed = new Lines();
  /** First line that is not blank. */
  readonly #first = new Lines();

  constructor(name: string, context: ReadContext, formats: readonly LineFormat[]) {
    this.#name = name;
    this.#context = context;
    this.#formats = formats;
  }

  line(raw: string, number: number): void {
    const [, one, other] = FENCED.exec(raw) ?? FENCE_AFTER.exec(raw) ?? [];
    if (one !== undefined && other !== undefined) {
      this.line(one, number);
      this.line(other, number);
      return;
    }
    const text = this.#indent === '' ? raw : this.#dedented(raw);
    if (!BLANK.test(text)) this.#first.add(text, number);
    if (this.#read(text, number)) return;
    // only where the line as it stands is nothing: some tools begin their own lines with a time
    const split = splitPrefix(text);
    if (this.#indentedPrompt(text, number)) return;
    if (split && this.#read(split.rest, number)) {
      this.#prefixed.add(split.prefix, number);
    } else {
      this.#unknown(text, number, split !== null && OF_PROGRAM.test(split.prefix));
    }
  }

  /** A line longer than any that a tool writes, of which only the beginning is kept. */
  tooLong(beginning: string, number: number): void {
    this.#first.add(beginning, number);
    this.#unknown(beginning, number);
  }

  end(): void {
    const add = (d: NewDiagnostic) => this.#context.diagnostics.add(d);
    const { all } = this.#sections;
    for (const section of all) {
      section.reader.end();
      if (section.unread.count > 0)
        add(linesUnread(section.section.name, section.format.title, section.unread, section.looks));
    }
    if (this.#surplus.count > 0) add(tooManySections(this.#name, this.#surplus));
    if (all.length === 0)
      add(unknownFormat(this.#name, this.#first, Math.ceil(this.#fences / 2), this.#looks));
    else if (this.#outside.count > 0) add(textOutside(this.#name, this.#outside, this.#looks));
    if (this.#prefixed.count > 0 && all.length > 0) add(prefixRemoved(this.#name, this.#prefixed));
  }

  #dedented(text: string): string {
    if (text.startsWith(this.#indent)) return text.slice(this.#indent.length);
    if (!BLANK.test(text)) this.#indent = '';
    return text;
  }

  /** A block of code in Markdown; only a prompt tells, for some tools begin lines with blanks of their own. */
  #indentedPrompt(text: string, number: number): boolean {
    const indent = INDENT.exec(text)?.[0];
    if (indent === undefined || !this.#prompt(text.slice(indent.length), number)) return false;
    this.#indent = indent;
    return true;
  }

  /** False for a line that is nothing known here. */
  #read(text: string, number: number): boolean {
    if (this.#current?.reader.line(text, number)) {
      this.#adjacent = true;
    } else if (BLANK.test(text)) {
      this.#adjacent = false;
    } else if (FENCE.test(text)) {
      this.#document = true;
      this.#fences++;
      this.#leave(NO_SHELL);
    } else {
      return (
        this.#prompt(text, number) ||
        this.#clock(text, number) ||
        this.#start(text, number) ||
        this.#aside(text, number)
      );
    }
    return true;
  }

  /** A shell prompt, also a commented-out one, ends the section. */
  #prompt(text: string, number: number): boolean {
    const known = (command: string) => this.#formatOf(command) !== undefined;
    const prompt =
      parsePrompt(text) ??
      (text.startsWith('#') ? parsePrompt(text.slice(1).trimStart()) : null) ??
      parseBarePrompt(text, known);
    if (!prompt) return false;
    this.#shown = typedAfter(prompt.clock === null ? this.#shown : promptClock(prompt.clock));
    this.#command(this.#asTerminal(prompt), number);
    return true;
  }

  #command(shell: Shell, number: number): void {
    this.#leave(shell);
    const format = shell.command === null ? undefined : this.#formatOf(shell.command);
    if (format && !isRedirected(shell.command!)) this.#run(format, number);
  }

  /** `date` and what else shows a clock: for the table that follows, also where that goes on without a prompt. */
  #clock(text: string, number: number): boolean {
    const watch = watchHeader(text);
    const shown = watch?.shown ?? clockLine(text.startsWith('# ') ? text.slice(2) : text);
    if (!shown) return false;
    this.#shown = shown;
    this.#adjacent = false;
    if (watch)
      this.#command({ key: watch.host ?? '', host: watch.host, root: null, command: watch.command }, number);
    else if (this.#current) this.#current.section.shown = shown;
    return true;
  }

  /** The next output after a clock is of that moment; one behind it may have come later, and of what was typed only one is told. */
  #show(section: NamedSection): void {
    section.shown = this.#shown;
    this.#shown = this.#shown?.clock.uncertainty === undefined ? typedAfter(this.#shown) : null;
  }

  /** The tool of this format runs: its next snapshot where there was one on this host, else a new section. */
  #run(format: LineFormat, number: number): void {
    const earlier = this.#sections.rerunOn(format, this.#shell.key);
    if (earlier) {
      this.#show(earlier.section);
      earlier.reader.rerun?.(this.#shell.command, number);
      this.#current = earlier;
    } else {
      this.#open(format, number);
    }
  }

  #asTerminal(prompt: Prompt): Shell {
    // a prompt without a name is of the terminal of the named one before it
    const key = prompt.key === '' ? (this.#shell.key ?? '') : prompt.key;
    const host = prompt.key === '' ? this.#shell.host : prompt.host;
    return { key, host, root: prompt.root, command: prompt.command === '' ? null : prompt.command };
  }

  #formatOf(command: string): LineFormat | undefined {
    return this.#formats.find((f) => f.command?.test(command));
  }

  #leave(shell: Shell): void {
    this.#current = null;
    this.#adjacent = false;
    this.#shell = shell;
  }

  /** A header or record that a format knows as its own begins or resumes a section. */
  #start(text: string, number: number): boolean {
    const format = this.#formats.find((f) => f.recognises(text));
    if (!format) return false;
    const before = this.#current;
    const apart = before?.format !== format;
    const told = apart ? this.#sections.continuedBy(format, text) : undefined;
    const count = this.#sections.all.length;
    if (told) this.#current = told;
    else if (apart && this.#shell.key !== null) this.#run(format, number);
    else this.#open(format, number);
    if (this.#current === null) return true;
    if (this.#current.reader.line(text, number)) {
      this.#adjacent = true;
      return true;
    }
    // it looked like one but is damaged
    if (this.#sections.all.length > count) this.#sections.removeLast();
    this.#current = before;
    return false;
  }

  #open(format: LineFormat, number: number): void {
    if (this.#sections.all.length >= MAX_SECTIONS) {
      this.#surplus.add('', number);
      this.#current = null;
      return;
    }
    const section = new NamedSection(this.#shell, number, this.#context, () => this.#nextName());
    this.#show(section);
    const reader = format.open(section);
    const terminal = this.#shell.key;
    this.#current = { format, reader, terminal, section, unread: new Lines(), looks: null };
    this.#sections.add(this.#current);
  }

  #nextName(): string {
    return ++this.#named === 1 ? this.#name : `${this.#name}#${this.#named}`;
  }

  /** Notes of the tools, losses they report, comments, commented-out output. */
  #aside(text: string, number: number): boolean {
    const loss = parseLoss(text);
    if (loss) {
      const source = this.#current?.section.name ?? this.#name;
      if (loss.count > 0) this.#context.diagnostics.add({ ...loss, source, locator: `line ${number}` });
      return true;
    }
    if (isNoise(text)) {
      this.#adjacent = false;
      return true;
    }
    if (!text.startsWith('#')) return false;
    const inner = text.slice(1).trimStart();
    if (this.#current?.reader.line(inner, number)) return true;
    if (!this.#start(inner, number)) this.#adjacent = false;
    return true;
  }

  /** Of a journal, lines of other programs are no loss of the one that is read. */
  #unknown(text: string, number: number, isOfProgram = false): void {
    const section = this.#current;
    if (section && !isOfProgram && (this.#adjacent || !this.#document)) {
      if (section.reader.skips?.(text)) return;
      if (section.unread.count < LOOKED_AT) section.looks ??= notRead(text);
      section.unread.add(text, number);
      section.reader.unread?.();
      return;
    }
    if (this.#outside.count < LOOKED_AT) this.#looks ??= notRead(text);
    this.#outside.add(text, number);
    if (this.#sections.all.length === 0 && this.#outside.count > PROSE) this.#document = true;
  }
}
