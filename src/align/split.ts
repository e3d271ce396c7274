/** Connections that begin in one capture and go on in a later one: files of a capture that was rotated. */
import type { Case, Timeline } from '../model/case.ts';
import type { WireConnection } from '../model/connection.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { Source } from '../model/source.ts';

/** Says so, once for each file: what one of them has of such a connection is told as if it were all. */
export function reportSplit(
  cases: readonly Case[],
  timeline: Timeline,
  sources: readonly Source[],
  diagnostics: Diagnostics,
): void {
  const several = cases.filter(({ wires }) => wires.length > 1);
  if (several.length === 0) return;
  const spans = spansOf(cases, timeline);
  const isBefore = (a: WireConnection, b: WireConnection) =>
    timeline.comparable(a.source, b.source) &&
    (spans.get(a.source)?.to ?? Number.POSITIVE_INFINITY) < (spans.get(b.source)?.from ?? 0);
  for (const { wires } of several) {
    const early = wires.find((a) => wires.some((b) => isBefore(a, b)));
    const late = early && wires.find((b) => isBefore(early, b));
    if (!early || !late) continue;
    diagnostics.add({
      code: 'split-connection',
      severity: 'info',
      source: sources[early.source]!.name,
      locator: '',
      message:
        `Connections begin here and go on in ${sources[late.source]!.name}: each is told from the file that has most of its packets. ` +
        'Files of one capture (tcpdump -G, -C) are told whole when they are joined first: mergecap -w whole.pcap FILE…',
    });
  }
}

/** From the first to the last packet that each capture has of these. */
function spansOf(cases: readonly Case[], timeline: Timeline): Map<number, { from: number; to: number }> {
  const spans = new Map<number, { from: number; to: number }>();
  for (const { source, start, end } of cases.flatMap((c) => c.wires)) {
    const [from, to] = [timeline.at(source, start), timeline.at(source, end)];
    if (from === null || to === null) continue;
    const span = spans.get(source);
    if (!span) spans.set(source, { from, to });
    else {
      span.from = Math.min(span.from, from);
      span.to = Math.max(span.to, to);
    }
  }
  return spans;
}
