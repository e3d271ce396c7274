import { queueCountsByLimit } from '../facts/queue.ts';
import type { World } from '../facts/world.ts';
import { count, list, number } from '../words.ts';
import type { Answerer } from './index.ts';

/** Raised by tcpsynbl: what its histograms count. */
export const queueCounts: Answerer = (world: World) => {
  const byLimit = queueCountsByLimit(world);
  if (byLimit.size === 0) return null;
  const described = [...byLimit].map(([limit, all]) => {
    const total = all.reduce((n, e) => n + e.count, 0);
    const longest = all.reduce((a, b) => (b.most > a.most ? b : a));
    const found = longest.least === longest.most ? `${longest.least}` : `${longest.least} to ${longest.most}`;
    return `limit ${number(limit)}: ${count(total, 'final ACK')}, of which ${number(longest.count)} met the longest queue (${found})`;
  });
  return {
    question: 'What do the histograms of tcpsynbl say?',
    answer: `By the limit of the listeners: ${list(described)}. They count the connections that wait for accept() when the last ACK of a handshake comes, each time it is sent, and no half-open ones; the queue is full above its limit. They name no listener and no time: \`ss -ltnp\` shows who has that limit.`,
  };
};
