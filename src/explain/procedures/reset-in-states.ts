/** Which cause a reset had that no packet shows, from what the states of its sockets went through (kernel-notes §2). */
import { CLIENT, type SideIndex } from '../../model/connection.ts';
import { dropEvidence, reasoning, transitionEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { SYN_RTO } from '../facts/timing.ts';
import { processName, span } from '../words.ts';
import { closedWhileConnecting } from './abandoned.ts';
import { disconnection, reliefByCounters, whatItHadReceived, withSight } from './active-reset.ts';
import type { Candidate } from './candidate.ts';
import { maker, named, SIDE_NAMES } from './common.ts';
import { droppedSyn, rejectedSyn } from './drop-events.ts';
import { tookReset, wasDestroyed } from './ended.ts';
import { listenerClosed } from './listener-closed.ts';
import { CAUSES_FROM, CAUSES_LIVE, unexplained } from './unexplained-reset.ts';

/** Without the packet: a socket went from a live state straight to CLOSE. */
export function resetInStates(f: Facts): Candidate[] {
  const refused = refusedInStates(f);
  if (refused) return refused;
  const ended = byTime(f, f.lives);
  // whoever took the RST was only told of it
  const acted = ended.filter((l) => !tookReset(f, l));
  for (const life of acted) {
    const closed = listenerClosed(f, life.side);
    if (closed.length > 0) return closed;
  }
  const killed = acted.find(wasDestroyed);
  if (killed) return killedBySs(f, killed);
  const own = acted.find((l) => l.byOwner(l.abort!));
  if (own) return byOwnCall(f, own);
  return ended[0] ? fromOutside(f, ended[0]) : [];
}

/** Those that were aborted, the first to end first, where times tell. */
function byTime(f: Facts, lives: readonly LifeFacts[]): LifeFacts[] {
  const at = (l: LifeFacts) => f.atTransition(l, l.abort!);
  return lives.filter((l) => l.abort !== null).sort((a, b) => f.world.between(at(a), at(b)) ?? 0);
}

const ECONNREFUSED = 111;

/** SYN_SENT → CLOSE: a RST (or an ICMP error) answered the SYN; close() does it too, but in the process itself. */
function refusedInStates(f: Facts): Candidate[] | null {
  const life = f.life(CLIENT);
  const t = life?.find('SYN_SENT', 'CLOSE');
  if (!life || !t) return null;
  // the error is 0 when its process closed it, and that of an ICMP message, or of a timeout, when one of those did
  const error = t.fields?.error;
  if (t.fields && error !== ECONNREFUSED) return [];
  if (closedWhileConnecting(f)) return [];
  const { duration } = t;
  if (duration === null || duration >= SYN_RTO) return [];
  const rejected = rejectedSyn(f, f.atTransition(life, t));
  if (rejected) return [rejected];
  // one SYN was sent in that time: what dropped it tells that nothing refused it
  if (droppedSyn(f, null).some((c) => c.confidence === 'proved')) return [];
  // its own process may have closed it; on one machine the answer is handled in that process as well
  const own = life.byOwner(t);
  return [
    {
      rule: 'connection-refused',
      side: 'server',
      confidence: own ? 'possible' : 'inferred',
      because: () =>
        `the attempt ended ${span(duration)} after the SYN, before it could be sent again${own ? '; unless the client closed it itself' : ''}`,
      moment: f.atTransition(life, t),
      evidence: [transitionEvidence(f, life, t)],
    },
    ...named(['netfilter-drop', 'middlebox-reset'], 'path'),
  ];
}

/** tcp_abort runs in the process that asked for it. */
export function killedBySs(f: Facts, life: LifeFacts): Candidate[] {
  const t = life.abort!;
  const make = maker({
    side: SIDE_NAMES[life.side],
    moment: f.atTransition(life, t),
    evidence: [transitionEvidence(f, life, t, () => `in the process ${t.comm} (${t.pid})`)],
  });
  const said = t.fields?.error === undefined ? '' : ` with sk_err ${t.fields.error} (ECONNABORTED)`;
  return [
    make(
      'socket-destroy-reset',
      'inferred',
      () => `its socket was closed in the context of ${t.comm} (${t.pid})${said}`,
    ),
  ];
}

/** Its own process closed it without a FIN: which call did, the states do not say (kernel-notes §2.0, G6). */
function byOwnCall(f: Facts, life: LifeFacts): Candidate[] {
  const t = life.abort!;
  const side = SIDE_NAMES[life.side];
  const evidence = [transitionEvidence(f, life, t, 'in its own process, without a FIN')];
  const make = maker({ side, moment: f.atTransition(life, t), evidence });
  const unread = whatItHadReceived(f, life.side);
  const relief = reliefByCounters(f, life.side);
  const disconnected = unread ? null : disconnection(f, life.side, relief, make);
  const list = [
    withSight(
      make(
        'unread-data-reset',
        unread || relief === 'unread-data-reset' ? 'inferred' : 'possible',
        unread?.because ?? 'close() with unread data in the receive buffer resets',
      ),
      unread,
    ),
    make(
      'linger-zero-reset',
      relief === 'linger-zero-reset' ? 'inferred' : 'possible',
      'close() with SO_LINGER set to 0 resets',
    ),
    make('disconnect-reset', 'possible', 'connect(AF_UNSPEC) resets'),
    make('socket-destroy-reset', 'possible', 'ss -K or another SOCK_DESTROY resets'),
  ];
  if (disconnected) return [disconnected, list[3]!, list[1]!, list[0]!];
  // what the peer sends on the same machine, or while this process runs, is handled in it as well (G12)
  const ofPeer = unread || relief ? [] : (CAUSES_FROM[t.from] ?? []);
  list.push(...named(ofPeer, SIDE_NAMES[1 - life.side]!));
  return relief === 'linger-zero-reset' && !unread ? [list[1]!, list[0]!, ...list.slice(2)] : list;
}

/** Something outside its process closed it: the peer's RST, or a timer. Whose process is not known, it may have been its own. */
function fromOutside(f: Facts, life: LifeFacts): Candidate[] {
  const t = life.abort!;
  if (life.life.owner === null && t.pid !== null && t.pid > 0 && f.resetDrops.length === 0)
    return byAnyone(f, life);
  const peer = (1 - life.side) as SideIndex;
  const drops = f.resetDrops;
  const evidence = [
    transitionEvidence(f, life, t, 'not by its own process'),
    ...drops.map((d) => dropEvidence(f.world, d, 'a RST')),
  ];
  return unexplained(f, peer, evidence, f.atTransition(life, t), t.from);
}

/** In the context of a process that may be the owner's own call, or one that the RST of the peer interrupted (G12). */
function byAnyone(f: Facts, life: LifeFacts): Candidate[] {
  const t = life.abort!;
  const [own, peer] = [f.name(life.side), f.name((1 - life.side) as SideIndex)];
  const because = () =>
    `Either ${own} reset the connection itself (${processName(t)} ran then), ${peer} sent a RST, or the connection was given up; nothing here says which`;
  const first: Candidate = {
    rule: 'unexplained-reset',
    side: SIDE_NAMES[life.side],
    confidence: 'possible',
    because,
    moment: f.atTransition(life, t),
    evidence: [transitionEvidence(f, life, t, 'in a process that may be its owner'), reasoning(because)],
  };
  return [first, ...named(CAUSES_FROM[t.from] ?? CAUSES_LIVE, SIDE_NAMES[life.side])];
}
