import { flagNames } from '../../model/tcp.ts';
import { DROPS } from '../mask.ts';
import type { Answerer } from './index.ts';

/** Raised by a RST among the drops, of a socket that it had just closed. */
export const resetListedAsDrop: Answerer = (world) => {
  const found = [...world.showing(DROPS)].flatMap((f) =>
    f.resetDrops.filter((d) => d.state === 'CLOSE').map((d) => ({ c: f.case, d })),
  );
  const [first] = found;
  if (!first) return null;
  return {
    question: 'Why is a RST listed as dropped, in state CLOSE?',
    answer:
      `The ${flagNames(first.d.flags!)} to port ${first.c.client.port} was not lost: the kernel took it, closed the socket, and then freed the packet through ` +
      'tcp_drop() as it does with every RST (tcp_validate_incoming). The state printed is the one after. It is the RST that ended the connection.',
  };
};
