import type { KeyPacket } from '../../model/connection.ts';
import { OPT_TIMESTAMP } from '../../model/packet.ts';
import { ACK } from '../../model/tcp.ts';

/**
 * Who made a RST, by its shape (kernel-notes §1): `active` from a socket (tcp_send_active_reset), `passive` in
 * answer to a packet (tcp_v4_send_reset), `foreign` like neither, `unclear` when the flow has no timestamps to tell.
 */
export type ResetShape = 'active' | 'passive' | 'foreign' | 'unclear';

/** Kernel-notes §1, the table of the two shapes. `windowless`: see Source. */
export function resetShape(
  reset: KeyPacket,
  answers: KeyPacket | null,
  timestamps: boolean | null,
  windowless = false,
): ResetShape {
  // Linux puts no data into its RSTs
  if (reset.payload > 0) return 'foreign';
  const stamped = carriesTimestamp(reset);
  const linux = (windowless || reset.window === 0) && !stamped;
  if (!(reset.flags & ACK)) return linux ? 'passive' : 'foreign';
  const answersSyn = answers !== null && !(answers.flags & ACK);
  // before there is a socket nothing can be active
  if (reset.seq === 0 && answersSyn) return linux ? 'passive' : 'foreign';
  if (!linux) return 'active';
  if (reset.seq === 0 && answers === null) return 'passive';
  return timestamps === true ? 'foreign' : 'unclear';
}

export function carriesTimestamp(p: KeyPacket): boolean {
  return (p.options & OPT_TIMESTAMP) !== 0;
}
