/** Words that were mistyped. */
import { closestMatch } from 'leven';

/** `; did you mean unread-data-reset?`, or '' where nothing known is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const all = [...known];
  const begins = word.length >= 3 ? all.find((k) => k.startsWith(word)) : undefined;
  const maxDistance = Math.min(3, Math.ceil(word.length / 2));
  const nearest = begins ?? closestMatch(word, all, { maxDistance });
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}
