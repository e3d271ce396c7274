import type { Context } from '../model/case.ts';
import type { Source } from '../model/source.ts';
import type { ClockLabel, SourceTime } from '../model/time.ts';
import { captureFormats } from '../read/formats.ts';
import { type Table, timeText } from './column.ts';
import type { Result } from './result.ts';

export interface InputSummary {
  name: string;
  format: string;
  host: string;
  clock: string;
  clockLabel: ClockLabel;
  records: number;
  /** What the records are. */
  unit: 'packets' | 'lines';
  /** Times of its first and last record, as `clock` says; '' without any. */
  first: string;
  last: string;
  /** Of the file, in hexadecimal, where it was asked for. */
  sha256?: string;
  /** Of a capture that was rotated, in the order of their packets. */
  files?: { name: string; sha256?: string }[];
}

interface SourceRow extends InputSummary {
  number: number;
  lost: string;
}

export const sourcesTable: Table<SourceRow> = {
  file: 'sources.csv',
  doc: 'A row for each source: an input file, or a part of one that holds the output of several commands (`file#part`).',
  columns: [
    { name: 'number', doc: 'what evidence in findings.csv refers to', value: (s) => s.number },
    { name: 'path', doc: 'as it was given', value: (s) => s.name },
    { name: 'format', doc: 'what it was read as (`tcpautopsy formats`)', value: (s) => s.format },
    { name: 'host', doc: 'host it comes from, where known', value: (s) => s.host },
    {
      name: 'clock',
      doc: '`utc`, `wall`, `relative` or `order`: what its times could be brought to',
      value: (s) => s.clockLabel,
    },
    {
      name: 'sha256',
      doc: 'of the file, in hexadecimal; empty beyond 2 GiB and for pipes',
      value: (s) => s.sha256 ?? '',
    },
    {
      name: 'packets',
      doc: 'read from it',
      unit: 'packets',
      value: (s) => (s.unit === 'packets' ? s.records : null),
    },
    {
      name: 'lines',
      doc: 'events or rows read from it',
      value: (s) => (s.unit === 'lines' ? s.records : null),
    },
    {
      name: 'first_time',
      doc: 'of its first record, as in connections.csv',
      value: (s) => timeText(s.first, s.clockLabel),
    },
    { name: 'last_time', doc: 'of its last record', value: (s) => timeText(s.last, s.clockLabel) },
    {
      name: 'lost',
      doc: 'kinds of loss (diagnostics.csv) and how often, separated by `; `',
      value: (s) => s.lost,
    },
  ],
};

/** What was lost of a source is in the diagnostics about it, or about the file that it is a part of. */
export function sourceRows({ inputs, diagnostics }: Pick<Result, 'inputs' | 'diagnostics'>): SourceRow[] {
  const losses = diagnostics.filter((d) => d.severity !== 'info');
  return inputs.map((input, i) => {
    const file = input.name.replace(/#[^#]*$/, '');
    const own = losses.filter((d) => d.source === input.name || d.source === file);
    return { ...input, number: i + 1, lost: own.map((d) => `${d.code} ${d.count}`).join('; ') };
  });
}

const CLOCK_WORDS: Record<Source['clock']['kind'], string> = {
  realtime: 'UTC',
  monotonic: 'time since boot',
  wall: 'local time of day',
  relative: 'seconds since its first event',
  order: 'order only',
};

export function inputSummary(source: Source, context: Context): InputSummary {
  const host = context.hosts.find((h) => h.sources.includes(source));
  const { name, format, records, times } = source;
  const files = source.files?.map((file) => ({ name: file.name }));
  const { timeline } = context;
  const clockLabel = timeline.label(source.id);
  const at = (time: SourceTime | undefined) =>
    time === undefined ? '' : timeline.format(timeline.at(source.id, time), clockLabel);
  return {
    name,
    format,
    host: host?.name ?? '',
    clock: CLOCK_WORDS[source.clock.kind],
    clockLabel,
    records,
    unit: captureFormats.some((f) => f.id === format) ? 'packets' : 'lines',
    first: at(times?.first),
    last: at(times?.last),
    ...(files && { files }),
  };
}
