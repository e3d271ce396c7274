/** Text in lines of so many columns, painted where the terminal has colours. */

/** Paints a whole piece of text; the default paints nothing. */
export type Paint = (text: string, style: 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan') => string;
export const plain: Paint = (text) => text;

/** Breaks at spaces; a word longer than the line is cut. Keeps double spaces inside a line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\s)(?=\S)/)) {
    let rest = word;
    if (line !== '' && columns(line) + columns(rest.trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    while (columns(rest.trimEnd()) > width) {
      const cut = [...rest].slice(0, width).join('');
      lines.push(cut);
      rest = rest.slice(cut.length);
    }
    line += rest;
  }
  if (line.trim() !== '' || lines.length === 0) lines.push(line.trimEnd());
  return lines;
}

/** Columns a text takes, as far as characters tell. */
export function columns(text: string): number {
  return [...text].length;
}
