/** A result in which nothing names a machine or a program, before any output is written from it. */
import type { Result } from '../model/result.ts';
import type { Redactor } from './redactor.ts';

export const REDACTED =
  'Redacted: addresses are replaced (private ones by private ones, public ones by addresses that belong to nobody), host and process names too; folders, payload and quoted lines are left out; ports, times and process numbers are as they were, and so are file names but for addresses and names in them.';

/** Fields that hold one name, or several between spaces. */
const NAMES = new Set([
  ...['host', 'comm', 'clientComm', 'serverComm'],
  ...['clientContainer', 'clientPod', 'serverContainer', 'serverPod'],
]);
/** Fields that are ours: ids, times, enumerations. */
const OURS = new Set(['rule', 'title', 'locator', 'time', 'startTime', 'endTime', 'kind', 'code', 'format']);

/** Every other text in it is searched, so that a field added later is covered. Throws when connections are only counted in it. */
export function redactResult(result: Result, redactor: Redactor): Result {
  if (result.unlisted)
    throw new Error('only a result that lists all connections (listed: Infinity) can be redacted');
  redactor.knowFiles(result.inputs.flatMap((i) => [i.name, ...(i.files ?? []).map((f) => f.name)]));
  redactor.know('host', [...result.hosts.map((h) => h.name), ...result.inputs.map((i) => i.host)]);
  redactor.know('process', [
    ...result.connections.flatMap((c) => [c.clientComm, c.serverComm]),
    ...result.connections.flatMap((c) => [c.clientContainer, c.clientPod, c.serverContainer, c.serverPod]),
    ...result.timeline.map((i) => i.comm),
  ]);
  // endpoints first: names that stand for addresses become known with them
  for (const { client, server } of result.connections) {
    for (const end of [client, server]) redactor.address(end.address);
  }
  const redacted = walk('', result, redactor) as Result;
  return {
    ...redacted,
    tool: result.tool,
    command: withoutValues(result.command),
    redaction: REDACTED,
    hosts: redacted.hosts.map((h, i) => ({ ...h, name: redactor.name(result.hosts[i]!.name) })),
    diagnostics: redacted.diagnostics.map((d) => ({ ...d, message: unquoted(d.message) })),
  };
}

function walk(key: string, value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return redactString(key, value, redactor);
  if (Array.isArray(value)) return value.map((v) => walk(key, v, redactor));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, walk(k, v, redactor)]));
}

function redactString(key: string, value: string, redactor: Redactor): string {
  if (key === 'address' || key === 'addresses') return redactor.address(value);
  if (NAMES.has(key)) return redactor.name(value);
  return OURS.has(key) ? value : redactor.text(key === 'fact' ? unquoted(value) : value);
}

/** Lines and payload of the input that a text quotes may hold anything. */
function unquoted(message: string): string {
  return message.replace(/"(?:[^"\\]|\\.)*"/g, '"…"');
}

/** A command line may name anything: the command and its options are left. */
function withoutValues(command: string): string {
  const words = command.split(' ').map((word, i) => (i < 2 ? word : (/^--?[\w-]+/.exec(word)?.[0] ?? '…')));
  return words.filter((word, i) => word !== '…' || words[i - 1] !== '…').join(' ');
}
