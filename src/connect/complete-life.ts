/** What only the whole life of a socket tells: its role, its owner, times since its birth; and what had to be repaired. */
import type { SocketLife, Transition } from '../model/connection.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { Source } from '../model/source.ts';
import type { TcpState } from '../model/tcp.ts';

/** Fills in what needs the whole life, and says what was repaired. */
export function completeLife(life: SocketLife, source: Source, diagnostics: Diagnostics): void {
  life.role = roleOf(life);
  life.owner = ownerOf(life.transitions);
  completeSteps(life.transitions);
  reportReorderedLines(life.transitions, source, diagnostics);
  for (const gap of life.missing) reportMissing(life, gap, source, diagnostics);
}

/** Durations that were not printed, times since the first, and which line stands before one that it follows from. */
export function completeSteps(transitions: readonly Transition[]): void {
  let since: number | null = 0;
  let line = 0;
  let before: Transition | null = null;
  for (const t of transitions) {
    // captures print times instead of durations
    if (t.duration === null && before && t.time !== null && before.time !== null) {
      t.duration = Math.max(0, t.time - before.time);
    }
    if (before) since = since === null || t.duration === null ? null : since + t.duration;
    t.sinceBirth = since;
    // a line that the kernel timed is in its place, wherever it stands
    t.reordered = t.line < line && (t.time === null || before?.time == null || t.time <= before.time);
    line = Math.max(line, t.line);
    before = t;
  }
}

function roleOf(life: SocketLife): SocketLife['role'] {
  const { from, to } = life.transitions[0]!;
  if (to === 'LISTEN' || (from === 'LISTEN' && to === 'CLOSE')) return 'listener';
  if (to === 'SYN_SENT' || from === 'SYN_SENT') return 'client';
  if (from === 'LISTEN' || from === 'SYN_RECV') return 'server';
  return null;
}

/** Transitions that happen in the owner's own system call (G12); the rest runs on whoever was interrupted. */
function inProcessContext(from: TcpState, to: TcpState): boolean {
  return (
    (from === 'CLOSE' && (to === 'SYN_SENT' || to === 'LISTEN')) ||
    (from === 'LISTEN' && to === 'CLOSE') ||
    (from === 'ESTABLISHED' && to === 'FIN_WAIT1') ||
    (from === 'CLOSE_WAIT' && to === 'LAST_ACK') ||
    (from === to && from !== 'CLOSE')
  );
}

export function ownerOf(transitions: readonly Transition[]): SocketLife['owner'] {
  for (const t of transitions) {
    if (t.pid !== null && t.pid > 0 && t.comm !== null && inProcessContext(t.from, t.to)) {
      return { pid: t.pid, comm: t.comm, line: t.line };
    }
  }
  return null;
}

export function reportReorderedLines(
  transitions: readonly Transition[],
  source: Source,
  diagnostics: Diagnostics,
): void {
  for (const t of transitions) {
    if (!t.reordered) continue;
    diagnostics.add({
      code: 'state-lines-reordered',
      severity: 'info',
      source: source.name,
      locator: `line ${t.line}`,
      message: `The line ${t.from} -> ${t.to} stands before the line it follows from (per-CPU buffers); the state machine put it right.`,
    });
  }
}

function reportMissing(
  life: SocketLife,
  gap: SocketLife['missing'][number],
  source: Source,
  diagnostics: Diagnostics,
): void {
  const next = life.transitions[gap.before];
  const last = life.transitions.at(-1)!;
  diagnostics.add({
    code: 'state-line-missing',
    severity: 'data-loss',
    upstream: true,
    source: source.name,
    locator: `line ${(next ?? last).line}`,
    message:
      `Socket ${life.socket} (local port ${life.local.port}): no line for ${gap.from} -> ${gap.to}. ` +
      'Most likely the tracer was skipped while another BPF program ran on that CPU (recursion guard), or its buffer was full; ' +
      `the MS of the next line then spans both states.`,
  });
}
