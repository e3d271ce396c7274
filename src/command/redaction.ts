/** `--redact`, of the commands that write. */
import type { Argv } from 'yargs';
import { readWhole } from '../platform/files.ts';
import type { Redactor } from '../redact/redactor.ts';
import { toUsageError, UsageError } from './arguments.ts';
import { writing } from './faults.ts';

interface RedactArguments {
  redact: boolean;
  redactKey?: string | undefined;
  redactMap?: string | undefined;
}

export function redactOptions<T>(y: Argv<T>) {
  return y
    .option('redact', {
      type: 'boolean',
      default: false,
      describe: 'replace addresses, host and process names; drop folders and payload',
    })
    .option('redact-map', {
      type: 'string',
      describe: 'FILE for what was replaced by what, to be kept and not passed on; redacts too',
    })
    .option('redact-key', {
      type: 'string',
      describe: 'FILE with a secret: redact with it, so that several runs give the same replacements',
    });
}

/** Null unless asked for. Without a key file the secret is made up, and forgotten. */
export async function redactor(a: RedactArguments): Promise<Redactor | null> {
  if (!a.redact && a.redactKey === undefined && a.redactMap === undefined) return null;
  const { secretBytes } = await import('../platform/secrets.ts');
  const { Redactor: Made } = await import('../redact/redactor.ts');
  const secret =
    a.redactKey === undefined ? secretBytes(32) : await readWhole(a.redactKey).catch(toUsageError);
  if (secret.length < 16)
    throw new UsageError(`--redact-key ${a.redactKey}: a secret needs 16 bytes or more`);
  return new Made(secret);
}

/** Writes the file that --redact-map names, readable by its owner alone. */
export async function writeMap(a: RedactArguments, secret: Redactor | null): Promise<void> {
  const { redactMap: path } = a;
  if (path === undefined || !secret) return;
  const { writePrivate } = await import('../platform/secrets.ts');
  const { addresses, names, files } = secret.replacements();
  const of = (pairs: [string, string][]) => Object.fromEntries(pairs.sort(([x], [y]) => (x < y ? -1 : 1)));
  const text = JSON.stringify({ addresses: of(addresses), names: of(names), files: of(files) }, null, 1);
  await writing(path, () => writePrivate(path, `${text}\n`));
}
