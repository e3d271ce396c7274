// The licences of all that is in the executable and in the recorder, word for word, each text once.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const RULE = '='.repeat(79);
/** Linked into the recorder; Debian says whose they are. */
const LINKED = ['libbpf-dev', 'libelf-dev', 'zlib1g-dev'];

/** Of a package: its name, and the text of its licence, or its name where it has none. */
function ofPackage(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder)
    .filter((file) => /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i.test(file))
    .sort();
  const text = files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n');
  return { name: `${name} ${version} (${license})`, text: text || `License: ${license}` };
}

/** `packages`: their folders. `node`: that of Node. */
export function licences(root, packages, node, nodeVersion) {
  const all = [
    { name: 'tcpautopsy', text: readFileSync(join(root, 'LICENSE'), 'utf8').trim() },
    ...packages.map(ofPackage),
    ...LINKED.map((name) => ({
      name: `${name} (in tcpautopsy-record)`,
      path: `/usr/share/doc/${name}/copyright`,
    }))
      .filter(({ path }) => existsSync(path))
      .map(({ name, path }) => ({ name, text: readFileSync(path, 'utf8').trim() })),
    { name: `Node.js ${nodeVersion}`, text: readFileSync(join(node, 'LICENSE'), 'utf8').trim() },
  ];
  const names = new Map();
  for (const { name, text } of all) names.set(text, [...(names.get(text) ?? []), name]);
  return [...names].map(([text, of]) => `${RULE}\n${of.join('\n')}\n${RULE}\n\n${text}\n`).join('\n');
}
