/** Members of a tar (POSIX.1-1988 ustar, pax, GNU long names and sizes), as its bytes come by. */

/** What a header says. */
export interface TarMember {
  name: string;
  /** In bytes. */
  size: number;
  type: 'file' | 'folder' | 'link' | 'device';
  /** Where its content begins in the tar. */
  offset: number;
  /** Its content, as far as there is any. What is not taken is passed over. */
  blocks(): AsyncGenerator<Uint8Array>;
}

/** The tar ends, or makes no sense any more, at this byte. */
export class TarError extends Error {
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.at = at;
  }
}

const BLOCK = 512;
/** Longer names and attributes are not meant. */
const MOST_ATTRIBUTES = 1 << 20;

/** True when bytes begin with a header whose checksum fits. */
export function isTar(head: Uint8Array): boolean {
  return head.length >= BLOCK && head[0] !== 0 && checksumFits(head.subarray(0, BLOCK));
}

/** Throws TarError behind the last sound member. */
export async function* tarMembers(bytes: AsyncGenerator<Uint8Array>): AsyncGenerator<TarMember> {
  const input = new Input(bytes);
  let attributes: Attributes = {};
  for (;;) {
    const at = input.at;
    const header = await input.take(BLOCK);
    if (header.length === 0) throw new TarError(at, 'ends without the two empty blocks that close a tar');
    if (header.length < BLOCK) throw new TarError(at, 'is cut within the header of a member');
    if (header.every((byte) => byte === 0)) return;
    if (!checksumFits(header)) throw new TarError(at, 'has a damaged header (its checksum does not fit)');
    const flag = String.fromCharCode(header[156]!);
    const size = attributes.size ?? numberIn(header, 124, 12);
    if (!Number.isSafeInteger(size) || size < 0) throw new TarError(at, 'gives a size that makes no sense');
    if ('xgLK'.includes(flag)) {
      const own = await attributesOf(input, flag, size);
      if (flag !== 'g') attributes = { ...attributes, ...own };
      continue;
    }
    const name = attributes.name ?? nameIn(header);
    const type = TYPES[flag] ?? (name.endsWith('/') ? 'folder' : 'file');
    attributes = {};
    const end = input.at + size;
    const offset = input.at;
    yield { name, size, type, offset, blocks: () => input.until(end) };
    for await (const passed of input.until(end)) void passed;
    if (input.at < end) throw new TarError(input.at, `is cut within ${name}`);
    await input.skip((BLOCK - (size % BLOCK)) % BLOCK);
  }
}

const TYPES: Record<string, TarMember['type']> = {
  '1': 'link',
  '2': 'link',
  '3': 'device',
  '4': 'device',
  '5': 'folder',
  '6': 'device',
};

interface Attributes {
  name?: string;
  size?: number;
}

async function attributesOf(input: Input, flag: string, size: number): Promise<Attributes> {
  if (size > MOST_ATTRIBUTES) throw new TarError(input.at, 'gives attributes that are too long to be meant');
  const content = await input.take(size);
  await input.skip((BLOCK - (size % BLOCK)) % BLOCK);
  if (flag === 'L') return { name: textOf(untilNul(content)) };
  return flag === 'x' ? paxAttributes(content) : {};
}

/** Records `LENGTH KEY=VALUE\n`. */
function paxAttributes(content: Uint8Array): Attributes {
  const found: Attributes = {};
  for (let at = 0; at < content.length; ) {
    const blank = content.indexOf(32, at);
    const length = Number(textOf(content.subarray(at, blank)));
    if (blank < 0 || !(length > blank - at)) break;
    const [, key, value] = /^([^=]*)=(.*)\n$/s.exec(textOf(content.subarray(blank + 1, at + length))) ?? [];
    if (key === 'path') found.name = value!;
    if (key === 'size') found.size = Number(value);
    at += length;
  }
  return found;
}

function nameIn(header: Uint8Array): string {
  const name = textOf(untilNul(header.subarray(0, 100)));
  const isUstar = textOf(header.subarray(257, 263)) === 'ustar\0';
  const prefix = isUstar ? textOf(untilNul(header.subarray(345, 500))) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function untilNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** UTF-8, else byte for byte: a name in another encoding is still a name. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('latin1').decode(bytes);
  }
}

/** Octal digits, or GNU's binary numbers with the first bit set. */
function numberIn(header: Uint8Array, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if (field[0]! & 0x80) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, field[0]! & 0x7f);
  const digits = textOf(untilNul(field)).trim();
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function checksumFits(header: Uint8Array): boolean {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i]!;
  return sum === numberIn(header, 148, 8);
}

/** Bytes in portions that are asked for. */
class Input {
  at = 0;
  readonly #bytes: AsyncGenerator<Uint8Array>;
  #rest = new Uint8Array(0);

  constructor(bytes: AsyncGenerator<Uint8Array>) {
    this.#bytes = bytes;
  }

  /** So many bytes, fewer at the end; valid for good. */
  async take(length: number): Promise<Uint8Array> {
    const taken = new Uint8Array(length);
    let filled = 0;
    for await (const block of this.until(this.at + length)) {
      taken.set(block, filled);
      filled += block.length;
    }
    return taken.subarray(0, filled);
  }

  async skip(length: number): Promise<void> {
    await this.take(length);
  }

  /** What lies before a place, in blocks that are valid until the next one is asked for. */
  async *until(end: number): AsyncGenerator<Uint8Array> {
    while (this.at < end) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#bytes.next();
        if (done) return;
        this.#rest = value as Uint8Array<ArrayBuffer>;
      }
      const part = this.#rest.subarray(0, end - this.at);
      this.#rest = this.#rest.subarray(part.length);
      this.at += part.length;
      yield part;
    }
  }
}
