import { sameEndpoint } from '../../model/address.ts';
import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import type { DropEvent } from '../../model/event.ts';
import { dropEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { DROPS } from '../mask.ts';
import { SIDE_NAMES } from '../procedures/common.ts';
import type { Rule, Verdict } from '../rule.ts';
import { capital, count, list } from '../words.ts';

export interface Full extends Verdict {
  drops: readonly DropEvent[];
}

/** enum skb_drop_reason: what tcp_data_queue and tcp_add_backlog say when a socket can hold no more. */
const REASONS: Readonly<Record<string, string>> = {
  SOCKET_RCVBUFF: 'its receive buffer was full',
  SOCKET_BACKLOG: 'the backlog of the socket was full while its process held it',
  PROTO_MEM: 'neither its receive buffer nor tcp_mem could hold more',
};
/** tcp_sequence(), 6.17 and later, not run: a slow reader offers little, or the peer sends more than it may. */
const BEYOND = 'TCP_INVALID_END_SEQUENCE';

export const rule: Rule<'receive-buffer-full', Full> = {
  id: 'receive-buffer-full',
  group: 'stuck',
  title: 'Receive buffer full: segments dropped',
  severity: 'warning',
  happened: 'had segments dropped because the receive buffer was full',
  condition:
    'The process does not read, or segments take more memory than the data in them: what comes beyond the receive buffer (tcp_rmem, SO_RCVBUF, tcp_mem) is dropped and has to be sent again.',
  when: DROPS,
  reference: 'tcp_data_queue → tcp_try_rmem_schedule (TCPRcvQDrop), tcp_add_backlog (TCPBacklogDrop)',
  signatures: [
    {
      by: ['drops'],
      kernels: '5.17+',
      claims: 'proved',
      sign: 'a segment of an established connection dropped with SOCKET_RCVBUFF, SOCKET_BACKLOG or PROTO_MEM',
    },
  ],
  decide: (f) => [SERVER, CLIENT].flatMap((side) => atReceiver(f, side as SideIndex)),
  tell: (f, { drops, side }) => {
    const why = [
      ...new Set(
        drops.map(
          (d) =>
            REASONS[d.reason!.name!] ??
            'they reached beyond the window it had offered, as a slow reader leaves it',
        ),
      ),
    ];
    return {
      summary: `${capital(f.name(side === 'client' ? CLIENT : SERVER))} dropped ${count(drops.length, 'segment')}: ${list(why)}.`,
      remedy:
        'See with `ss -tnmi` whether Recv-Q stays high: then the process is too slow, or hangs. If it reads, raise the last number of net.ipv4.tcp_rmem and do not set SO_RCVBUF by hand; for tcp_mem look at /proc/net/sockstat.',
    };
  },
};

/** Both ends may have dropped what came. */
function atReceiver(f: Facts, side: SideIndex): Full[] {
  const own = f.drops.filter((d) => d.state !== 'LISTEN' && sameEndpoint(d.to, f.endpoint(side)));
  const full = own.filter((d) => (d.reason?.name ?? '') in REASONS);
  const drops = full.length > 0 ? full : own.filter((d) => d.reason?.name === BEYOND);
  const [first] = drops;
  if (!first) return [];
  return [
    {
      drops,
      confidence: full.length > 0 ? 'proved' : 'possible',
      side: SIDE_NAMES[side]!,
      moment: f.atEvent(first),
      evidence: drops.slice(0, 3).map((d) => dropEvidence(f.world, d)),
    },
  ];
}
