/** A RST of the client for what the server said to its SYN. */
import { CLIENT, SERVER } from '../../model/connection.ts';
import { SYN, seqDiff } from '../../model/tcp.ts';
import { NS_PER_MS } from '../../model/time.ts';
import type { Facts } from '../facts/facts.ts';
import { MARGIN } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import type { WireReset } from '../facts/wire-resets.ts';
import { span } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { type Make, named } from './common.ts';

/** The client answers what the server says to its SYN. */
export function answersHandshake(wire: WireFacts, { answers, side }: WireReset): boolean {
  if (!answers) return false;
  if (answers.flags & SYN) return true;
  const sentBeyondSyn = wire.packets.some(
    (p) => wire.sideOf(p) === side && !(p.flags & SYN) && p.time < answers.time,
  );
  return wire.sawHandshake && !sentBeyondSyn && answers.payload === 0;
}

/** Of a SYN-ACK that the client answered with a RST. */
const LEFT_HALF_OPEN =
  'the client had no socket for the SYN-ACK: it gave up before, or its SYN was made past its TCP, as a half-open scan and some health checks do';
const CHECK_OR_GONE =
  'If the client is a scanner, or a load balancer or monitor that checks ports so, no action is needed. Else find out why its socket was gone: a connect() with a short timeout of its own, or a NAT that sent the answer to another host.';
/** A SYN-ACK that comes later than this after the first SYN may be too late for its client, ns. */
const LATE_SYN_ACK = 500 * NS_PER_MS;
const TOO_LATE =
  'Find out why the server, or the path, took so long to answer the SYN, or let the client wait longer: it had given up before.';

export function whileConnecting(
  f: Facts,
  wire: WireFacts,
  { answers, packet }: WireReset,
  make: Make,
): Candidate[] {
  const isn = wire.of(wire.wire.isn, CLIENT);
  const wrong = isn !== null && answers !== null && seqDiff(answers.ack, isn + 1) !== 0;
  if (wrong) {
    return [
      make(
        'bad-syn-ack-reset',
        'inferred',
        () => `${f.name(SERVER)} acknowledged a number that the client's SYN had not sent`,
      ),
      ...named(['no-socket-reset'], 'client'),
    ];
  }
  const life = f.life(CLIENT);
  const end = life?.find('SYN_SENT', 'CLOSE');
  const after = end ? f.world.between(f.atTransition(life!, end), f.atPacket(wire, packet)) : null;
  if (after !== null && after > MARGIN) {
    const because = () =>
      `the client's socket waited in SYN_SENT for another ${span(after)}: it was not its kernel that had no socket for the SYN-ACK`;
    return [
      { ...make('middlebox-reset', 'possible', because), side: 'path' },
      ...named(['unexplained-reset', 'no-socket-reset'], 'client'),
    ];
  }
  const gone = end != null;
  const syn = wire.packets.find((p) => p.flags & SYN && wire.sideOf(p) === CLIENT);
  const took = syn && answers ? answers.time - syn.time : 0;
  const late = () =>
    `the SYN-ACK came ${span(took)} after the SYN, and the client, which had no socket for it, had given up`;
  const isLate = took >= LATE_SYN_ACK;
  const because = gone
    ? 'the SYN-ACK came when the client had given the attempt up: its socket was gone'
    : isLate
      ? late
      : LEFT_HALF_OPEN;
  const first = make('no-socket-reset', gone ? 'inferred' : 'possible', because);
  const remedy = isLate ? TOO_LATE : CHECK_OR_GONE;
  return [gone ? first : { ...first, remedy }, ...named(['bad-syn-ack-reset'], 'client')];
}
