import { CLIENT, SERVER, type SideIndex } from '../../model/connection.ts';
import type { SocketEvent } from '../../model/table-event.ts';
import { packetEvidence, rowEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { TIME_WAIT } from '../facts/timing.ts';
import { FIN_SEEN, OPEN_ROWS } from '../mask.ts';
import { wanted } from '../missing.ts';
import { otherSide, SIDE_NAMES, sideEndpoint } from '../procedures/common.ts';
import { finCandidates } from '../procedures/fin.ts';
import { isCloseWait, unaccepted } from '../procedures/unaccepted.ts';
import type { Rule, Verdict } from '../rule.ts';
import { clients, connectionsOf, howMany, toServers } from '../together.ts';
import { MAYBE, number, processName, span, unread } from '../words.ts';

export interface Unclosed extends Verdict {
  /** null where packets alone tell. */
  row: SocketEvent | null;
  /** In CLOSE_WAIT until it was closed after all, ns. */
  waited: number | null;
  /** In CLOSE_WAIT to the last that is known of it, ns; below 0 where clocks do not agree. */
  soFar: number | null;
}

export const rule: Rule<'close-wait-leak', Unclosed> = {
  id: 'close-wait-leak',
  group: 'stuck',
  title: 'CLOSE_WAIT: process does not close its socket',
  severity: 'error',
  happened: 'ended up in CLOSE_WAIT because a process does not close its socket',
  condition:
    'The peer has closed, and the process that holds the descriptor does not: no timeout of the kernel ends CLOSE_WAIT.',
  when: OPEN_ROWS | FIN_SEEN,
  reference: 'tcp_fin (ESTABLISHED → CLOSE_WAIT)',
  signatures: [
    {
      by: ['tables', 'packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'CLOSE_WAIT with its process, and no FIN of it to the end',
    },
    {
      by: ['tables', 'states'],
      kernels: '4.16+',
      claims: 'inferred',
      sign: 'the same for as long as the states say',
    },
    {
      by: ['tables'],
      kernels: 'any',
      claims: 'possible',
      sign: 'CLOSE_WAIT, with its process or where the table hides it',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: "it acknowledged the peer's FIN and sent none in the minute and more until the file ends",
    },
  ],
  decide: (f) => {
    for (const side of [SERVER, CLIENT] as const) {
      const row = f.rows(side).find((r) => r.state === 'CLOSE_WAIT' && r.owner === 'known');
      if (!row || closedInTime(f, side)) continue;
      const waited = f.life(side)?.closeWait ?? null;
      const soFar = waited ?? openFor(f, side);
      const isKnown = (f.wire || waited !== null) && !peerWaits(f, side);
      return {
        confidence: isKnown && (soFar ?? TIME_WAIT) >= TIME_WAIT ? 'inferred' : 'possible',
        side: SIDE_NAMES[side]!,
        moment: f.atEvent(row),
        evidence: [rowEvidence(f.world, row)],
        row,
        waited,
        soFar,
      };
    }
    return ownerUnknown(f) ?? openOnWire(f);
  },
  tell: (f, { side, row, waited, soFar }) => {
    const name = sideEndpoint(f, side);
    const missing = wanted('later-table', side);
    if (row === null) {
      return {
        summary: `${name} had acknowledged the FIN of the other side, and sent none of its own in the ${span(soFar!)} until the file ends: its socket is ${MAYBE}in CLOSE_WAIT, because a process does not close it.`,
        remedy: `${howToName(f, side)} ${REMEDY}`,
        missing,
      };
    }
    if (row.owner !== 'known') {
      const isLinux = runsLinux(f, side);
      return {
        summary:
          `The socket of ${name} is in CLOSE_WAIT, because the other side has closed, and a process, which the table does not show, ` +
          `${MAYBE}does not close it${unread(row.recvQ, isLinux)}.`,
        remedy: `${howToName(f, side, ' again')} ${REMEDY}`,
        missing,
      };
    }
    return {
      summary:
        `Process ${processName(row)} ${waited === null ? `${MAYBE}does not close` : `took ${span(waited)} to close`} the socket of ${name}: ` +
        'it is in CLOSE_WAIT, because the other side has closed' +
        (waited === null && soFar !== null && soFar >= 0 && soFar < TIME_WAIT
          ? `, ${span(soFar)} before: the process may be at work on it as yet.`
          : '.'),
      remedy: REMEDY,
      missing,
    };
  },
  together: (all) => {
    const own = connectionsOf(all);
    const from = `They came from ${clients(all)}.`;
    // packets show that they did not close, and no state
    if (own.filter((f) => f.case.rows.length === 0).length > 0)
      return `${howMany(all)}${toServers(all)} were not closed by one side after the other had closed, ${MAYBE}because a process does not close its socket (CLOSE_WAIT). ${from}`;
    const unknown = own.filter((f) => f.case.rows.some((r) => isCloseWait(r) && r.owner !== 'known')).length;
    const who =
      unknown === 0
        ? holders(own)
        : unknown === own.length
          ? 'a process that the table does not show does not close its socket'
          : `a process, which for ${number(unknown)} of them the table does not show, does not close its socket`;
    return `${howMany(all)}${toServers(all)} ended up in CLOSE_WAIT, ${MAYBE}because ${who}. ${from}`;
  },
};

function runsLinux(f: Facts, side: Verdict['side']): boolean {
  return f.stack(side === 'client' ? CLIENT : SERVER) !== 'not linux';
}

function howToName(f: Facts, side: Verdict['side'], again = ''): string {
  const command = runsLinux(f, side)
    ? `\`ss -tanp\` (or \`netstat -tanp\`)${again} as root`
    : '`lsof -nP -iTCP` as root (on Windows `netstat -ano`)';
  return `Run ${command}: it names the process.`;
}

/** The process by name where all wait for the same one, else how many they are. */
function holders(all: Iterable<Facts>): string {
  const names = new Map<string, string>();
  for (const { world, case: c } of all)
    for (const r of c.rows) {
      if (!isCloseWait(r) || r.owner !== 'known') continue;
      // ss prints the name of the thread, netstat that of the command
      names.set(`${world.hostName(r.source)} ${r.pid ?? r.comm}`, processName(r));
    }
  return names.size === 1
    ? `process ${[...names.values()][0]} does not close its socket`
    : `${number(names.size)} processes do not close their sockets`;
}

const REMEDY =
  'Find the code path that does not close the descriptor after read() returned 0, most often after an error. Restarting the process only clears it.';

/** CLOSE_WAIT in a table that does not show whose: the column was not asked for, or its taker was not root. */
function ownerUnknown(f: Facts): Unclosed | null {
  if (unaccepted(f)) return null;
  for (const side of [SERVER, CLIENT] as const) {
    const row = f.rows(side).find((r) => isCloseWait(r) && r.owner !== 'known');
    if (!row || closedInTime(f, side)) continue;
    const queued = f.listener.sights.some((s) => s.row.recvQ > 0);
    return {
      confidence: 'possible',
      side: SIDE_NAMES[side]!,
      moment: f.atEvent(row),
      evidence: [rowEvidence(f.world, row)],
      alternatives: side === SERVER && queued ? ['close-wait-unaccepted'] : [],
      row,
      waited: null,
      soFar: null,
    };
  }
  return null;
}

/** From the FIN of the peer to the last table that shows the socket; null while one of the two is unknown. */
function openFor(f: Facts, side: SideIndex): number | null {
  const last = f.rows(side).findLast(isCloseWait);
  const life = f.life(side);
  const taken = life?.find('ESTABLISHED', 'CLOSE_WAIT');
  const fin = f.wire?.finPacket(otherSide(side));
  const begin = taken ? f.atTransition(life!, taken) : fin ? f.atPacket(f.wire!, fin) : null;
  return last && begin ? f.world.between(f.atEvent(last), begin) : null;
}

/** The FIN of the peer was taken a minute and more before the file ends, and no FIN or RST came of it. */
function openOnWire(f: Facts): Unclosed | null {
  const { wire } = f;
  if (!wire || f.case.rows.length > 0 || f.lives.length > 0 || wire.oneDirection) return null;
  if (wire.wire.fins[0] > 0 === wire.wire.fins[1] > 0 || wire.resets.length > 0) return null;
  const peer = wire.finTime(CLIENT) === null ? SERVER : CLIENT;
  const side = otherSide(peer);
  const acked = wire.ackOfFin(peer);
  const [fin, { source }] = [wire.finPacket(peer), wire.wire];
  if (!acked || !fin || f.world.captures.lacksFrames(source)) return null;
  const soFar =
    f.world.captures.span(source)[1] - Math.max(acked.time, wire.of(wire.wire.lastTime, side) ?? 0);
  if (soFar < TIME_WAIT) return null;
  return {
    confidence: 'possible',
    side: SIDE_NAMES[side]!,
    moment: f.atPacket(wire, acked),
    evidence: [
      packetEvidence(f, wire, fin, 'the FIN of the other side'),
      packetEvidence(f, wire, acked, 'acknowledges it; no FIN and no RST of this side follow'),
    ],
    row: null,
    waited: null,
    soFar,
  };
}

/** It did close, and not only after a minute. */
function closedInTime(f: Facts, side: SideIndex): boolean {
  const waited = f.life(side)?.closeWait ?? null;
  if (waited !== null) return waited < TIME_WAIT;
  return f.wire?.finTime(side) != null || f.wire?.decisiveReset?.side === side;
}

/** The peer shut down its sending side only, and still takes data: this side may be about to answer. */
function peerWaits(f: Facts, side: SideIndex): boolean {
  const peer = otherSide(side);
  return (
    f.rows(peer).some((r) => r.state === 'FIN_WAIT2' && r.owner === 'known') ||
    finCandidates(f).some((c) => c.side === peer && c.candidates[0]!.rule === 'half-close')
  );
}
