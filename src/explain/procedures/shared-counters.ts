/** A counter is its host's, not one listener's: what all the listeners of a host may have raised together. */
import type { CounterSeries } from '../../model/case.ts';
import { CLIENT } from '../../model/connection.ts';
import type { ListenerFacts } from '../facts/listener.ts';
import { brackets, type Spell } from '../facts/steps.ts';
import { SYN_RETRIES } from '../facts/timing.ts';
import type { World } from '../facts/world.ts';
import { memoised } from '../memo.ts';
import { refusedLooks } from './probed-syn.ts';
import { silentSyn } from './silent-syn.ts';

const listenersOf = memoised((world: World) =>
  memoised((series: CounterSeries) =>
    world.byServer.map(([n]) => world.listenerOf(n!)).filter((l) => l.counters.includes(series)),
  ),
);

/** The other listeners that may be of the same host. */
export function listenersBeside(listener: ListenerFacts): ListenerFacts[] {
  const all = new Set(listener.counters.flatMap((series) => listenersOf(listener.world)(series)));
  all.delete(listener);
  return [...all];
}

/** SYNs without an answer: at least, and what they are when each that only a table or a log tells of was sent to the end. */
interface Refused {
  least: number;
  full: number;
}

/** SYNs to a listener without an answer, within the readings of its counters. */
export const refusedBy = memoised((listener: ListenerFacts): Refused => {
  const { world, counters } = listener;
  const within = (spell: Spell) =>
    counters.some(({ readings }) => {
      const first = readings[0]!;
      return brackets(world, first.delta ? null : first, readings.at(-1)!, spell) !== 'no';
    });
  const sum = { least: 0, full: 0 };
  for (const f of listener.notable) {
    const silent = silentSyn(f);
    const least = silent?.lost.filter(within).length ?? refusedLooks(f).length;
    sum.least += least;
    // one spell stands for all that its socket sent
    const retries = f.sysctl(CLIENT, 'net.ipv4.tcp_syn_retries') ?? SYN_RETRIES;
    sum.full += silent?.syns === null ? least * (retries + 1) : least;
  }
  return sum;
});

const refusedIn = memoised((world: World) =>
  memoised((series: CounterSeries): Refused => {
    const all = listenersOf(world)(series).map(refusedBy);
    const sum = (key: keyof Refused) => all.reduce((total, r) => total + r[key], 0);
    return { least: sum('least'), full: sum('full') };
  }),
);

/** The same of all listeners of the host; without counters of one series the most. */
export function refusedOnHost({ world, counters }: ListenerFacts): Refused {
  const all = counters.map(refusedIn(world));
  const most = (key: keyof Refused) => all.reduce((max, r) => Math.max(max, r[key]), 0);
  return { least: most('least'), full: most('full') };
}
