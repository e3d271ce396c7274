/**
 * LAND: SYNs whose source is their destination, address and port, forged to make an old stack answer itself; Linux drops what
 * comes from outside with an address of its own (martian source). A socket that connects to itself sends the same SYN, and
 * answers it at once (simultaneous open).
 */
import { formatEndpoint, sameEndpoint } from '../../model/address.ts';
import type { WireConnection } from '../../model/connection.ts';
import { isUnclear } from '../mask.ts';
import { count, list } from '../words.ts';
import { cite } from './cite.ts';
import type { StoryTeller } from './index.ts';

const NAMED = 3;

export const land: StoryTeller = (world) => {
  const { cases } = world.context;
  const forged: WireConnection[] = [];
  for (let n = 0; n < cases.count; n++) {
    const { keys } = cases.brief(n);
    if (keys[0] === keys[1] && isUnclear(world.mask(n))) forged.push(...cases.at(n).wires.filter(isForged));
  }
  if (forged.length === 0) return null;
  const syns = forged.reduce((sum, w) => sum + w.syns[0] + w.syns[1], 0);
  const targets = [...new Set(forged.map((w) => formatEndpoint(w.server)))];
  const to = targets.length > NAMED ? count(targets.length, 'endpoint') : list(targets);
  const files = cite(forged.map((w) => world.source(w.source).name));
  const what = syns === 1 ? `A SYN to ${to} has` : `${count(syns, 'SYN')} to ${to} have`;
  return {
    sentences: [
      `${what} the destination as source too and ${syns === 1 ? 'is' : 'are'} most likely forged (LAND, an attack or a scan)${files}: drop what comes from outside with an address of your own.`,
    ],
    rules: [],
  };
};

/** Nothing but SYNs, and not on the loopback. */
function isForged(w: WireConnection): boolean {
  if (!sameEndpoint(w.client, w.server) || /^(?:127\.|::1$)/.test(w.client.address)) return false;
  const syns = w.syns[0] + w.syns[1];
  return syns > 0 && w.synAcks[0] + w.synAcks[1] === 0 && w.packets[0] + w.packets[1] === syns;
}
