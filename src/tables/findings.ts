import type { Endpoint } from '../model/address.ts';
import type { Finding, Missing } from '../model/finding.ts';
import { displayAddress } from '../model/hostnames.ts';
import { type Table, timeText } from './column.ts';

export const findingsTable: Table<Finding> = {
  file: 'findings.csv',
  doc: 'A row for every rule that holds for a connection (or for a host, where a log or counts name no connection), but for the normal close, which connections.csv has as `close_rule`. What to do about a rule is in rules.csv.',
  columns: [
    {
      name: 'connection_id',
      doc: 'key into connections.csv; empty where the finding is of a host',
      value: (f) => f.connection,
    },
    { name: 'rule', doc: 'the cause', value: (f) => f.rule },
    {
      name: 'group',
      doc: '`close`, `syn`, `fin-wait2` or `stuck`: the question it answers',
      value: (f) => f.group,
    },
    {
      name: 'role',
      doc: '`verdict`: the answer for its group and side; `stage`: an earlier step of the same story; `note`: worth knowing besides',
      value: (f) => f.role,
    },
    {
      name: 'confidence',
      doc: '`proved`: the kernel said so, or no other cause fits the packets; `inferred`: the pattern and its context point to one cause; `possible`: others fit too',
      value: (f) => f.confidence,
    },
    { name: 'severity', doc: '`info`, `warning` or `error`', value: (f) => f.severity },
    {
      name: 'side',
      doc: '`client`, `server` or `path`: where the fault or act lies',
      value: (f) => f.side,
    },
    { name: 'client_ip', doc: 'as in connections.csv', value: (f) => displayAddress(f.client.address) },
    { name: 'client_port', doc: 'as in connections.csv', value: (f) => portOf(f.client) },
    { name: 'server_ip', doc: 'as in connections.csv', value: (f) => displayAddress(f.server.address) },
    { name: 'server_port', doc: 'as in connections.csv', value: (f) => portOf(f.server) },
    {
      name: 'time',
      doc: 'when it happened, as in connections.csv',
      value: (f) => timeText(f.time, f.clock),
    },
    { name: 'clock', doc: 'as in connections.csv', value: (f) => f.clock },
    { name: 'summary', doc: 'what happened, in a sentence or two', value: (f) => f.summary },
    {
      name: 'evidence',
      doc: 'JSON array of `{source, at, time, fact}`: facts to check, each with its place; `source` is the number in sources.csv, null for a conclusion from the others',
      value: (f) => JSON.stringify(f.evidence),
    },
    {
      name: 'missing',
      doc: 'JSON array of `{what, probe, host, port, command}`: what would settle it and no input holds, the piece of the capture that records it, where, and the command; nothing of what is proved',
      few: true,
      value: (f) => missingText(f.missing),
    },
    {
      name: 'alternatives',
      doc: 'ids of rules that fit as well, likeliest first, space separated',
      few: true,
      value: (f) => f.alternatives.join(' '),
    },
  ],
};

const MISSING = new WeakMap<readonly Missing[], string>();

/** Many findings lack the same. */
function missingText(missing: readonly Missing[]): string {
  let text = MISSING.get(missing);
  if (text === undefined) {
    text = JSON.stringify(missing);
    MISSING.set(missing, text);
  }
  return text;
}

/** Of a finding of a host at most the listener's port is known. */
function portOf({ address, port }: Endpoint): number | null {
  return address === '' && port === 0 ? null : port;
}
