/** What the sentences of a story rest on: files, and moments of one clock. */
import type { Evidence } from '../../model/finding.ts';
import type { CommonTime } from '../../model/time.ts';
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { list, moment, period } from '../words.ts';

/** So many files are named. */
export const FILES = 3;

export function sourcesOf(world: World, evidence: readonly Evidence[]): string[] {
  return evidence.flatMap((e) => (e.source === null ? [] : world.source(e.source - 1).name));
}

/** ` (tcpstates.txt, packets.pcap and 2 more)`; without folders, which the evidence names. */
export function cite(files: readonly string[]): string {
  const names = [...new Set(files.map((f) => f.slice(f.lastIndexOf('/') + 1)))];
  if (names.length === 0) return '';
  const shown = names.slice(0, FILES);
  if (names.length > FILES) shown.push(`${names.length - FILES} more`);
  return ` (${list(shown)})`;
}

/** ` between 12:00:03 and 12:00:41`, by the clock of a source; nothing where it has none. */
export function during(world: World, source: number, from: CommonTime | null, to: CommonTime | null): string {
  const { timeline } = world.context;
  const format = (at: CommonTime) => timeline.format(at, timeline.label(source));
  return from === null || to === null ? '' : period(format(from), format(to));
}

/** `12:00:03`, by the clock of a source; `date`: with the day. */
export function clockTime(world: World, source: number, at: CommonTime, date = true): string {
  const { timeline } = world.context;
  return moment(timeline.format(at, timeline.label(source)), date);
}

/** Rules that say nothing more than the story does: all that they explain is part of it. */
export function covered(
  explained: readonly Explained[],
  rules: readonly string[],
  isPart: (e: Explained) => boolean,
): string[] {
  return rules.filter((id) => explained.every((e) => e.rule.id !== id || isPart(e)));
}

/** Said of attempts where what followed them cannot be in the file (World.holdsOnlySyns). */
export const MAYBE_FILTERED =
  'The file holds only segments with SYN, so the capture was probably filtered: these connections may have been served.';
