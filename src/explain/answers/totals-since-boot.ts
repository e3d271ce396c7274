import { stepsOf } from '../facts/steps.ts';
import { list } from '../words.ts';
import type { Answerer } from './index.ts';

/** Raised by one reading of the listen counters: what the two numbers are, and why they prove little. */
export const totalsSinceBoot: Answerer = (world) => {
  const shown = world.counters.flatMap((series) => {
    const reading = series.readings.findLast((r) => r.values.has('ListenDrops'));
    if (!reading || reading.delta || stepsOf(series, 'ListenDrops').length > 0) return [];
    const [overflows, drops] = [
      reading.values.get('ListenOverflows') ?? 0,
      reading.values.get('ListenDrops')!,
    ];
    return overflows + drops > 0 ? [{ series, overflows, drops }] : [];
  });
  const [first] = shown;
  if (!first) return null;
  const { overflows, drops } = first;
  const others =
    drops > overflows
      ? `Here ${drops - overflows} more were dropped for another reason (no memory, no route back, the SYN queue without cookies).`
      : 'Here both are the same, so every one of these drops met a full accept queue; none is of the SYN queue.';
  return {
    question:
      'What do "times the listen queue of a socket overflowed" and "SYNs to LISTEN sockets dropped" say?',
    answer:
      `${list(shown.map((s) => `ListenOverflows ${s.overflows} and ListenDrops ${s.drops} (${s.series.source.name})`))}: totals since boot of that host or network namespace, of all its listeners. ` +
      'One reading does not say when it happened, nor whose SYNs it was; two readings, before and after, do. ' +
      'ListenOverflows counts each SYN and each ACK of a handshake that met a full accept queue. ListenDrops counts every SYN and ACK that a listener dropped, those included: ' +
      `it is not the SYN queue overflowing. ${others}`,
  };
};
