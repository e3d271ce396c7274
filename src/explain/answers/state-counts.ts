import type { StateCountEvent } from '../../model/table-event.ts';
import type { World } from '../facts/world.ts';
import { list, number } from '../words.ts';
import type { Answerer } from './index.ts';

/** Raised by counts of sockets: all of them. Those that stand out are findings (hosts/many-in-state.ts). */
export const stateCounts: Answerer = (world: World) => {
  const latest = new Map<string, StateCountEvent>();
  for (const e of world.context.stateCounts) latest.set(e.state, e);
  if (latest.size === 0) return null;
  const counts = [...latest.values()].sort((a, b) => b.count - a.count);
  const all = list(counts.map((c) => `${number(c.count)} ${c.state}`));
  const where = `${world.source(counts[0]!.source).name}, line ${counts[0]!.line}`;
  return {
    question: 'What do the counts of sockets say?',
    answer: `There were ${all} (${where}). Counts name no connection: a cause needs the table itself (\`ss -tanpieo\` as root), twice, some seconds apart.`,
  };
};
