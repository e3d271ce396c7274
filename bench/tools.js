/** The programs that are compared, and how each is called. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const at = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
const CLI = at('../dist/cli.js');

/**
 * `command` makes the words for a list of inputs (a capture first) and an output folder.
 * `joins`: reads logs too. `only`: the one load that it is measured with.
 * @typedef {{ name: string, version: string, joins?: boolean, only?: string,
 *   command: (inputs: string[], folder: string) => string[] }} Tool
 */

/** Ours, by this Node and by others: everything but HTML is written. @param {string[]} nodes paths of their executables @returns {Tool[]} */
export function ours(nodes) {
  const version = JSON.parse(readFileSync(at('../package.json'), 'utf8')).version;
  const analyze = (/** @type {string} */ node, /** @type {string} */ name, /** @type {string[]} */ more) => ({
    name: `tcpautopsy analyze --no-html${name}`,
    version,
    joins: true,
    command: (/** @type {string[]} */ inputs, /** @type {string} */ folder) => [
      ...[node, CLI, 'analyze', ...inputs, '-o', folder, '--no-html'],
      ...more,
    ],
  });
  return [
    analyze(process.execPath, '', []),
    ...nodes.map((node) => {
      const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
      return analyze(node, ` (Node ${stdout.trim().replace('v', '')})`, []);
    }),
    { ...analyze(process.execPath, ' --workers 2', ['--workers', '2']), joins: false, only: 'small' },
    {
      name: 'tcpautopsy annotate',
      version,
      only: 'small',
      command: (inputs, folder) => [process.execPath, CLI, 'annotate', ...inputs, '-o', `${folder}.pcapng`],
    },
  ];
}

/** The measure of all others: reads every packet, and writes it to nowhere. */
export const REFERENCE = 'tcpdump -nr F -w /dev/null';

/** What is installed. @returns {Tool[]} */
export function installedTools() {
  return [
    installed('cat F', ['cat', '--version'], ([file]) => ['sh', '-c', 'cat "$0" >/dev/null', file]),
    installed(REFERENCE, ['tcpdump', '--version'], ([file]) => ['tcpdump', '-nr', file, '-w', '/dev/null']),
    installed('capinfos F', ['capinfos', '--version'], ([file]) => ['capinfos', file]),
    installed('tcptrace -n F', ['tcptrace', '-version'], ([file]) => ['tcptrace', '-n', file]),
    // one record a connection
    installed('argus -r F -w FILE', ['argus', '-h'], ([file], folder) => [
      'argus',
      '-r',
      file,
      '-w',
      `${folder}.argus`,
    ]),
    installed('softflowd -r F', ['softflowd', '-h'], ([file]) => ['softflowd', '-r', file, '-d']),
    installed('tshark -q -z conv,tcp -r F', ['tshark', '--version'], ([file]) => [
      'tshark',
      '-q',
      '-z',
      'conv,tcp',
      '-r',
      file,
    ]),
    pcapParser(),
  ].filter((tool) => tool !== null);
}

/** @param {string} name @param {string[]} ask @param {Tool['command']} command @returns {Tool | null} */
function installed(name, ask, command) {
  const { error, stdout, stderr } = spawnSync(ask[0], ask.slice(1), { encoding: 'utf8' });
  if (error) return null;
  const [version] = `${stdout}\n${stderr}`.match(/\d+\.\d+(\.\d+)?/) ?? [''];
  return { name, version, command };
}

/** Framing only: it counts the packets. @returns {Tool | null} */
function pcapParser() {
  try {
    const { version } = createRequire(import.meta.url)('pcap-parser/package.json');
    return {
      name: 'pcap-parser (framing only)',
      version,
      command: ([file]) => [process.execPath, at('pcap-parser.js'), file],
    };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** Starts that read nothing. @type {[string, string[]][]} */
export const starts = [
  ['tcpautopsy --help', [process.execPath, CLI, '--help']],
  ['tcpautopsy rules', [process.execPath, CLI, 'rules']],
  ['node -e 0', [process.execPath, '-e', '0']],
];
