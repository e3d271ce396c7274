import { CLIENT, SERVER } from '../../model/connection.ts';
import { SYN } from '../../model/tcp.ts';
import type { Facts } from '../facts/facts.ts';
import { halfHandshakeReset } from './half-handshake.ts';

/**
 * Segments of the client that met the full queue after its SYN was taken: all before the one that the server took or
 * reset; with tcp_abort_on_overflow the one it reset as well. null without packets.
 */
export function refusedAcks(f: Facts): number | null {
  const { wire } = f;
  if (!wire) return null;
  if (wire.sentOnlySynAcks(SERVER)) {
    const sent = wire.of(wire.wire.packets, CLIENT) - wire.of(wire.wire.syns, CLIENT);
    const own = wire.decisiveReset && halfHandshakeReset(f)[0]?.rule !== 'abort-on-overflow-reset';
    return Math.max(0, sent - (own ? 1 : 0));
  }
  const taken = wire.packets.find((p) => wire.sideOf(p) === SERVER && !(p.flags & SYN));
  if (!taken) return null;
  return Math.max(0, wire.before(taken, CLIENT).filter((p) => !(p.flags & SYN)).length - 1);
}
