import { type Table, timeText } from './column.ts';
import { TIMELINE_FILE, type TimelineItem } from './result.ts';

export const timelineTable: Table<TimelineItem> = {
  file: TIMELINE_FILE,
  doc: 'A row for each thing that happened, all inputs joined in one order: connections with a finding above `info`, of their packets those that open, close, reset, retransmit or probe; `--timeline all` for every connection. Of more than 10,000 such connections those of one cause are listed up to a thousand, the most telling and others spread over the rest; a row of kind `aggregate` counts what the rest would show.',
  columns: [
    { name: 'number', doc: 'place in the order, from 1', value: (i) => i.number },
    {
      name: 'time',
      doc: 'as in connections.csv; empty where only the order is known',
      value: (i) => timeText(i.time, i.clock),
    },
    { name: 'clock', doc: 'as in connections.csv', value: (i) => i.clock },
    { name: 'time_source', doc: 'the input whose clock timed it', value: (i) => i.timeSource },
    {
      name: 'connection_id',
      doc: 'key into connections.csv; empty for listeners, counters, logs and aggregates',
      value: (i) => i.connection,
    },
    {
      name: 'kind',
      doc: '`packet`, `state`, `reset`, `drop`, `retransmit`, `listener`, `counter`, `socket` (a row of a socket table), `call` (connect, accept, close), `walk` (kernel functions), `log` (lines of a kernel log) or `aggregate` (connections that are counted, not listed)',
      value: (i) => i.kind,
    },
    { name: 'side', doc: '`client`, `server`, or empty', value: (i) => i.side },
    { name: 'what', doc: 'what happened, in a few words', value: (i) => i.what },
    {
      name: 'flags',
      doc: 'of a packet: names of its TCP flags, space separated',
      value: (i) => i.segment?.flags ?? '',
    },
    { name: 'seq', doc: 'its sequence number, as on the wire', value: (i) => i.segment?.seq ?? null },
    { name: 'ack', doc: 'its acknowledgment number', value: (i) => i.segment?.ack ?? null },
    { name: 'window', doc: 'its window, not scaled', value: (i) => i.segment?.window ?? null },
    { name: 'length', doc: 'its payload', unit: 'bytes', value: (i) => i.segment?.length ?? null },
    {
      name: 'reason',
      doc: "the kernel's name for why it dropped or reset (`TCP_LISTEN_OVERFLOW`, `NO_SOCKET`)",
      value: (i) => i.reason,
    },
    { name: 'state_before', doc: 'TCP state before it, where it has one', value: (i) => i.stateBefore },
    { name: 'state_after', doc: 'TCP state after it', value: (i) => i.stateAfter },
    {
      name: 'pid',
      doc: 'process that was running; not always the owner of the socket, because packets are handled in whatever process they interrupt',
      value: (i) => i.pid,
    },
    { name: 'comm', doc: 'name of that process', value: (i) => i.comm },
    { name: 'source', doc: 'input that shows it', value: (i) => i.source },
    { name: 'locator', doc: 'where in it: frame number, line or byte', value: (i) => i.locator },
  ],
};
