/** Work that needs nothing but its argument, so that another thread can do it while this one goes on. */

import type { Chart } from '../charts/chart.ts';
import type { TrackedFile } from '../connect/capture.ts';
import type { DecidedStretch, Stretch } from './deciding.ts';

export interface Tasks {
  /** The charts of a document, each as a whole SVG document. */
  svgs: { argument: readonly Chart[]; value: string[] };
  /** An SVG document as PNG. */
  png: { argument: string; value: Uint8Array };
  /** SHA-256 of files in hexadecimal; null where one cannot be read. */
  sha256: { argument: readonly string[]; value: (string | null)[] };
  /** Loads what draws charts: that takes longer than drawing them. */
  warm: { argument: null; value: null };
  /** Reads a capture; null when the file is something else. */
  track: { argument: { path: string; zeekTimers: boolean }; value: TrackedFile | null };
  /** Decides a part of the connections of a capture. */
  decide: { argument: Stretch; value: DecidedStretch };
}

export type TaskName = keyof Tasks;

type Work = { [Name in TaskName]: (argument: Tasks[Name]['argument']) => Promise<Tasks[Name]['value']> };

const work: Work = {
  svgs: async (charts) => (await import('../charts/render.ts')).renderDocument(charts),
  png: async (svg) => (await import('../charts/render.ts')).renderPng(svg),
  sha256: async (paths) => {
    const { sha256OfFile } = await import('../platform/hash.ts');
    return Promise.all(paths.map(sha256OfFile));
  },
  warm: async () => {
    await (await import('../charts/render.ts')).loadVega();
    return null;
  },
  track: async ({ path, zeekTimers }) => (await import('../connect/capture.ts')).trackFile(path, zeekTimers),
  decide: async (stretch) => (await import('./deciding.ts')).decideStretch(stretch),
};

export function runTask<Name extends TaskName>(
  name: Name,
  argument: Tasks[Name]['argument'],
): Promise<Tasks[Name]['value']> {
  return work[name](argument);
}

/** What of a task's value goes to another thread as it is, instead of a copy. */
export async function movedOf<Name extends TaskName>(
  name: Name,
  value: Tasks[Name]['value'],
): Promise<ArrayBuffer[]> {
  if (name === 'decide') return (await import('./deciding.ts')).buffersOfStretch(value as DecidedStretch);
  if (name !== 'track') return [];
  const { tracker } = (value as TrackedFile | null) ?? {};
  return tracker ? (await import('../connect/tracker-state.ts')).buffersOf(tracker) : [];
}
