/** What retis says, in whichever notation. */
import type { PacketHeader, ResetSentEvent } from '../../../model/event.ts';
import { DIRECTION_IN, DIRECTION_OUT } from '../../../model/packet.ts';
import { RST } from '../../../model/tcp.ts';

export const PROVES =
  'Which packets passed an interface or were dropped, and the reason that this kernel gives for a drop or a RST.';
export const CANNOT_PROVE =
  'That a packet was not sent or not dropped: only what the probes and the filter of that run asked for is there.';

/** Where a packet passes an interface, once each way: there retis sees what tcpdump would. */
export const WIRE = new Map([
  ['net:net_dev_start_xmit', DIRECTION_OUT],
  ['net:netif_receive_skb', DIRECTION_IN],
]);

/**
 * The packet of tcp_send_reset is the one that is answered; kernels that named the RST itself there named it with its
 * own RST flag, and a RST is never answered with another.
 */
export function endsOfReset(header: PacketHeader): Pick<ResetSentEvent, 'local' | 'remote' | 'answers'> {
  const { from, to } = header;
  return header.flags & RST
    ? { local: from, remote: to, answers: null }
    : { local: to, remote: from, answers: header };
}
