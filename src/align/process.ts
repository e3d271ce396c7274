/** Whose socket an end is, from whatever names its process. */
import { sameEndpoint } from '../model/address.ts';
import type { Case } from '../model/case.ts';
import { CLIENT, type SideIndex } from '../model/connection.ts';

export interface Process {
  pid: number | null;
  comm: string | null;
  container?: string | null;
}

/** The owner that state events name; else a call, a row of a table, or the capture's own comments. */
export function processOf(c: Case, side: SideIndex): Process | null {
  const end = side === CLIENT ? c.client : c.server;
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
