/** Data for a process that had closed while its own data were lost: its FIN never left. */
import { seqDiff } from '../../model/tcp.ts';
import type { Facts } from '../facts/facts.ts';
import { RTO_MIN } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import { nextSeq, type WireReset } from '../facts/wire-resets.ts';
import { count, span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { type Make, named, SIDE_NAMES } from './common.ts';

/**
 * Its socket had just sent again what this data acknowledges, so it was there: it was its process that had closed. A FIN
 * waits behind data that are lost, and is not on the wire yet (tcp_send_fin, FIN_WAIT1).
 */
export function behindLoss(f: Facts, wire: WireFacts, reset: WireReset, make: Make): Candidate[] | null {
  const { side, answers, packet } = reset;
  const own = wire.before(packet, side)[0];
  if (!own || own.payload === 0 || !answers || answers.payload === 0) return null;
  if (seqDiff(answers.ack, nextSeq(own)) < 0) return null;
  // gone without a word it may be when its timer ran out: half of the pause before is sooner than that
  const tries = wire.before(own, side).filter((p) => nextSeq(p) === nextSeq(own) && p.payload > 0);
  const [previous, first] = [tries[0], tries.at(-1)];
  const since = packet.time - own.time;
  const name = f.name(side);
  if (!previous || !first) return since < RTO_MIN ? unseenClose(f, reset, make, since) : null;
  if (since > (own.time - previous.time) / 2) return null;
  const because = () =>
    `${count(answers.payload, 'byte')} reached ${name}, whose socket had sent its data again ${span(since)} before, after ${span(own.time - first.time)} without an answer: its process had closed by then, and the FIN waited behind these data`;
  return [
    {
      ...make('data-after-close-reset', 'inferred', because),
      remedy: `Find out why what the ${SIDE_NAMES[side]} had sent was so long without an answer: a path that was interrupted, or a peer that stood still. Its process had given up by then.`,
    },
    ...named(['no-socket-reset'], SIDE_NAMES[side]),
    ...named(['middlebox-reset'], 'path'),
  ];
}

/** No timer of a socket runs out so soon after it has sent: that it was closed is likelier than that it vanished. */
function unseenClose(f: Facts, { side, answers }: WireReset, make: Make, since: number): Candidate[] {
  const name = f.name(side);
  const because = () =>
    `${count(answers!.payload, 'byte')} reached ${name}, whose socket had sent data ${span(since)} before. No FIN of it is in the capture: it may have been lost on the way here, or wait behind data that were`;
  return [
    {
      ...make('data-after-close-reset', 'possible', because),
      remedy: `Find out whether the process of the ${SIDE_NAMES[side]} had given up by then, and whether packets are lost between it and the place of this capture: a capture on that host shows both.`,
    },
    ...named(['no-socket-reset', 'request-expired-reset', 'stray-ack-reset'], SIDE_NAMES[side]),
    ...named(['middlebox-reset', 'untranslated-packet-reset'], 'path'),
  ];
}
