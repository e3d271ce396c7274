import { meaningOfDrop } from '../facts/drop-reasons.ts';
import { dropsOf, sumOf } from '../hosts/dropped.ts';
import { count, list } from '../words.ts';
import type { Answerer } from './index.ts';

const SHOWN = 12;

/** Raised by drops whose lines name no connection: why, or where, and how many. */
export const unnamedDrops: Answerer = (world) => {
  const groups = [...dropsOf(world)].map(([name, all]) => ({ name, sum: sumOf(all) }));
  if (groups.length === 0) return null;
  groups.sort((a, b) => b.sum - a.sum);
  const shown = groups.slice(0, SHOWN).map(({ name, sum }) => {
    const means = meaningOfDrop(name);
    return `${count(sum, 'packet')}: ${name}${means && ` (${means})`}`;
  });
  if (groups.length > SHOWN) shown.push(`${groups.length - SHOWN} more`);
  return {
    question: 'What did the kernel drop, and why?',
    answer: `${list(shown)}. These lines do not say of which connection. NOT_SPECIFIED in tcp_v4_rcv is usual where a timewait socket takes a packet: nothing is lost there.`,
  };
};
