import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { NS_PER_MS, NS_PER_S } from '../../model/time.ts';
import { rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { RTO_MIN } from '../facts/timing.ts';
import { OPEN_ROWS } from '../mask.ts';
import { wanted } from '../missing.ts';
import { otherSide, SIDE_NAMES } from '../procedures/common.ts';
import { MANY } from '../procedures/given-up.ts';
import type { Rule, Verdict } from '../rule.ts';
import { capital, count, MAYBE, number, span } from '../words.ts';

/** net.ipv4.tcp_retries2 where no file gives it. */
const RETRIES = 15;
/** TCP_RTO_MAX, where no setting says another (tcp_rto_max_ms, 6.15 and later). */
const RTO_MAX_MS = 120_000;
/** A segment of so many bytes passes every path (RFC 9293 §3.7.1); a larger one may be lost again and again by its size alone. */
const PASSES = 536;

export interface Silent extends Verdict {
  sender: SideIndex;
  row: SocketEvent;
}

export const rule: Rule<'peer-silent', Silent> = {
  id: 'peer-silent',
  group: 'stuck',
  title: 'Peer silent: retransmissions without an answer',
  severity: 'warning',
  happened: 'had a peer that did not answer retransmissions when the socket table was taken',
  condition:
    'Data are sent again with doubling timeouts and nothing comes back: the peer is gone, or the path is cut. The kernel gives up after tcp_retries2.',
  when: OPEN_ROWS,
  reference: 'tcp_retransmit_timer, retransmits_timed_out (net/ipv4/tcp_timer.c)',
  signatures: [
    {
      by: ['tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'retransmission timer after 3 retransmissions or more of at most 536 bytes, and lastrcv and lastack older than the first of them',
    },
    {
      by: ['tables'],
      kernels: 'any',
      claims: 'possible',
      sign: 'retransmission timer after 3 retransmissions or more',
    },
  ],
  decide: (f) => {
    for (const side of [SERVER, CLIENT] as const) {
      const row = silentRow(f, side);
      if (!row) continue;
      const { retransmits } = row.timer!;
      const isSilent = (row.unheard ?? 0) >= leastSilence(f, side, retransmits);
      const isLarge = row.sendQ > PASSES;
      return {
        confidence: isSilent && !isLarge ? 'inferred' : 'possible',
        side: SIDE_NAMES[otherSide(side)]!,
        moment: f.atEvent(row),
        evidence: [rowEvidence(f.world, row, () => `${count(retransmits, 'retransmission')} so far`)],
        alternatives: [
          ...(isLarge ? (['path-mtu-black-hole'] as const) : []),
          ...(isSilent ? [] : (['peer-window-closed'] as const)),
        ],
        sender: side,
        row,
      };
    }
    return null;
  },
  tell: (f, { sender, row }) => {
    const { left, retransmits } = row.timer!;
    const peer = f.name(otherSide(sender));
    const heard =
      (row.unheard ?? 0) >= leastSilence(f, sender, retransmits)
        ? `heard nothing of ${peer} for ${span(row.unheard ?? 0)}`
        : `no answer of ${peer}`;
    const retries = f.sysctl(sender, 'net.ipv4.tcp_retries2');
    const least = number(Math.floor(leastSilence(f, sender, (retries ?? RETRIES) + 1) / NS_PER_S));
    return {
      summary:
        `${capital(f.name(sender))} had ${heard} after ${count(retransmits, 'retransmission')}, ` +
        `${MAYBE}because the peer is gone or the path is cut. The next is due in ${span(left)}; the kernel gives up after ` +
        `tcp_retries2 (${retries ?? `${RETRIES} by default`}: about ${least} s at the smallest timeout).`,
      remedy:
        'Check whether the peer is up and reachable, and what on the path may have forgotten the connection (firewall, NAT, load balancer). TCP_USER_TIMEOUT or a smaller tcp_retries2 gives up sooner.',
      missing: wanted('packets', SIDE_NAMES[sender]!),
    };
  },
};

/** An open connection that retransmits by its timer; nothing shows that it ended, or that an answer came. */
function silentRow(f: Facts, side: SideIndex): SocketEvent | null {
  const row = f.rows(side).at(-1);
  if (f.life(side)?.life.state === 'CLOSE' || (f.wire && !f.wire.unansweredRepeats(side))) return null;
  if (row?.timer?.name !== 'on' || row.timer.retransmits < MANY) return null;
  return row.state === 'ESTABLISHED' || row.state === 'CLOSE_WAIT' ? row : null;
}

/** From the first transmission to the n-th retransmission at least, ns: the timeout doubles up to tcp_rto_max_ms. */
function leastSilence(f: Facts, side: SideIndex, retransmissions: number): number {
  const longest = (f.sysctl(side, 'net.ipv4.tcp_rto_max_ms') ?? RTO_MAX_MS) * NS_PER_MS;
  let [sum, rto] = [0, RTO_MIN];
  for (let i = 0; i < retransmissions; i++) {
    sum += rto;
    rto = Math.min(2 * rto, longest);
  }
  return sum;
}
