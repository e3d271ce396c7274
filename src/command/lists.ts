/** `tcpautopsy rules` and `formats`: what is known, and what is read. */
import { knownRule } from './arguments.ts';
import { define } from './command.ts';
import { out, terminal } from './console.ts';
import { EXIT_OK } from './faults.ts';

/** All rules in short, or one at length. Rejects with UsageError where there is no such rule. */
export async function printRules(id: string | undefined): Promise<number> {
  const [{ rules: all }, { renderRules }] = await Promise.all([
    import('../explain/rules/index.ts'),
    import('../terminal/lists.ts'),
  ]);
  if (id !== undefined) await knownRule(id);
  out(renderRules(id === undefined ? all : all.filter((r) => r.id === id), terminal(), id !== undefined));
  return EXIT_OK;
}

export async function printFormats(): Promise<number> {
  const [{ captureFormats, lineFormats }, { renderFormats }] = await Promise.all([
    import('../read/formats.ts'),
    import('../terminal/lists.ts'),
  ]);
  out(renderFormats([...captureFormats, ...lineFormats], terminal()));
  return EXIT_OK;
}

export const rules = define({
  command: 'rules [id]',
  describe: 'list the causes that are known, or explain one',
  options: (y) => y.positional('id', { type: 'string', describe: 'a cause, for example unread-data-reset' }),
  run: (a) => printRules(a.id),
});

export const formats = define({
  command: 'formats',
  describe: 'list the formats that are read, and what each can prove',
  run: printFormats,
});
