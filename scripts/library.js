// Writes docs/library.md from the declarations that the library exports. `--check`: fails when the page is not of today.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const index = join(root, 'dist/index.d.ts');
const page = join(root, 'docs/library.md');

const PREFACE = `# Library

Made from the types by \`npm run docs\`; do not edit by hand.

\`\`\`ts
import { analyze, annotate, Redactor, redactResult, writeReport } from 'tcpautopsy';

const result = await analyze(['evidence/', 'packets.pcap'], { timeline: 'all' });
for (const cause of result.causes) console.log(cause.severity, cause.title, cause.connections.length);

await writeReport(result, 'report', { html: true });
await annotate(result, ['evidence/', 'packets.pcap'], 'annotated.pcapng');

const redactor = new Redactor(secretBytes);
await writeReport(redactResult(result, redactor), 'redacted', { html: true });
\`\`\`

In a page, where there are no files, inputs are bytes (a \`Uint8Array\`, a \`Blob\` or a \`File\`); a bundle is given by the names of
its files in their folder. Bundlers find \`dist/browser.js\`, one module that needs nothing else, through the condition
\`browser\`; it has \`analyze\` and \`parseFilter\`, and gives the same result as Node.

\`\`\`ts
const files = [...input.files].map((file) => ({ name: file.webkitRelativePath || file.name, bytes: file }));
const { story, connections, findings } = await analyze(files);
\`\`\`

Nothing of the library prints, and bad input does not make it throw: what was damaged, skipped or lost is in
\`result.diagnostics\`. \`Result\` is plain data: \`JSON.stringify\` keeps all of it.
`;

/** [module, names] in the order of the index. */
function exportsOf(text) {
  return [...text.matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)].map(([, names, module]) => [
    resolve(dirname(index), module.replace(/\.(ts|js)$/, '.d.ts')),
    names
      .split(',')
      .map((n) => n.replace('type ', '').trim())
      .filter(Boolean),
  ]);
}

/** A row whose type is inferred from its fields, written out: what each field is derived to. */
function fieldsOf(text) {
  const [, body] = text.match(/^declare const fields: \{\n([\s\S]*?)^\};/m);
  const fields = body.matchAll(/^ {4}(\w+): \{$[\s\S]*?^ {8}of: \([^)]*\) => ([^;]+);$/gm);
  return [...fields]
    .map(
      ([, name, type]) => `    ${name}: ${type.replace(/import\("[^"]*"\)\./g, '').replaceAll('"', "'")};\n`,
    )
    .join('');
}

/** The declaration of a name with its comment, to the line that ends it. */
function declaration(text, name) {
  const lines = text.split('\n');
  const at = lines.findIndex((l) =>
    new RegExp(`^export (declare )?(interface|type|class|function|const) ${name}\\b`).test(l),
  );
  if (at < 0) throw new Error(`no declaration of ${name}`);
  let from = at;
  // a comment on the first line is of the whole file
  if (lines[at - 1]?.endsWith('*/')) for (from = at - 1; !lines[from].startsWith('/**'); ) from--;
  if (from === 0) from = at;
  let to = at;
  if (!/;$/.test(lines[at]) && !/\{\s*\}$/.test(lines[at]))
    while (!/^\}|;$/.test(lines[to]) || /^ /.test(lines[to])) to++;
  return lines
    .slice(from, to + 1)
    .join('\n')
    .replace(/export (declare )?/g, '')
    .replace(/\n\s*#private;/g, '')
    .replace(/^type (\w+) = RowOf<typeof fields>;$/m, (_, row) => `interface ${row} {\n${fieldsOf(text)}}`);
}

const sections = exportsOf(readFileSync(index, 'utf8')).flatMap(([module, names]) => {
  const text = readFileSync(module, 'utf8');
  return names.map((name) => `## ${name}\n\n\`\`\`ts\n${declaration(text, name)}\n\`\`\`\n`);
});
const made = [PREFACE, ...sections].join('\n');
if (!process.argv.includes('--check')) writeFileSync(page, made);
else if (readFileSync(page, 'utf8') !== made) {
  console.error('docs/library.md is not of today: npm run docs');
  process.exitCode = 1;
}
