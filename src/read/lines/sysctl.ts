/** `sysctl -a`, whole or grepped: the kernel's settings. Only net.* become events. */
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { Interner } from './shared/interner.ts';
import { NO_CLOCK, SectionSource } from './shared/section.ts';

const SETTING =
  /^((?:abi|crypto|debug|dev|fs|kernel|net|sunrpc|user|vm)(?:\.[\w@:/*-]{1,128}){1,12}) = ?(.{0,4096})$/;

export const sysctl: LineFormat = {
  id: 'sysctl',
  title: 'sysctl -a',
  clock: 'order',
  proves: 'Which limits and switches of TCP were in force when it was taken.',
  cannotProve: 'Which were in force before; a listener keeps the backlog it was given.',
  example: 'net.ipv4.tcp_abort_on_overflow = 0',
  command: runs('sysctl'),
  recognises: (line) => line.startsWith('net.') && SETTING.test(line),
  open: (section) => new SysctlReader(section),
};

class SysctlReader implements LineReader {
  readonly #source: SectionSource;
  readonly #interner = new Interner();

  constructor(section: Section) {
    this.#source = new SectionSource(section, sysctl.id);
  }

  line(text: string, line: number): boolean {
    const match = SETTING.exec(text);
    if (!match) return false;
    if (!text.startsWith('net.')) return true;
    const source = this.#source.open(NO_CLOCK);
    this.#source.event(source, {
      kind: 'sysctl',
      source: source.id,
      line,
      time: null,
      name: this.#interner.keep(match[1]!),
      value: this.#interner.keep(match[2]!.trim()),
    });
    return true;
  }

  /** Run again, it still speaks of the same host: later values follow earlier ones. */
  rerun(): void {}

  end(): void {}
}
