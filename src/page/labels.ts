/** Which labels of a picture have room at which zoom. A picture is as wide as `PLOT` pixels, times the zoom. */

export const PLOT = 760;
export const ZOOMS = [1, 2, 4, 8, 16, 32] as const;

/** Width of a character, in pixels, of the font that pictures use. */
const CHARACTER = 6.4;

export function widthOf(text: string): number {
  return text.length * CHARACTER + 6;
}

/** How a text stands to its position, from 0 to 100: near the edges of the picture it stays inside. */
export const anchor = (x: number) => (x < 3 ? 'begin' : x > 97 ? 'end' : 'middle');

interface LabelBox {
  /** Position, from 0 to 100, in each row. */
  x: (level: number) => number;
  text: string;
  /** Those that matter most get their place first. */
  important: boolean;
}

export interface LabelPlace {
  /** Row, from 0. */
  level: number;
  /** Smallest zoom at which there is room. */
  zoom: number;
}

/**
 * A place for every label that has room at some zoom, none above another; null for the others. A label keeps its row
 * at every zoom beyond its first: distances only grow.
 */
export function placeLabels(boxes: readonly LabelBox[], levels: number): (LabelPlace | null)[] {
  const places: (LabelPlace | null)[] = boxes.map(() => null);
  const order = boxes
    .map((_, i) => i)
    .sort((a, b) => Number(boxes[b]!.important) - Number(boxes[a]!.important));
  for (const zoom of ZOOMS) {
    for (const i of order) {
      if (places[i] !== null) continue;
      for (let level = 0; level < levels && places[i] === null; level++) {
        if (isFree(boxes, places, i, level, zoom)) places[i] = { level, zoom };
      }
    }
  }
  return places;
}

function isFree(
  boxes: readonly LabelBox[],
  places: readonly (LabelPlace | null)[],
  i: number,
  level: number,
  zoom: number,
): boolean {
  const box = boxes[i]!;
  const width = widthOf(box.text);
  const middle = middleOf(box, level, zoom);
  return places.every((place, j) => {
    if (place === null || place.level !== level) return true;
    const apart = Math.abs(middleOf(boxes[j]!, level, zoom) - middle);
    return apart >= (width + widthOf(boxes[j]!.text)) / 2;
  });
}

/** In pixels. */
function middleOf({ x, text }: LabelBox, level: number, zoom: number): number {
  const shift = { begin: 0.5, middle: 0, end: -0.5 }[anchor(x(level))];
  return (x(level) / 100) * PLOT * zoom + shift * widthOf(text);
}

/** Smallest zoom at which a text fits between two positions; null when at none. */
export function zoomToFit(text: string, x: number, x2: number): number | null {
  return ZOOMS.find((zoom) => ((x2 - x) / 100) * PLOT * zoom >= widthOf(text)) ?? null;
}
