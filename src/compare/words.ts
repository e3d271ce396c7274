/** A comparison in words, the same for terminal, Markdown and page. */
import { counted, number } from '../view/words.ts';
import type { Change, ComparedCause, Comparison, Rate } from './compare.ts';

export const CHANGE_NAMES: Record<Change, string> = {
  new: 'New',
  more: 'More',
  same: 'No clear change',
  fewer: 'Fewer',
  gone: 'Gone',
};

/** One sentence: what became worse, and what better. Normal causes do not count. */
export function verdictOf({ causes, before, after }: Comparison): string {
  for (const side of [before, after])
    if (side.connections === 0 && causes.every((c) => !c.ofHost))
      return `No connection in ${side.name}: there is nothing to compare.`;
  const faults = causes.filter((c) => c.severity !== 'info');
  const of = (...changes: Change[]) => faults.filter((c) => changes.includes(c.change) && c.clear).length;
  const [worse, better] = [of('new', 'more'), of('gone', 'fewer')];
  const unclear = faults.filter((c) => !c.clear && c.change !== 'same').length;
  const parts = [
    ...(worse > 0 ? [`${counted(worse, 'cause')} new or more frequent`] : []),
    ...(better > 0 ? [`${counted(better, 'cause')} gone or less frequent`] : []),
    ...(unclear > 0 ? [`${counted(unclear, 'difference')} that may be chance`] : []),
  ];
  if (parts.length > 0) return `${parts.join(', ')}.`;
  if (faults.length > 0) return 'No cause became clearly more or less frequent.';
  return causes.length > 0
    ? 'No problems found in either: the causes below are normal (info).'
    : 'No problems found in either.';
}

/** `12 of 400 connections (30 per 1,000; 95 %: 17 to 52)`. */
export function rateText({ hurt, connections, perThousand, interval }: Rate): string {
  if (perThousand === null || interval === null) return 'no connections';
  if (hurt === 0) return `none of ${number(connections)}`;
  const [low, high] = interval.map(rounded);
  return `${number(hurt)} of ${number(connections)} (${rounded(perThousand)} per 1,000; 95 %: ${low} to ${high})`;
}

/** Of one cause: before and after, and whether it may be chance. */
export function changeText(
  cause: Pick<ComparedCause, 'before' | 'after' | 'clear' | 'change'> & { ofHost?: boolean },
): string {
  if (cause.ofHost) return 'Found of a host, of no connection.';
  const both = `Before ${rateText(cause.before)}, after ${rateText(cause.after)}.`;
  if (cause.clear || cause.change === 'same') return both;
  return `${both} So few may be chance: compare more connections.`;
}

/** Three digits where it has as many. */
function rounded(perThousand: number): string {
  const digits = perThousand >= 100 ? 0 : perThousand >= 10 ? 1 : 2;
  return number(Number(perThousand.toFixed(digits)));
}
