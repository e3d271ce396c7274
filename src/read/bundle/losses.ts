/** What a capture lost, by its own account: no rule may conclude from the absence of an event where any of it holds. */
import type { Diagnostics } from '../../model/diagnostic.ts';
import type { Recording } from '../../model/source.ts';
import type { SourceTime } from '../../model/time.ts';
import { join } from '../../platform/files.ts';
import type { Files } from '../../platform/types.ts';
import { quote } from '../lines/shared/quote.ts';
import { type BundleClock, stepsIn } from './clock.ts';
import { locate, sizeOf } from './is-bundle.ts';
import type { Manifest } from './manifest.ts';

/** Bounds of what is said of a manifest that was tampered with: probes listed, characters of a problem. */
const LISTED = 60;
const LONGEST = 500;

/** What became of the stream of events, as its file shows. */
export interface Stream {
  /** Its last event, `end`, is there. */
  ended: boolean;
  /** Counted events that the file holds. */
  events: number;
  /** When it began, */
  from: SourceTime;
  /** and the time of the last event. */
  until: SourceTime;
  /** Pieces of which events are missing; null: not known by piece, only in all. */
  short: ReadonlySet<string> | null;
}

/** `conn-request` of `functions/conn-request.bt`. */
function nameOf(piece: string): string {
  return piece.replace(/^.*\//, '').replace(/\.bt$/, '');
}

function unattached(manifest: Manifest): { piece: string; why: string }[] {
  return (manifest.probes?.missing ?? []).filter((p) => !p.why.startsWith('not asked for'));
}

/** Which probes there were, and of which of them no event can be missing (docs/bundle.md, "What is missing"). */
export function recordingOf(manifest: Manifest, stream: Stream): Recording {
  const attached = new Set<string>();
  const complete = new Set<string>();
  const { events, ended } = manifest;
  const misses = events?.recursion_misses;
  const arrived = events?.emitted != null && stream.events + (events.lost ?? 0) >= events.emitted;
  const { short } = stream;
  const whole =
    stream.ended &&
    (ended?.how === 'complete' || ended?.how === 'interrupted') &&
    (short !== null || (arrived && events?.lost === 0 && misses?.total === 0));
  const uncounted = new Set<string>();
  for (const { probe, piece } of manifest.probes?.attached ?? []) {
    attached.add(nameOf(piece));
    // every kernel counts the misses of fentry and tp_btf programs, not every one those of kprobes and tracepoints
    const counted =
      events?.misses_of_tracepoints_counted === true || /^(kfunc|kretfunc|fentry|fexit|tp_btf):/.test(probe);
    if (!counted) uncounted.add(nameOf(piece));
  }
  if (whole) for (const name of attached) if (!uncounted.has(name) && !short?.has(name)) complete.add(name);
  const refused = new Map(
    unattached(manifest).map(({ piece, why }) => [nameOf(piece), quote(why.slice(0, LONGEST))]),
  );
  return {
    kernel: manifest.kernel?.release ?? null,
    attached,
    refused,
    complete,
    from: stream.from,
    until: stream.until,
  };
}

export function reportManifest(
  manifest: Manifest,
  folder: string,
  stream: Stream,
  clock: BundleClock | null,
  diagnostics: Diagnostics,
): void {
  const source = join(folder, 'manifest.json');
  const loss = (code: string, message: string, count = 1) =>
    diagnostics.add({ code, severity: 'data-loss', upstream: true, source, locator: '', message, count });
  const note = (code: string, message: string, count = 1) =>
    diagnostics.add({ code, severity: 'info', source, locator: '', message, count });

  if (!manifest.ended)
    loss('capture-killed', 'the capture was killed, or was still running when the folder was copied');
  else if (manifest.ended.how === 'failed')
    loss('capture-failed', `the capture failed: ended by ${quote(manifest.ended.by)}`);
  if (!stream.ended && manifest.events !== null)
    loss(
      'events-cut-off',
      'the stream of events was cut off: nothing follows from what is absent after its last line',
    );
  const lost = manifest.events?.lost ?? 0;
  if (lost > 0) loss('events-lost', 'events were lost because the buffer was full', lost);
  const { emitted } = manifest.events ?? {};
  const short = emitted == null ? 0 : emitted - stream.events - lost;
  if (short > 0 && stream.ended)
    loss('events-not-written', 'events that were sent are not in the file', short);
  const misses = manifest.events?.recursion_misses;
  if (misses && misses.total > 0) {
    loss(
      'events-skipped',
      'runs of the BPF programs were skipped because another one was running on that CPU',
      misses.total,
    );
  } else if (
    manifest.events !== null &&
    (!misses || manifest.events?.misses_of_tracepoints_counted === false)
  ) {
    note(
      'events-skipped-unknown',
      'this kernel does not count runs of BPF programs that it skipped: some events may be missing',
    );
  }
  const dropped = manifest.packets?.dropped_by_kernel ?? 0;
  if (dropped > 0) loss('packets-lost', 'packets were dropped before tcpdump could write them', dropped);
  const unseen = manifest.packets?.dropped_by_interface ?? 0;
  if (unseen > 0)
    loss(
      'packets-lost',
      'packets, of this filter or not, were dropped by the interface before tcpdump saw them',
      unseen,
    );
  if (clock && clock.steps.length > 0) note('clock-stepped', stepsIn(clock), clock.steps.length);
  const { trigger } = manifest;
  if (trigger) {
    const at = trigger.at ? ` at ${new Date(trigger.at.realtime_s * 1000).toISOString().slice(0, 19)}Z` : '';
    const what = trigger.what ? ` (${quote(trigger.what)})` : '';
    note('capture-triggered', `The flight recorder was triggered by ${quote(trigger.by)}${what}${at}.`);
  }
  for (const problem of manifest.problems) loss('capture-problem', problem.slice(0, LONGEST));
  const missing = unattached(manifest);
  if (missing.length > 0) {
    const pieces = missing.slice(0, LISTED).map((p) => quote(p.piece.replace(/\.bt$/, '')));
    if (missing.length > LISTED) pieces.push(`${missing.length - LISTED} more`);
    note(
      'probes-missing',
      `not recorded on this host: ${pieces.join(', ')} (${missing[0]!.why.slice(0, 160)})`,
      missing.length,
    );
  }
}

/** Files that are shorter than they were when the capture ended, or gone: damage since, on the disk or on their way here. */
export async function reportCutFiles(
  manifest: Manifest,
  folder: string,
  files: Files,
  diagnostics: Diagnostics,
): Promise<void> {
  for (const [name, bytes] of Object.entries(manifest.files ?? {})) {
    const source = join(folder, name);
    let size = await sizeOf(source, files);
    if (size !== null && size >= bytes) continue;
    if (size === null) {
      // packed since: an end that is missing there is named by whoever unpacks it, unless nothing is left to unpack
      size = await sizeOf(await locate(folder, name, files), files);
      if (size) continue;
    }
    const left = size === null ? 'is gone' : `has only ${size} of them left`;
    const message = `had ${bytes} bytes when the capture ended, and ${left}`;
    const locator = `byte ${size ?? 0}`;
    diagnostics.add({ code: 'bundle-file-cut', severity: 'data-loss', source, locator, message });
  }
}
