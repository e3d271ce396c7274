/** A result in which nothing names a machine or a program, before any output is written from it. */
import type { Result } from '../tables/result.ts';
import type { Redactor } from './redactor.ts';

const REDACTED =
  'Redacted: addresses are replaced (private ones by private ones, public ones by addresses that belong to nobody), host and process names too; folders, payload and quoted lines are left out; ports, times and process numbers are as they were, and so are file names but for addresses and names in them.';

/** Fields that hold a name, wherever they are, and of what. */
const NAMES: Readonly<Record<string, 'host' | 'process'>> = {
  ...{ host: 'host', comm: 'process', clientComm: 'process', serverComm: 'process' },
  ...{ clientContainer: 'process', clientPod: 'process', serverContainer: 'process', serverPod: 'process' },
};
/** Fields that are ours: ids, times, enumerations. */
const OURS = new Set(['rule', 'title', 'locator', 'time', 'startTime', 'endTime', 'kind', 'code', 'format']);

/** Texts that may quote a line of the input. */
const QUOTING = new Set(['fact', 'summary', 'headline', 'story', 'what']);

/** Every other text in it is searched, so that a field added later is covered. Throws when connections are only counted in it. */
export function redactResult(result: Result, redactor: Redactor): Result {
  if (result.unlisted)
    throw new Error('only a result that lists all connections (listed: Infinity) can be redacted');
  redactor.know(
    'host',
    result.hosts.map((h) => h.name),
  );
  learn('', result, redactor);
  // endpoints first: names that stand for addresses become known with them
  for (const { client, server } of result.connections) {
    for (const end of [client, server]) redactor.address(end.address);
  }
  // what they are called may name a host
  redactor.knowFiles([
    ...result.inputs.flatMap((i) => [i.name, ...(i.files ?? []).map((f) => f.name)]),
    // files that are no input, and folders
    ...result.diagnostics.map((d) => d.source),
  ]);
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

/** Names are known before the first sentence is redacted. */
function learn(key: string, value: unknown, redactor: Redactor): void {
  const kind = NAMES[key];
  if (typeof value === 'string') {
    if (kind) redactor.know(kind, [value]);
  } else if (Array.isArray(value)) for (const v of value) learn(key, v, redactor);
  else if (value !== null && typeof value === 'object')
    for (const [k, v] of Object.entries(value)) learn(k, v, redactor);
}

function walk(key: string, value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return redactString(key, value, redactor);
  if (Array.isArray(value)) return value.map((v) => walk(key, v, redactor));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, walk(k, v, redactor)]));
}

function redactString(key: string, value: string, redactor: Redactor): string {
  if (key === 'address' || key === 'addresses') return redactor.address(value);
  if (NAMES[key]) return redactor.name(value);
  return OURS.has(key) ? value : redactor.text(QUOTING.has(key) ? unquoted(value) : value);
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
