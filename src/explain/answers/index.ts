/** Questions that people ask of such files, answered in words when the files raise them. */
import type { Answer } from '../../model/result.ts';
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { finWait2OfAnotherRun } from './fin-wait2-of-another-run.ts';
import { finWait2Visibility } from './fin-wait2-visibility.ts';
import { lostLines } from './lost-lines.ts';
import { resetListedAsDrop } from './reset-listed-as-drop.ts';
import { unseenDrops } from './unseen-drops.ts';

/** null: the files do not raise the question. */
export type Answerer = (world: World, explained: readonly Explained[]) => Answer | null;

const ANSWERERS: readonly Answerer[] = [
  unseenDrops,
  finWait2Visibility,
  finWait2OfAnotherRun,
  lostLines,
  resetListedAsDrop,
];

export function answerQuestions(world: World, explained: readonly Explained[]): Answer[] {
  return ANSWERERS.map((answer) => answer(world, explained)).filter((a) => a !== null);
}
