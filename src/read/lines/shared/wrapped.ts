/**
 * Lines that a terminal cut at its width, or mail wrapped between words: put together again before anything reads them. A
 * text counts as wrapped only where a piece that no format knows becomes a line of one together with what follows it, and
 * what follows is no line itself; then pieces that look whole (`length 14`, and `60` on the next line) are joined as well.
 */

/** Lines from which the width is told. */
const HEAD = 2000;
const NARROWEST = 40;
const WIDEST = 240;
/** Pieces of one line; the names of all counters take 40. */
const PIECES = 64;
/** After so many pieces that began no line half as many are tried, but never fewer than these. */
const PATIENCE = 64;
const FEWEST = 4;
/** Blanks at the end of a piece that a copy from the terminal leaves out. */
const TRIMMED = 8;
/** Characters of a time of day. */
const STAMP = 8;
const QUOTED = /^(?:> ?){1,8}/;

interface NumberedLine {
  text: string;
  number: number;
}

interface WrappedOptions {
  /** A header, record or prompt: a line of its own. */
  isLine(text: string): boolean;
  line(text: string, number: number): void;
  /** Lines were joined; called once, with the first. */
  joined(width: number, first: number): void;
}

interface Style {
  width: number;
  /** Cut at the width, within words; else between words. */
  isCut: boolean;
}

interface Search {
  isLine(text: string): boolean;
  /** Pieces since the last line that was found, of which none began one. */
  fails: number;
}

export class Unwrapper {
  readonly #options: WrappedOptions;
  #head: NumberedLine[] | null = [];
  #style: Style | null = null;
  #pieces: NumberedLine[] = [];
  #isSaid = false;
  readonly #search: Search;

  constructor(options: WrappedOptions) {
    this.#options = options;
    this.#search = { isLine: options.isLine, fails: 0 };
  }

  line(text: string, number: number): void {
    if (this.#head) {
      this.#head.push({ text, number });
      if (this.#head.length === HEAD) this.#begin();
    } else if (this.#style) {
      this.#piece({ text, number }, this.#style);
    } else {
      this.#options.line(text, number);
    }
  }

  end(): void {
    this.#begin();
    if (this.#style) this.#flush(this.#style);
  }

  #begin(): void {
    const head = this.#head;
    if (!head) return;
    this.#head = null;
    this.#style = styleOf(head, (text) => this.#options.isLine(text));
    for (const { text, number } of head) this.line(text, number);
  }

  #piece(piece: NumberedLine, style: Style): void {
    const last = this.#pieces.at(-1);
    const goesOn =
      last &&
      this.#pieces.length < PIECES &&
      mayGoOn(last.text, piece.text, style.width) &&
      !this.#options.isLine(piece.text);
    if (!goesOn) this.#flush(style);
    this.#pieces.push(piece);
  }

  #flush(style: Style): void {
    const pieces = this.#pieces;
    this.#pieces = [];
    for (const own of linesOf(pieces, style, this.#search)) {
      const [{ text, number }] = own as [NumberedLine];
      if (own.length > 1 && !this.#isSaid) {
        this.#options.joined(style.width, number);
        this.#isSaid = true;
      }
      this.#options.line(own.length > 1 ? joinedText(own, style) : text, number);
    }
  }
}

/** The next word would not have fitted. */
function mayGoOn(before: string, after: string, width: number): boolean {
  const { length } = before;
  if (after === '' || length > width || length < NARROWEST / 2 || after.startsWith('\t')) return false;
  const word = after.replace(QUOTED, '').search(/\s|$/);
  return length >= width - TRIMMED || length + 1 + word > width;
}

/**
 * Pieces by the line they are of: it ends with the first piece that makes it whole, and is not full or makes no line with the
 * next. The more pieces began none, the fewer behind one are tried: lines of one length that are nothing known may be many.
 */
function linesOf(pieces: readonly NumberedLine[], style: Style, search: Search): NumberedLine[][] {
  const lines: NumberedLine[][] = [];
  for (let from = 0; from < pieces.length; ) {
    let to = from + 1;
    const reach = Math.max(FEWEST, Math.floor(PIECES / (1 + search.fails / PATIENCE)));
    const last = Math.min(pieces.length, from + reach);
    const isWhole = (end: number) => end <= last && search.isLine(joinedText(pieces.slice(from, end), style));
    const isEnd = () => {
      const isFull = style.isCut ? pieces[to - 1]!.text.length === style.width : true;
      const goesOn = to < last && isFull && !beginsAlike(pieces[from]!.text, pieces[to]!.text);
      return isWhole(to) && !(goesOn && isWhole(to + 1));
    };
    while (to < last && !isEnd()) to++;
    if (isWhole(to)) search.fails = 0;
    else {
      search.fails++;
      to = from + 1;
    }
    lines.push(pieces.slice(from, to));
    from = to;
  }
  return lines;
}

/** Both with a time: the second is the beginning of a line, not the rest of the first. */
function beginsAlike(first: string, second: string): boolean {
  const [a, b] = [first, second].map((text) => text.replace(QUOTED, '').slice(0, STAMP).replace(/\d/g, '9'));
  return a === b && /^\[?[ 9:.-]+$/.test(a!) && a!.includes('9:99');
}

function joinedText(pieces: readonly NumberedLine[], { width, isCut }: Style): string {
  const isQuoted = QUOTED.test(pieces[0]!.text);
  const texts = pieces.map(({ text }, i) => (isQuoted && i > 0 ? text.replace(QUOTED, '') : text));
  if (!isCut) return texts.map((text, i) => (i === 0 ? text.trimEnd() : text.trim())).join(' ');
  return texts.map((text, i) => (i < texts.length - 1 ? text.padEnd(width) : text)).join('');
}

/** How the text is wrapped; null when it is not. */
function styleOf(head: readonly NumberedLine[], isLine: (text: string) => boolean): Style | null {
  const width = head.reduce(
    (most, { text }) => (/\S\s+\S/.test(text) ? Math.max(most, text.length) : most),
    0,
  );
  if (width < NARROWEST || width > WIDEST) return null;
  const known = new Map<string, boolean>();
  const isKnown = (text: string) => {
    let answer = known.get(text);
    if (answer === undefined) {
      answer = isLine(text);
      known.set(text, answer);
    }
    return answer;
  };
  const groups = groupsOf(head, width, isKnown).filter(([first]) => !isKnown(first!.text));
  const proven = (isCut: boolean) => {
    const search = { isLine: isKnown, fails: 0 };
    return groups.filter((pieces) => linesOf(pieces, { width, isCut }, search).some((own) => own.length > 1))
      .length;
  };
  const [cut, wrapped] = [proven(true), proven(false)];
  if (cut + wrapped === 0) return null;
  // cut at the width all are as long, but for a blank that a copy leaves out; between words they are not
  const isFull = groups.every(([first]) => first!.text.length >= width - 1 && !QUOTED.test(first!.text));
  return { width, isCut: cut > wrapped || (cut === wrapped && isFull) };
}

/** Lines each followed by what may be its rest. */
function groupsOf(
  head: readonly NumberedLine[],
  width: number,
  isKnown: (text: string) => boolean,
): NumberedLine[][] {
  const groups: NumberedLine[][] = [];
  for (const line of head) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    const goesOn = last && group!.length < PIECES && mayGoOn(last.text, line.text, width);
    if (goesOn && !isKnown(line.text)) group!.push(line);
    else groups.push([line]);
  }
  return groups.filter((pieces) => pieces.length > 1);
}
