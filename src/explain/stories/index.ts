/** Stories across connections: what one fault did to many of them, one thing after the other. */
import type { Confidence } from '../../model/finding.ts';
import { withNames } from '../../model/hostnames.ts';
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { backscatter } from './backscatter.ts';
import { closeWait } from './close-wait.ts';
import { conntrackFull } from './conntrack-full.ts';
import { healthChecks } from './health-checks.ts';
import { hostGone } from './host-gone.ts';
import { land } from './land.ts';
import { listenerRestarted } from './listener-restarted.ts';
import { portReuse } from './port-reuse.ts';
import { scan } from './scan.ts';
import { synFlood } from './syn-flood.ts';
import { workerStuck } from './worker-stuck.ts';

export interface Story {
  /** In order; each names the files it rests on. */
  sentences: string[];
  /** Rules whose causes these sentences have told. */
  rules: readonly string[];
  /** What it was, where it is more than its largest cause. */
  title?: string;
  /** What to do, where the remedies of its causes do not say it best. */
  action?: string;
  /** Who did it or whom it met, where that is not the side to blame of its causes. */
  who?: string;
  /** How sure it is as a whole: many together say more than each of them. */
  confidence?: Confidence;
  /** Connections that it is of where no cause of theirs says so, as those of a capture of SYNs alone. */
  uncaused?: { source: number; connections: readonly number[] };
  /** Where it is of several faults: each with what followed from it. Else the story is of one. */
  faults?: readonly Fault[];
}

/** Something wrong that no single connection shows. */
export interface Fault {
  title: string;
  /** What happened, in one sentence. */
  headline: string;
  action: string;
  /** Its consequences: findings of these rules for which `isPart` holds. */
  rules: readonly string[];
  isPart(e: Explained): boolean;
}

/** null: nothing of the kind happened. */
export type StoryTeller = (world: World, explained: readonly Explained[]) => Story | null;

const TELLERS: readonly StoryTeller[] = [
  workerStuck,
  synFlood,
  conntrackFull,
  scan,
  healthChecks,
  land,
  backscatter,
  listenerRestarted,
  hostGone,
  closeWait,
  portReuse,
];

/** Each is asked of what those before it have not told. */
export function tellStories(world: World, explained: readonly Explained[]): Story[] {
  const stories: Story[] = [];
  let left = explained;
  for (const tell of TELLERS) {
    const story = tell(world, left);
    if (!story) continue;
    stories.push(named(story));
    left = left.filter((e) => !story.rules.includes(e.rule.id));
  }
  return stories;
}

function named(story: Story): Story {
  const { sentences, action, who } = story;
  return {
    ...story,
    sentences: sentences.map(withNames),
    ...(action !== undefined && { action: withNames(action) }),
    ...(who !== undefined && { who: withNames(who) }),
  };
}
