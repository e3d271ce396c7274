import { sameEndpoint } from './address.ts';
import type { Case } from './case.ts';
import type { SideIndex } from './connection.ts';

export type Process = {
  pid: number | null;
  comm: string | null;
  container?: string | null;
  pod?: string | null;
};

/** The process of one end, where a call, a table, a state event or the capture names it. */
export function processOf(c: Case, side: SideIndex): Process | null {
  // as of nearly all
  if (c.calls.length + c.rows.length === 0 && !c.lives[side]) return capturedProcess(c, side);
  const end = side === 0 ? c.client : c.server;
  const isLocal = (e: { local: Case['client'] }) => sameEndpoint(e.local, end);
  const call = c.calls.find(isLocal);
  const row = c.rows.find((r) => r.pid !== null && isLocal(r));
  return c.lives[side]?.owner ?? call ?? row ?? capturedProcess(c, side);
}

function capturedProcess({ wires }: Case, side: SideIndex): Process | null {
  for (const wire of wires) {
    const captured = wire.processes[side];
    if (captured !== null) return captured;
  }
  return null;
}
