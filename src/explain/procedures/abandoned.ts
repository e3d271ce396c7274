/** A client that closes its socket in SYN_SENT: nobody refused it, and no RST is sent or came. */
import { CLIENT, type Transition } from '../../model/connection.ts';
import type { Confidence } from '../../model/finding.ts';
import type { Facts } from '../facts/facts.ts';
import type { LifeFacts } from '../facts/life.ts';
import { RTO_MIN, SYN_RTO } from '../facts/timing.ts';
import { memoised } from '../memo.ts';
import { synCandidates } from './syn.ts';

const SHUTDOWN_MASK = 3;

interface Abandoned {
  life: LifeFacts;
  end: Transition;
  confidence: Confidence;
}

/** What the states say of the closing, whatever had become of the SYN. */
export const closedWhileConnecting = memoised((f: Facts): Abandoned | null => {
  const life = f.life(CLIENT);
  const end = life?.find('SYN_SENT', 'CLOSE');
  if (!life || !end || answered(f)) return null;
  if (end.fields) {
    if (end.fields.error !== undefined) return null;
    // an ICMP error that comes while connect() holds the socket is a soft one (tcp_v4_err): SO_ERROR takes it, no field keeps it
    if (f.probes.of('error', CLIENT).length > 0) return null;
    // close(); connect(AF_UNSPEC) leaves sk_shutdown alone
    const proved = end.fields.shutdown === SHUTDOWN_MASK && f.probes.complete(life.life.source, 'error');
    if (proved) return { life, end, confidence: 'proved' };
    return life.byOwner(end) ? { life, end, confidence: 'inferred' } : null;
  }
  // on one machine the RST of a refusal is handled in the process that sent the SYN, at once
  const late = end.duration !== null && end.duration >= RTO_MIN;
  return late && life.byOwner(end) ? { life, end, confidence: 'possible' } : null;
});

/** The same, where no SYN was lost: then the closing is only what followed. */
export function abandoned(f: Facts): Abandoned | null {
  const closed = closedWhileConnecting(f);
  if (!closed) return null;
  const [lost] = synCandidates(f);
  if (lost && lost.rule !== 'unanswered-syn') return null;
  // by then its SYN was due to be sent again: that no file shows where it was lost does not say that it was not
  const overdue = (closed.end.duration ?? 0) >= SYN_RTO;
  return lost || overdue ? { ...closed, confidence: 'possible' } : closed;
}

/** A RST came, on the wire or by the kernel's word. */
function answered(f: Facts): boolean {
  if (f.wires.some((w) => w.resets.some((r) => r.refuses !== null))) return true;
  return f.case.kernel.some((e) => e.kind === 'reset-received' && f.probes.sideOf(e) === CLIENT);
}
