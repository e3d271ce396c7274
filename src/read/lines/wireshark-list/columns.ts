/** The columns of a list: split at blanks, at tabs or as CSV, in the default order or that of the header. */

export interface ListRow {
  time: string;
  source: string;
  destination: string;
  protocol: string;
  info: string;
  /** 0 where no column shows it. */
  ttl: number;
}

type Column = 'time' | 'source' | 'destination' | 'protocol' | 'info' | 'ttl';
const NEEDED = ['time', 'source', 'destination', 'protocol', 'info'] as const;
/** Titles that people give these columns, in lower case. */
const TITLES: Readonly<Record<Column, readonly string[]>> = {
  time: ['time', 'absolute time', 'relative time', 'epoch time'],
  source: ['source', 'source address', 'src', 'ip.src'],
  destination: ['destination', 'destination address', 'dest', 'dst', 'ip.dst'],
  protocol: ['protocol', 'proto'],
  info: ['info'],
  ttl: ['ttl', 'time to live', 'ip.ttl', 'hop limit'],
};
const TEXT_HEADER = /^\s*No\.\s+Time\s+Source\s+(?:→\s+)?Destination\s+Protocol\s+(?:Length\s+)?Info\s*$/;
/**
 * `[No.] Time [other times] Source [port] [→] Destination [port] Protocol [Length and other numbers] Info`, between blanks
 * or tabs. The numbers before Info end where that begins, with notes in brackets or with the ports.
 */
const TEXT =
  /^\s*(?:\d{1,9}\s+)?((?:\d{4}-\d\d-\d\d )?(?:\d\d:\d\d:\d\d\.\d{1,9}|\d{1,10}\.\d{1,9}))\s+(?:\d{1,10}\.\d{3,9}\s+){0,3}(\S{1,255})\s+(?:\d{1,5}\s+)?(?:(?:→|->)\s+)?(\S{1,255})\s+(?:\d{1,5}\s+)?([A-Za-z][\w./-]{1,31})\s+(?:(?:\d{1,9}\s+){0,4}?((?:\[[^\]]{1,80}\] ?){0,6}\S{1,64}\s+(?:→|->|>)\s.*)|(?:\d{1,6}\s+)?(\S.*))$/;

interface Layout {
  separator: '"' | '\t' | ',';
  places: ReadonlyMap<Column, number>;
}

const DEFAULT: Layout = {
  separator: '"',
  places: new Map<Column, number>([
    ['time', 1],
    ['source', 2],
    ['destination', 3],
    ['protocol', 4],
    ['info', 6],
  ]),
};

export class Columns {
  #layout = DEFAULT;

  static isHeader(line: string): boolean {
    return TEXT_HEADER.test(line) || layoutOf(line) !== null;
  }

  /** Takes a header; false for every other line. */
  header(line: string): boolean {
    const layout = layoutOf(line);
    if (layout) this.#layout = layout;
    return layout !== null || TEXT_HEADER.test(line);
  }

  row(line: string): ListRow | null {
    const isSplit = this.#layout.separator === '"' ? line.startsWith('"') : true;
    const split = isSplit ? this.#split(line) : null;
    if (split || line.startsWith('"')) return split;
    const match = TEXT.exec(line);
    if (!match) return null;
    const [, time, source, destination, protocol, segment, other] = match as unknown as string[];
    const info = segment ?? other!;
    return { time: time!, source: source!, destination: destination!, protocol: protocol!, info, ttl: 0 };
  }

  #split(line: string): ListRow | null {
    const { separator, places } = this.#layout;
    const cells = cellsOf(line, separator);
    const cell = (column: Column) => cells[places.get(column) ?? -1]?.trim();
    const [time, source, destination, protocol] = NEEDED.map(cell);
    // without quotes, commas of the last column cut nothing
    const last = places.get('info')!;
    const isLast = separator === ',' && [...places.values()].every((place) => place <= last);
    const info = isLast ? cells.slice(last).join(separator) : cell('info');
    if (!time || !source || !destination || !protocol || info === undefined) return null;
    if (!/^[\d:., -]*\d$/.test(time)) return null;
    return { time, source, destination, protocol, info, ttl: Number(cell('ttl')) || 0 };
  }
}

/** How rows are split and where their columns stand, by a header; null for any other line. */
function layoutOf(line: string): Layout | null {
  if (!/\binfo\b/i.test(line)) return null;
  for (const separator of ['"', '\t', ','] as const) {
    const titles = cellsOf(line, separator).map((cell) => cell.trim().toLowerCase());
    const places = new Map<Column, number>();
    for (const [column, names] of Object.entries(TITLES)) {
      const place = titles.findIndex((title) => names.includes(title));
      if (place >= 0) places.set(column as Column, place);
    }
    if (NEEDED.every((column) => places.has(column))) return { separator, places };
  }
  return null;
}

/** `"a","b ""c"""` to `a` and `b "c"`; without quotes as they stand. */
function cellsOf(line: string, separator: Layout['separator']): string[] {
  const end = line.trimEnd();
  if (separator !== '"') return end.split(separator);
  if (!end.startsWith('"') || !end.endsWith('"')) return [];
  return end
    .slice(1, -1)
    .split('","')
    .map((cell) => cell.replaceAll('""', '"'));
}
