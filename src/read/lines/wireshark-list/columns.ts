/** The columns of a list: split at blanks, at tabs or as CSV, in the default order or that of the header. */

export interface ListRow {
  time: string;
  source: string;
  destination: string;
  protocol: string;
  info: string;
}

const NAMES = ['time', 'source', 'destination', 'protocol', 'info'] as const;
const TEXT_HEADER = /^\s*No\.\s+Time\s+Source\s+(?:→\s+)?Destination\s+Protocol\s+(?:Length\s+)?Info\s*$/;
/** `[No.] Time [other times] Source [→] Destination Protocol [Length] Info`, between blanks or tabs. */
const TEXT =
  /^\s*(?:\d{1,9}\s+)?((?:\d{4}-\d\d-\d\d )?(?:\d\d:\d\d:\d\d\.\d{1,9}|\d{1,10}\.\d{1,9}))\s+(?:\d{1,10}\.\d{3,9}\s+){0,3}(\S{1,255})\s+(?:(?:→|->)\s+)?(\S{1,255})\s+([A-Za-z][\w./-]{1,31})\s+(?:\d{1,6}\s+)?(\S.*)$/;
const DEFAULT = new Map([
  ['time', 1],
  ['source', 2],
  ['destination', 3],
  ['protocol', 4],
  ['info', 6],
]);

export class Columns {
  #places: ReadonlyMap<string, number> = DEFAULT;

  static isHeader(line: string): boolean {
    return TEXT_HEADER.test(line) || placesOf(line) !== null;
  }

  /** Takes a header; false for every other line. */
  header(line: string): boolean {
    const places = placesOf(line);
    if (places) this.#places = places;
    return places !== null || TEXT_HEADER.test(line);
  }

  row(line: string): ListRow | null {
    if (line.startsWith('"')) return this.#quoted(line);
    const match = TEXT.exec(line);
    if (!match) return null;
    const [, time, source, destination, protocol, info] = match as unknown as string[];
    return { time: time!, source: source!, destination: destination!, protocol: protocol!, info: info! };
  }

  #quoted(line: string): ListRow | null {
    const cells = cellsOf(line);
    const [time, source, destination, protocol, info] = NAMES.map((name) => cells[this.#places.get(name)!]);
    if (!time || !source || !destination || !protocol || info === undefined) return null;
    return /^[\d:., -]*\d$/.test(time) ? { time, source, destination, protocol, info } : null;
  }
}

/** Where the columns stand, by a header of CSV; null for any other line. */
function placesOf(line: string): Map<string, number> | null {
  if (!line.startsWith('"') || !line.includes('"Info"')) return null;
  const cells = cellsOf(line).map((cell) => cell.toLowerCase());
  const places = NAMES.map((name) => [name, cells.indexOf(name)] as const);
  return places.every(([, place]) => place >= 0) ? new Map<string, number>(places) : null;
}

/** `"a","b ""c"""` to `a` and `b "c"`. */
function cellsOf(line: string): string[] {
  const end = line.trimEnd();
  if (!end.endsWith('"')) return [];
  return end
    .slice(1, -1)
    .split('","')
    .map((cell) => cell.replaceAll('""', '"').trim());
}
