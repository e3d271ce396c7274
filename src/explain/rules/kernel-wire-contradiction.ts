import { CLIENT, SERVER, type SideIndex, type Transition } from '../../model/connection.ts';
import {
  type Citation,
  eventEvidence,
  packetEvidence,
  reasoning,
  transitionEvidence,
} from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { RTO_MIN } from '../facts/timing.ts';
import { EVENTS, STATES } from '../mask.ts';
import { peerPackets } from '../missing.ts';
import { SIDE_NAMES, sideEndpoint } from '../procedures/common.ts';
import type { Moment, Rule, Verdict } from '../rule.ts';
import { MAYBE } from '../words.ts';

export interface Contradiction extends Verdict {
  what: 'RST' | 'FIN';
  /** Name of the one that was running. */
  capture(): string;
}

export const rule: Rule<'kernel-wire-contradiction', Contradiction> = {
  id: 'kernel-wire-contradiction',
  group: 'close',
  title: 'Sent by the kernel, but not in the capture',
  severity: 'warning',
  happened: 'had a RST or FIN that the kernel sent and that is in no capture',
  condition:
    'State events or reset events say that a RST or FIN was sent while a capture was running that saw other packets of the connection, and it has none: it was dropped on its way out (netfilter, queueing discipline), queued and never sent, or lost by the capture.',
  when: STATES | EVENTS,
  noteOnly: true,
  reference: 'tcp_send_active_reset (TCPAbortFailed), tcp_send_fin; kernel-notes F-FW1-STUCK',
  signatures: [
    {
      by: ['packets', 'reasons'],
      kernels: '6.10+',
      claims: 'inferred',
      sign: 'the kernel says that it sent a RST, and a running capture lacks it',
    },
    {
      by: ['packets', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'the states say that it sent a RST or FIN, and a running capture lacks it',
    },
  ],
  decide: (f) => [CLIENT, SERVER].flatMap((side) => contradiction(f, side as SideIndex) ?? []),
  tell: (f, { side, what, capture }) => ({
    summary:
      `The kernel of ${sideEndpoint(f, side)} sent a ${what}, and ${capture()}, which was running, does not show it: ${MAYBE}` +
      (what === 'RST'
        ? 'dropped before it got there (netfilter, queueing discipline, the path), or missed by the capture.'
        : 'still queued behind data that the peer does not take (FIN_WAIT1 begins when the FIN is queued), dropped before it got there, or missed by the capture.'),
    remedy:
      "Look at the OUTPUT rules and the queueing discipline of that host, at tcpdump's own count of dropped packets, and at TCPAbortFailed. The other side knows nothing of the end.",
    missing: peerPackets(f),
  }),
};

interface Said {
  what: 'RST' | 'FIN';
  moment: Moment;
  evidence: Citation;
}

function contradiction(f: Facts, side: SideIndex): Contradiction | null {
  const said = resetSaid(f, side) ?? finSaid(f, side);
  if (!said || f.wires.length === 0) return null;
  const shown = f.wires.some(
    (w) => w.of(w.wire.rsts, side) > 0 || (said.what === 'FIN' && w.of(w.wire.fins, side) > 0),
  );
  const watching = f.wires.find((w) => ranOn(f, w.wire.source, said.moment));
  if (shown || !watching) return null;
  const last = watching.packets.findLast((p) => watching.sideOf(p) === side);
  // a capture that has nothing of that side (its filter, another way) has no FIN of it either
  if (!last) return null;
  const capture = () => {
    const { name } = f.world.source(watching.wire.source);
    return name.slice(name.lastIndexOf('/') + 1);
  };
  return {
    confidence: 'inferred',
    severity: said.what === 'RST' ? 'warning' : 'info',
    side: SIDE_NAMES[side]!,
    moment: said.moment,
    evidence: [
      said.evidence,
      packetEvidence(f, watching, last, 'the last packet of that side in the capture'),
      reasoning(() => `${capture()} goes on after that moment`),
    ],
    what: said.what,
    capture,
  };
}

/** tcp_send_reset, or the step to CLOSE in the process itself, which does not happen without a RST. */
function resetSaid(f: Facts, side: SideIndex): Said | null {
  const sent = f.case.kernel.find((e) => e.kind === 'reset-sent' && e.local.port === f.endpoint(side).port);
  if (sent) {
    return {
      what: 'RST',
      moment: f.atEvent(sent),
      evidence: eventEvidence(f.world, sent, 'the kernel says that it sent a RST'),
    };
  }
  const life = f.life(side);
  const t = life?.abort;
  if (!life || !t || !life.byOwner(t) || f.wires.some((w) => w.wire.rsts[0] + w.wire.rsts[1] > 0))
    return null;
  return said(f, life, t, 'RST', 'closed by its own process without a FIN, which sends a RST');
}

function finSaid(f: Facts, side: SideIndex): Said | null {
  const life = f.life(side);
  const t = life?.life.transitions.find(
    (x) => (x.to === 'FIN_WAIT1' || x.to === 'LAST_ACK') && x.from !== x.to,
  );
  return life && t ? said(f, life, t, 'FIN', 'entered when the FIN is queued') : null;
}

function said(f: Facts, life: LifeFacts, t: Transition, what: 'RST' | 'FIN', note: string): Said {
  return { what, moment: f.atTransition(life, t), evidence: transitionEvidence(f, life, t, note) };
}

/** The capture had begun before, and went on for longer than the least retransmission takes. */
function ranOn(f: Facts, source: number, moment: Moment): boolean {
  const { timeline } = f.world.context;
  if (moment.at === null || !timeline.comparable(source, moment.source)) return false;
  const [from, to] = f.world.captures.span(source).map((time) => timeline.at(source, time));
  const error = f.world.clockError(source, moment.source);
  return from != null && to != null && moment.at > from + error && moment.at + error + RTO_MIN < to;
}
