/** Questions that people ask of such files, answered in words when the files raise them. */
import type { Answer } from '../../model/result.ts';
import type { World } from '../facts/world.ts';
import type { LaterRecording } from '../later-recordings.ts';
import type { Explained } from '../rule.ts';
import { finWait2OfAnotherRun } from './fin-wait2-of-another-run.ts';
import { finWait2Visibility } from './fin-wait2-visibility.ts';
import { listenQueues } from './listen-queues.ts';
import { lostLines } from './lost-lines.ts';
import { queueCounts } from './queue-counts.ts';
import { resetListedAsDrop } from './reset-listed-as-drop.ts';
import { stateCounts } from './state-counts.ts';
import { tellingCounters } from './telling-counters.ts';
import { totalsSinceBoot } from './totals-since-boot.ts';
import { unnamedDrops } from './unnamed-drops.ts';
import { unseenDrops } from './unseen-drops.ts';
import { walkedClose } from './walked-close.ts';

/** null: the files do not raise the question. Several: it is one of more than one about the same thing. */
export type Answerer = (world: World, explained: readonly Explained[]) => Answer | Answer[] | null;

const ANSWERERS: readonly Answerer[] = [
  unseenDrops,
  finWait2Visibility,
  finWait2OfAnotherRun,
  lostLines,
  resetListedAsDrop,
  walkedClose,
  listenQueues,
  stateCounts,
  queueCounts,
  unnamedDrops,
  totalsSinceBoot,
  tellingCounters,
];

export function answerQuestions(
  world: World,
  explained: readonly Explained[],
  later: readonly LaterRecording[],
): Answer[] {
  const question = 'What did the recording of another time settle?';
  const settled = later.map(({ open, text }) => `${open} ${text}`).join(' ');
  return [
    ...(settled === '' ? [] : [{ question, answer: settled }]),
    ...ANSWERERS.flatMap((answer) => answer(world, explained) ?? []),
  ];
}
