/** Times and spans as people read them. The only place where nanoseconds become text. */
import type { ClockKind, ClockLabel, CommonTime } from '../model/time.ts';

export function labelOf(kind: ClockKind): ClockLabel {
  if (kind === 'realtime') return 'utc';
  if (kind === 'wall') return 'wall';
  return kind === 'order' ? 'order' : 'relative';
}

const NS = 1_000_000_000n;
const DAY = 86_400n;

/** `epoch` is the absolute nanosecond of common time 0. '' for null. */
export function formatTime(time: CommonTime | number | null, clock: ClockLabel, epoch: bigint): string {
  if (time === null || clock === 'order') return '';
  if (clock === 'relative') return (time / 1e9).toFixed(9);
  const absolute = epoch + BigInt(Math.round(time));
  const seconds = absolute >= 0n ? absolute / NS : -((-absolute + NS - 1n) / NS);
  const fraction = String(absolute - seconds * NS).padStart(9, '0');
  if (clock === 'utc' || seconds >= 366n * DAY) {
    const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
    return clock === 'utc' ? `${text}.${fraction}Z` : `${text}.${fraction}`;
  }
  // time of day without a date: days after the first are counted
  const days = seconds / DAY;
  const rest = Number(seconds - days * DAY);
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  const text = `${two(rest / 3600)}:${two((rest / 60) % 60)}:${two(rest % 60)}.${fraction}`;
  return days === 0n ? text : `${text} (+${days} d)`;
}

/** A duration in the unit people would use: `1.2 µs`, `40.4 ms`, `12.9 s`, `16 min 0 s`, `2 h 5 min`. */
export function formatSpan(nanoseconds: number): string {
  const ns = Math.abs(nanoseconds);
  if (ns < 1_000) return `${Math.round(nanoseconds)} ns`;
  if (ns < 1_000_000) return `${trim(nanoseconds / 1e3)} µs`;
  if (ns < 1_000_000_000) return `${trim(nanoseconds / 1e6)} ms`;
  if (ns < 120e9) return `${trim(nanoseconds / 1e9)} s`;
  const seconds = Math.round(nanoseconds / 1e9);
  if (ns < 7200e9) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}
