import type { Units } from '../types.ts';

export class LineUnits implements Units {
  #codes = new Uint16Array(1 << 10);

  take(line: string): Uint16Array {
    if (line.length >= this.#codes.length) this.#codes = new Uint16Array(line.length * 2);
    for (let i = 0; i < line.length; i++) this.#codes[i] = line.charCodeAt(i);
    return this.#codes;
  }
}
