/** Connections that begin in one capture and go on in a later one: files of a capture that was rotated. */
import type { Case, Timeline } from '../model/case.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { Source } from '../model/source.ts';
import type { CommonTime } from '../model/time.ts';

interface Span {
  source: number;
  from: CommonTime;
  to: CommonTime;
}

/** Says so, once for all: what a file has of such a connection is told as if it were all. */
export function reportSplit(
  cases: readonly Case[],
  timeline: Timeline,
  sources: readonly Source[],
  diagnostics: Diagnostics,
): void {
  const several = cases.filter(({ wires }) => wires.length > 1);
  if (several.length === 0) return;
  const captures = capturesOf(cases, timeline);
  const follows = (a: Span, b: Span) =>
    timeline.comparable(a.source, b.source) && captures.get(a.source)!.to < captures.get(b.source)!.from;
  let count = 0;
  let first: { id: string; names: string } | null = null;
  for (const { id, wires } of several) {
    const parts = spansOf(wires, timeline).sort((a, b) => a.from - b.from);
    const at = parts.findIndex((part, i) => i > 0 && follows(parts[i - 1]!, part));
    if (at < 0) continue;
    count++;
    first ??= {
      id,
      names: [parts[at - 1]!, parts[at]!].map((p) => sources[p.source]!.name).join(' and '),
    };
  }
  if (first === null) return;
  diagnostics.add({
    code: 'split-connection',
    severity: 'info',
    source: '',
    locator: '',
    count,
    message:
      `Connections that begin in one capture and go on in a later one (the first: ${first.id}, in ${first.names}) are told from the file that has ` +
      'most of their packets. Files of one capture (tcpdump -G, -C) are told whole when they are joined first: mergecap -w whole.pcap FILE…',
  });
}

function spansOf(wires: Case['wires'], timeline: Timeline): Span[] {
  return wires.flatMap(({ source, start, end }) => {
    const [from, to] = [timeline.at(source, start), timeline.at(source, end)];
    return from === null || to === null ? [] : [{ source, from, to }];
  });
}

/** From the first to the last packet that each capture has of these. */
function capturesOf(cases: readonly Case[], timeline: Timeline): Map<number, Span> {
  const captures = new Map<number, Span>();
  for (const { wires } of cases) {
    for (const part of spansOf(wires, timeline)) {
      const known = captures.get(part.source);
      if (!known) captures.set(part.source, part);
      else {
        if (part.from < known.from) known.from = part.from;
        if (part.to > known.to) known.to = part.to;
      }
    }
  }
  return captures;
}
