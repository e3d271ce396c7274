/** Stories across connections: what one fault did to many of them, one thing after the other. */
import type { World } from '../facts/world.ts';
import type { Explained } from '../rule.ts';
import { synFlood } from './syn-flood.ts';
import { workerStuck } from './worker-stuck.ts';

export interface Story {
  /** In order; each names the files it rests on. */
  sentences: string[];
  /** Rules whose causes these sentences have told. */
  rules: readonly string[];
}

/** null: nothing of the kind happened. */
export type StoryTeller = (world: World, explained: readonly Explained[]) => Story | null;

const TELLERS: readonly StoryTeller[] = [workerStuck, synFlood];

export function tellStories(world: World, explained: readonly Explained[]): Story[] {
  return TELLERS.map((tell) => tell(world, explained)).filter((s) => s !== null);
}
