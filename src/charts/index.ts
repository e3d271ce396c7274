/** Every chart, in the order of the report. */
import type { Result } from '../tables/result.ts';
import { acceptQueues } from './accept-queues.ts';
import type { Chart, ChartBuilder } from './chart.ts';
import { durations } from './durations.ts';
import { finWait2 } from './fin-wait2.ts';
import { listenerPressure } from './listener-pressure.ts';
import { overTime } from './over-time.ts';
import { servers } from './servers.ts';
import { stateTimeline } from './state-timeline.ts';

export const chartBuilders: readonly ChartBuilder[] = [
  overTime,
  acceptQueues,
  servers,
  stateTimeline,
  listenerPressure,
  durations,
  finWait2,
];

export function buildCharts(result: Result): Chart[] {
  return chartBuilders.map((b) => b.build(result)).filter((c) => c !== null);
}
