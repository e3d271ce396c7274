/** What pcapng files hold beside packets (draft-ietf-opsawg-pcapng): all of it stays in the annotated file. */
import type { Source } from '../model/source.ts';
import { visible } from '../model/visible.ts';
import { u32 } from '../read/capture/byte-order.ts';
import { INTERFACE, SECTION_HEADER, SKIPPED } from '../read/capture/pcapng-blocks.ts';
import { optionsOf, type PcapngOption } from '../read/capture/pcapng-options.ts';
import { COMMENT } from '../read/capture/pcapng-packet-options.ts';
import { comment, IF_DESCRIPTION, IF_NAME, text } from './blocks.ts';

/** An interface as its file has it. */
export interface Described {
  snapLength: number;
  options: readonly PcapngOption[];
}

const NO_NUMBERS: ReadonlySet<number> = new Set();
/** if_speed and if_tzone are numbers; if_tsresol and if_tsoffset are the output's own. */
const INTERFACE_NUMBERS = new Set([8, 10]);
const INTERFACE_TIMES = new Set([9, 14]);
/** Its comments, name, description, system and hardware. */
const INTERFACE_TEXTS: ReadonlySet<number> = new Set([COMMENT, IF_NAME, IF_DESCRIPTION, 12, 15]);
const COMMENTS: ReadonlySet<number> = new Set([COMMENT]);

export const named = (name: string, description: string) => [
  text(IF_NAME, name),
  text(IF_DESCRIPTION, description),
];
export const isComment = ([code]: PcapngOption) => code === COMMENT;
export const textOf = ([, value]: PcapngOption) => new TextDecoder().decode(value);

/** Lines stay; what cannot be seen, and could pass for something else, becomes an escape. */
export function inSight(option: PcapngOption, texts = COMMENTS): PcapngOption {
  const [code] = option;
  if (!texts.has(code)) return option;
  const value = textOf(option).split('\n').map(visible).join('\n');
  // escapes are longer, and a length has 16 bits
  return Buffer.byteLength(value) > 0xffff ? text(code, value) : [code, Buffer.from(value)];
}

export class Beside {
  readonly #interfaces = new Map<string, Described>();
  /** Comments on the sections of a source. */
  readonly #comments = new Map<Source, PcapngOption[]>();

  /** Keeps what a section or an interface says; returns any other block, which belongs between the packets, or null. */
  take(source: Source, type: number, bytes: Uint8Array, isBigEndian: boolean): Uint8Array | null {
    const end = bytes.length - 4;
    if (type === SECTION_HEADER) {
      const comments = optionsOf(bytes, 24, end, isBigEndian, NO_NUMBERS)
        .filter(isComment)
        .map((o) => inSight(o));
      this.#comments.set(source, [...(this.#comments.get(source) ?? []), ...comments]);
    } else if (type === INTERFACE) {
      const options = optionsOf(bytes, 16, end, isBigEndian, INTERFACE_NUMBERS);
      this.#interfaces.set(keyOf(source, source.interfaces?.length ?? 0), {
        snapLength: u32(bytes, 12, isBigEndian),
        options: options
          .filter(([code]) => !INTERFACE_TIMES.has(code))
          .map((o) => inSight(o, INTERFACE_TEXTS)),
      });
    } else if (SKIPPED.has(type) && !isBigEndian) return bytes.slice();
    return null;
  }

  /** An interface of a source; what does not name it is named by the file. */
  described(source: Source, number: number, file: string): Described {
    const { snapLength = 0, options = [] } = this.#interfaces.get(keyOf(source, number)) ?? {};
    const given = new Set(options.map(([code]) => code));
    return { snapLength, options: [...named(file, file).filter(([code]) => !given.has(code)), ...options] };
  }

  /**
   * On the section that is written: those of the sources, and the story of the inputs, unless all of them have one already,
   * which was told with more evidence.
   */
  comments(sources: readonly Source[], story: readonly string[]): PcapngOption[] {
    const texts = (source: Source) => (this.#comments.get(source) ?? []).map(textOf);
    const isTold = sources.every((s) => texts(s).some((t) => t.startsWith('tcpautopsy: ')));
    const known = new Set(sources.flatMap(texts));
    const added = isTold ? [] : story.filter((s) => !known.has(s)).map(comment);
    return [...[...this.#comments.values()].flat(), ...added];
  }
}

function keyOf({ id }: Source, number: number): string {
  return `${id} ${number}`;
}
