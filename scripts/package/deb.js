// A Debian package that carries the executable and the capture kit: the same bytes whenever it is built of the same.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { kitFiles } from './executable.js';
import { manual } from './manual.js';

const MAINTAINER = 'tcpautopsy maintainers <maintainers@tcpautopsy.invalid>';
const ARCHITECTURE = 'amd64';
const LIB = 'usr/lib/tcpautopsy';
const DOC = 'usr/share/doc/tcpautopsy';
const UNIT = 'tcpautopsy-flight.service';
/** To try it on, where there is nothing else yet. */
const SAMPLE = 'samples/documents/exp1';

const control = (version, kilobytes) => `Package: tcpautopsy
Version: ${version}
Architecture: ${ARCHITECTURE}
Maintainer: ${MAINTAINER}
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libgcc-s1 (>= 4.2), libstdc++6 (>= 5.2)
Recommends: tcpdump
Section: net
Priority: optional
Description: explains from files alone how TCP connections began and ended, and why
 Reads captures, logs of BPF tools, socket tables and counters, alone or
 together, and says of each connection who opened it, who closed or reset it
 and for which reason of the kernel, how sure that is and on what evidence.
 .
 The command needs no Node: it is in the one file. tcpautopsy-capture records on
 this host what the kernel says and what is on the wire; its flight recorder is
 a systemd unit that is not enabled.
`;
const PRERM = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now ${UNIT} >/dev/null 2>&1 || true
fi
`;
const POSTRM = `#!/bin/sh
set -e
# bundles of the flight recorder
if [ "$1" = purge ]; then
  rm -rf /var/lib/tcpautopsy
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload >/dev/null 2>&1 || true
fi
`;

/** What lintian minds and is meant. */
const OVERRIDES = `# Node, V8 and the libraries of the command are in the one file
tcpautopsy: embedded-library
tcpautopsy: hardening-no-pie
# the recorder is to run on hosts of any age
tcpautopsy: statically-linked-binary
# word for word, those of all that is in it
tcpautopsy: copyright-file-contains-full-apache-2-license
tcpautopsy: old-fsf-address-in-copyright-file
# no debhelper: the unit is stopped where somebody has enabled it
tcpautopsy: maintainer-script-calls-systemctl
`;

/** The folder of a package to be: files by their places. */
class Tree {
  files = [];
  bytes = 0;
  constructor(folder) {
    this.folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, 'DEBIAN'), { recursive: true });
  }
  /** Without the umask of who builds it. */
  add(place, content, mode = 0o644) {
    const path = join(this.folder, place);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, mode);
    this.bytes += content.length;
    if (!place.startsWith('DEBIAN/'))
      this.files.push(`${createHash('md5').update(content).digest('hex')}  ${place}\n`);
  }
}

/** What the command says. */
const said = (executable, ...words) => {
  const { COLUMNS: _, ...env } = process.env;
  return execFileSync(executable, words, { encoding: 'utf8', env: { ...env, NO_COLOR: '1' } });
};

/** Pages of the manual by name. */
function manuals(root, executable, version, date) {
  const help = said(executable, '--help');
  const [, list] = /^Commands:\n(.*?)\n\n/ms.exec(help);
  const commands = [...list.matchAll(/^ {2}tcpautopsy (\S+)/gm)].map(([, name]) => name);
  const documented = commands.filter((name) => !['capture', 'completion'].includes(name));
  const pages = ['tcpautopsy', ...documented.map((name) => `tcpautopsy-${name}`), 'tcpautopsy-capture'];
  const common = { version, date };
  const page = (name, purpose, text, more) =>
    manual({ ...common, name, purpose, help: text, also: pages.filter((p) => p !== name).sort(), more });
  const [, statuses] = /Exit status: (.*?)\n\n/s.exec(readFileSync(join(root, 'README.md'), 'utf8'));
  const all = {
    tcpautopsy: page('tcpautopsy', 'tells why TCP connections began and ended as they did', help, {
      'EXIT STATUS': statuses.replaceAll('`', ''),
      FILES: `/${DOC}/examples: an incident to try it on. /${LIB}: the capture kit.`,
    }),
    'tcpautopsy-capture': page(
      'tcpautopsy-capture',
      'records what the kernel says of TCP connections, and the packets',
      said('sh', join(root, 'capture/tcpautopsy-capture'), '--help'),
    ),
  };
  for (const name of documented) {
    const text = said(executable, 'help', name);
    all[`tcpautopsy-${name}`] = page(`tcpautopsy-${name}`, text.split('\n')[2], text);
  }
  return all;
}

/** Writes `output`. `epoch`: the time that all files are of, seconds; `compression`: words of dpkg-deb. */
export function buildDeb({ root, version, work, executable, licences, epoch, compression, output }) {
  const tree = new Tree(join(work, 'deb'));
  const date = new Date(epoch * 1000);
  const read = (path) => readFileSync(join(root, path));
  tree.add('usr/bin/tcpautopsy', readFileSync(executable), 0o755);
  for (const [name, path] of Object.entries(kitFiles(root)))
    if (!name.endsWith('.service'))
      tree.add(`${LIB}/${name}`, readFileSync(path), /\.\w+$/.test(name) ? 0o644 : 0o755);
  symlinkSync(
    '../lib/tcpautopsy/capture/tcpautopsy-capture',
    join(tree.folder, 'usr/bin/tcpautopsy-capture'),
  );
  const unit = read(`capture/${UNIT}`)
    .toString()
    .replace(/^#.*\n/gm, '');
  tree.add(
    `usr/lib/systemd/system/${UNIT}`,
    unit.replace(/file:\S+/, 'man:tcpautopsy-capture(1)').replaceAll('/opt/tcpautopsy', `/${LIB}`),
  );
  for (const [name, page] of Object.entries(
    manuals(root, executable, version, date.toISOString().slice(0, 10)),
  ))
    tree.add(`usr/share/man/man1/${name}.1.gz`, page);
  const completion = (shell) => said(executable, 'completion', shell);
  tree.add('usr/share/bash-completion/completions/tcpautopsy', completion('bash'));
  tree.add('usr/share/zsh/vendor-completions/_tcpautopsy', completion('zsh'));
  tree.add('usr/share/fish/vendor_completions.d/tcpautopsy.fish', completion('fish'));
  tree.add(`${DOC}/copyright`, licences);
  tree.add('usr/share/lintian/overrides/tcpautopsy', OVERRIDES);
  const day = date.toUTCString().replace('GMT', '+0000');
  const log = `tcpautopsy (${version}) unstable; urgency=medium\n\n  * See the history of its repository.\n\n -- ${MAINTAINER}  ${day}\n`;
  tree.add(`${DOC}/changelog.gz`, gzipSync(log, { level: 9 }));
  for (const name of readdirSync(join(root, SAMPLE)))
    tree.add(`${DOC}/examples/accept-queue-incident/${name}`, read(join(SAMPLE, name)));
  tree.add('DEBIAN/control', control(version, Math.ceil(tree.bytes / 1024)));
  tree.add('DEBIAN/md5sums', tree.files.sort().join(''));
  tree.add('DEBIAN/prerm', PRERM, 0o755);
  tree.add('DEBIAN/postrm', POSTRM, 0o755);
  // folders have the umask of who builds it
  execFileSync('find', [tree.folder, '-type', 'd', '-exec', 'chmod', '0755', '{}', '+']);
  execFileSync('dpkg-deb', ['--root-owner-group', ...compression, '--build', tree.folder, output], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch) },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
