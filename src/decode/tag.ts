import { type Announcement, etherType, type Layer, LLC } from './cursor.ts';
import { TRUNCATED_LINK } from './outcomes.ts';

/** A tag in an Ethernet frame: so many bytes behind its own EtherType, of which the last two say what follows. */
export function tag(id: string, over: readonly Announcement[], size: number): Layer {
  return {
    id,
    over,
    role: 'tunnel',
    decode(cursor) {
      const { bytes, pos } = cursor;
      if (cursor.end - pos < size) return TRUNCATED_LINK;
      const type = (bytes[pos + size - 2] << 8) | bytes[pos + size - 1];
      cursor.pos = pos + size;
      return type < 0x0600 ? LLC : etherType(type);
    },
  };
}
