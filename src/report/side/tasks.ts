/** Work that needs nothing but its argument, so that another thread can do it while this one goes on. */
import type { Chart } from '../charts/chart.ts';

export interface Tasks {
  /** A chart as a whole SVG document. */
  svg: { argument: Chart; value: string };
  /** An SVG document as PNG. */
  png: { argument: string; value: Uint8Array };
  /** SHA-256 of a file in hexadecimal; null when it cannot be read. */
  sha256: { argument: string; value: string | null };
  /** Loads what draws charts: that takes longer than drawing them. */
  warm: { argument: null; value: null };
}

export type TaskName = keyof Tasks;

type Work = { [Name in TaskName]: (argument: Tasks[Name]['argument']) => Promise<Tasks[Name]['value']> };

const work: Work = {
  svg: async (chart) => (await import('../charts/render.ts')).renderSvg(chart),
  png: async (svg) => (await import('../charts/render.ts')).renderPng(svg),
  sha256: async (path) => (await import('../sha256.ts')).sha256(path),
  warm: async () => {
    await (await import('../charts/render.ts')).loadVega();
    return null;
  },
};

export function runTask<Name extends TaskName>(
  name: Name,
  argument: Tasks[Name]['argument'],
): Promise<Tasks[Name]['value']> {
  return work[name](argument);
}
