/** Times and spans as people read them. The only place where nanoseconds become text. */
import type { ClockKind, ClockLabel, CommonTime } from '../model/time.ts';

export function labelOf(kind: ClockKind): ClockLabel {
  if (kind === 'realtime') return 'utc';
  if (kind === 'wall') return 'wall';
  return kind === 'order' ? 'order' : 'relative';
}

const NS_PER_S = 1_000_000_000;
const DAY = 86_400;
/** A time of day without a date counts from its first midnight; what lies a year on has a date. */
const YEAR = 366;
/** About what a Date can hold, 275,760 years: a damaged clock can claim more. */
const LAST_SECOND = 8.64e12 - DAY;

/** `epoch` is the absolute nanosecond of common time 0. '' for null. */
export function formatTime(time: CommonTime | number | null, clock: ClockLabel, epoch: bigint): string {
  if (time === null || clock === 'order') return '';
  if (clock === 'relative') return (time / NS_PER_S).toFixed(9);
  const { seconds, nanoseconds } = absolute(time, epoch);
  const day = Math.floor(seconds / DAY);
  const text = `${timeOfDay(seconds - day * DAY)}.${nineDigits(nanoseconds)}`;
  if (clock === 'utc') return `${dateOf(day)}T${text}Z`;
  if (day >= YEAR) return `${dateOf(day)}T${text}`;
  return day === 0 ? text : `${text} (${day > 0 ? '+' : ''}${day} d)`;
}

/** The same in nanoseconds since 1970; '' where the clock is not UTC. */
export function epochNs(time: CommonTime | null, clock: ClockLabel, epoch: bigint): string {
  if (time === null || clock !== 'utc') return '';
  const { seconds, nanoseconds } = absolute(time, epoch);
  return seconds > 0
    ? `${seconds}${nineDigits(nanoseconds)}`
    : String(BigInt(seconds) * BigInt(NS_PER_S) + BigInt(nanoseconds));
}

function absolute(time: number, epoch: bigint): { seconds: number; nanoseconds: number } {
  const base = splitEpoch(epoch);
  const whole = Math.floor(time / NS_PER_S);
  const fraction = Math.round(time - whole * NS_PER_S) + base.nanoseconds;
  const carry = Math.floor(fraction / NS_PER_S);
  const seconds = Math.max(-LAST_SECOND, Math.min(base.seconds + whole + carry, LAST_SECOND));
  return { seconds, nanoseconds: fraction - carry * NS_PER_S };
}

// Bigints and dates are slow; the same epoch and the same day are asked for again and again.
let lastEpoch = { epoch: 0n, seconds: 0, nanoseconds: 0 };
let lastDay = { day: 0, text: '1970-01-01' };

function splitEpoch(epoch: bigint): { seconds: number; nanoseconds: number } {
  if (epoch !== lastEpoch.epoch) {
    const nanoseconds = ((epoch % BigInt(NS_PER_S)) + BigInt(NS_PER_S)) % BigInt(NS_PER_S);
    const seconds = (epoch - nanoseconds) / BigInt(NS_PER_S);
    lastEpoch = { epoch, seconds: Number(seconds), nanoseconds: Number(nanoseconds) };
  }
  return lastEpoch;
}

function dateOf(day: number): string {
  if (day !== lastDay.day) lastDay = { day, text: new Date(day * DAY * 1000).toISOString().slice(0, -14) };
  return lastDay.text;
}

const TWO_DIGITS = Array.from({ length: 60 }, (_, n) => String(n).padStart(2, '0'));
const THREE_DIGITS = Array.from({ length: 1000 }, (_, n) => String(n).padStart(3, '0'));

// by a table: each number of its own would be put into words by the runtime
function nineDigits(ns: number): string {
  const us = Math.floor(ns / 1000);
  const ms = Math.floor(us / 1000);
  return THREE_DIGITS[ms]! + THREE_DIGITS[us - ms * 1000]! + THREE_DIGITS[ns - us * 1000]!;
}

function timeOfDay(second: number): string {
  const minute = Math.floor(second / 60);
  return `${TWO_DIGITS[Math.floor(minute / 60)]}:${TWO_DIGITS[minute % 60]}:${TWO_DIGITS[second % 60]}`;
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
