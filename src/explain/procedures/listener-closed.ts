/** R-LISTEN-CLOSE: a listening socket takes with it the connections nobody has accepted (inet_csk_listen_stop). */

import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import type { Closing } from '../facts/closings.ts';
import { type Citation, cite, packetEvidence, reasoning, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { RuleId } from '../rules/index.ts';
import { count, span } from '../words.ts';
import { reliefByCounters } from './active-reset.ts';
import type { Candidate } from './candidate.ts';
import { named } from './common.ts';

const UNREAD =
  'it had received data, and was closed together with the listener, as at the end of its process';

/**
 * From state events of listener and child, else from several RSTs at one moment.
 * A process that ends closes the connections it had accepted right after its listener, too; there unread data make
 * the RST. One connection alone does not tell the two apart unless a table showed it unaccepted.
 */
export function listenerClosed(f: Facts, side: SideIndex): Candidate[] {
  if (side !== SERVER || f.case.calls.some((c) => c.call === 'accept')) return [];
  if (f.rows(SERVER).some((r) => r.owner === 'known')) return [];
  if (outOfTurn(f)) return [];
  const seen = inStates(f);
  const relief = reliefByCounters(f, side);
  // a listener that closes raises no Abort counter
  const closed =
    seen ?? (relief === 'unread-data-reset' || relief === 'linger-zero-reset' ? null : onWire(f));
  if (!closed) return [];
  if (f.rows(SERVER).some((r) => r.owner === 'none')) return [closed];
  const unread: Candidate = {
    ...closed,
    rule: 'unread-data-reset',
    confidence: 'possible',
    because: () => UNREAD,
  };
  // no event of the listener: one call of ss -K, or a program that disconnects, resets several at once as well
  const others: RuleId[] = seen ? [] : ['socket-destroy-reset', 'disconnect-reset'];
  const linger = named(['linger-zero-reset', ...others], 'server');
  const possible: Candidate = { ...closed, confidence: 'possible' };
  if (f.listener.burst(f).length >= 2 && !stillListens(f)) {
    return [seen || !maybeUnread(f, relief) ? closed : possible, unread, ...linger];
  }
  const received = f.wire !== null && f.wire.of(f.wire.wire.bytes, CLIENT) > 0;
  return received ? [unread, possible, ...linger] : [possible, unread, ...linger];
}

/** Every one of them had received data, and no counter says that none was closed with data unread. */
function maybeUnread(f: Facts, relief: ReturnType<typeof reliefByCounters>): boolean {
  if (relief === 'disconnect-reset') return false;
  return f.listener.burst(f).every((r) => r.received);
}

/**
 * RSTs can fall together by chance where many connections end; a port that answers SYNs right afterwards was not
 * closed (unless it was opened again at once, or SO_REUSEPORT keeps others on it).
 */
function stillListens(f: Facts): boolean {
  const { moment, time } = f.listener.burst(f).at(-1)!;
  return f.listener.closedWith(f) === null && f.listener.answersAgain(moment.source, time, RESTART);
}

/** No service is back sooner after it has closed its listener. ns. */
const RESTART = 100_000_000;

/** The states show the listener's closing, and this connection was not closed in it: RSTs near by prove nothing. */
function outOfTurn(f: Facts): boolean {
  const life = f.life(SERVER);
  if (!life?.abort || f.listener.closedWith(f)) return false;
  return f.listener.closings.some((c) => c.life.source === life.life.source);
}

function inStates(f: Facts): Candidate | null {
  const life = f.life(SERVER);
  const abort = life?.abort;
  if (!life || !abort) return null;
  const closing = f.listener.closedWith(f);
  if (!closing) return null;
  const { wire } = f;
  const reset = wire?.decisiveReset;
  const listener = closing.transition;
  const unaccepted = f.rows(SERVER).filter((r) => r.owner === 'none');
  const evidence = [
    listenerEvidence(f, closing),
    transitionEvidence(f, life, abort, 'right after, by the same process'),
  ];
  if (wire && reset?.side === SERVER) evidence.push(packetEvidence(f, wire, reset.packet, 'the RST'));
  if (unaccepted.length > 0) {
    evidence.push(reasoning('earlier socket tables show that no process had accepted the connection'));
  }
  const sent = wire !== null && wire.of(wire.wire.bytes, SERVER) > 0;
  if (sent) return null;
  return {
    rule: 'listener-closed-reset',
    side: 'server',
    confidence: 'inferred',
    because: () =>
      `${listener.comm} (${listener.pid}) closed the listening socket and the connections still in its accept queue with it`,
    moment: wire && reset?.side === SERVER ? f.atPacket(wire, reset.packet) : f.atTransition(life, abort),
    evidence,
  };
}

function listenerEvidence(f: Facts, { life, transition: t, moment }: Closing): Citation {
  const { timeline } = f.world.context;
  return cite(life.source, t.line, () => ({
    at: `line ${t.line}`,
    time: timeline.format(moment.at, timeline.label(life.source)),
    fact: `the listener on port ${f.case.server.port}: LISTEN → CLOSE by ${t.comm} (${t.pid})`,
  }));
}

function onWire(f: Facts): Candidate | null {
  const burst = f.listener.burst(f);
  const { wire } = f;
  if (burst.length < 2 || !wire) return null;
  const because = () =>
    `${count(burst.length, 'connection')} of port ${f.case.server.port} on which the server had never sent a byte ` +
    `were reset within ${span(f.world.between(burst.at(-1)!.moment, burst[0]!.moment) ?? 0)}`;
  const { packet } = wire.decisiveReset!;
  return {
    rule: 'listener-closed-reset',
    side: 'server',
    confidence: 'inferred',
    because,
    moment: f.atPacket(wire, packet),
    evidence: [packetEvidence(f, wire, packet, 'the RST'), reasoning(because)],
  };
}
