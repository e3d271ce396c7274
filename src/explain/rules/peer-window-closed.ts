import { CLIENT, type KeyPacket, SERVER, type SideIndex } from '../../model/connection.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import type { SourceTime } from '../../model/time.ts';
import { packetEvidence, reasoning, rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { WireFacts } from '../facts/wire.ts';
import { OPEN_ROWS, SENT_AGAIN } from '../mask.ts';
import { wanted } from '../missing.ts';
import { otherSide, SIDE_NAMES } from '../procedures/common.ts';
import { MANY } from '../procedures/given-up.ts';
import type { Rule, Verdict } from '../rule.ts';
import { capital, count, MAYBE, span } from '../words.ts';

export interface Closed extends Verdict {
  probes: number;
  /** The table that tells; else packets do, of probes over so many ns. */
  row: SocketEvent | null;
  lasted: number;
}

export const rule: Rule<'peer-window-closed', Closed> = {
  id: 'peer-window-closed',
  group: 'stuck',
  title: 'Window closed: the receiver does not read',
  severity: 'warning',
  happened: 'waited for a peer whose receive window was closed',
  condition:
    'The receive buffer is full because its process does not read: the window is 0, and the sender probes it with doubling waits (persist timer) for as long as the peer answers.',
  when: SENT_AGAIN | OPEN_ROWS,
  reference: 'tcp_send_probe0, tcp_probe_timer (net/ipv4/tcp_timer.c), RFC 9293 §3.8.6.1',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: '3 probes or more, each answered with window 0, to the end',
    },
    {
      by: ['tables'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'persist timer with bytes in Send-Q, after a probe or more',
    },
    { by: ['tables'], kernels: 'any', claims: 'possible', sign: 'persist timer with bytes in Send-Q' },
  ],
  decide: (f) => {
    for (const side of [SERVER, CLIENT] as const) {
      const found = onWire(f, side) ?? inTables(f, side);
      if (found) return found;
    }
    return null;
  },
  tell: (f, { side, probes, row, lasted }) => {
    const peer = side === 'client' ? CLIENT : SERVER;
    const [sender, receiver] = [f.name(otherSide(peer)), f.name(peer)];
    return {
      summary: row
        ? `${capital(sender)} had ${count(row.sendQ, 'byte')} to send and waited for the receive window of ${receiver}, ` +
          `${MAYBE}because its process does not read; ${count(probes, 'probe')} so far, the next in ${span(row.timer!.left)}.`
        : `${capital(receiver)} closed its receive window, ${MAYBE}because its process does not read; ` +
          `${sender} sent ${count(probes, 'probe')}${lasted > 0 ? ` over ${span(lasted)}` : ''}, and the window stayed 0.`,
      remedy:
        'Find out why the receiving process does not read (a stack dump, `strace -p PID`, Recv-Q of `ss -tanp` there). If the peer answers every probe, the network is not the cause.',
      missing: wanted(row ? 'packets' : 'states', side),
    };
  },
};

/** `side` sends, and its peer answers as often with a closed window as it is probed. */
function onWire(f: Facts, side: SideIndex): Closed | null {
  const { wire } = f;
  if (!wire || wire.wire.rsts[0] + wire.wire.rsts[1] > 0) return null;
  const peer = otherSide(side);
  // one that closes does not wait to read
  if (wire.finTime(peer) !== null) return null;
  const closed = wire.of(wire.wire.closedWindow, peer);
  if (!closed || closed.probes < MANY || closed.answers < closed.probes) return null;
  const { since, probes } = closed;
  const { source, lastTime } = wire.wire;
  const isTimed = f.world.source(source).clock.kind !== 'order';
  return {
    confidence: isTimed ? 'inferred' : 'possible',
    side: SIDE_NAMES[peer]!,
    moment: { source, at: f.world.context.timeline.at(source, since) },
    evidence: [
      ...closing(wire, peer, since).map((p) => packetEvidence(f, wire, p, 'the window is closed')),
      reasoning(() => `${count(probes, 'probe')}, answered with window 0`),
    ],
    probes,
    row: null,
    lasted: isTimed ? (wire.of(lastTime, side) ?? since) - since : 0,
  };
}

/** The segment that closed the window, or where that was not kept the last that says so. */
function closing(wire: WireFacts, peer: SideIndex, since: SourceTime): KeyPacket[] {
  const own = wire.packets.filter((p) => wire.sideOf(p) === peer && p.time >= since && p.window === 0);
  return [...own.filter((p) => p.time === since), ...own.slice(-1)].slice(0, 1);
}

function inTables(f: Facts, side: SideIndex): Closed | null {
  const row = f.rows(side).at(-1);
  // packets say themselves whether the window stayed closed
  if (f.wire || f.life(side)?.life.state === 'CLOSE') return null;
  if (row?.timer?.name !== 'persist' || row.sendQ === 0) return null;
  const peer = otherSide(side);
  const probes = row.timer.retransmits;
  return {
    // without a probe it may be a device of its own that took no packet, or a window that opens at once
    confidence: probes > 0 ? 'inferred' : 'possible',
    side: SIDE_NAMES[peer]!,
    moment: f.atEvent(row),
    evidence: [rowEvidence(f.world, row, () => `Send-Q ${row.sendQ}, ${count(probes, 'probe')}`)],
    probes,
    row,
    lasted: 0,
  };
}
