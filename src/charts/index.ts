/** Every chart, in the order of the report. */
import type { Result } from '../model/result.ts';
import { causes } from './causes.ts';
import type { Chart, ChartBuilder } from './chart.ts';
import { finWait2 } from './fin-wait2.ts';
import { listenerPressure } from './listener-pressure.ts';
import { stateTimeline } from './state-timeline.ts';

export const chartBuilders: readonly ChartBuilder[] = [causes, stateTimeline, listenerPressure, finWait2];

export function buildCharts(result: Result): Chart[] {
  return chartBuilders.map((b) => b.build(result)).filter((c) => c !== null);
}
