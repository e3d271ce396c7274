// Builds the recorder (bpf/, capture/recorder/): dist/recorder/<arch>/tcpautopsy-record, static, the same bytes whenever it is built with the same tools.
// Debian: clang llvm gcc libbpf-dev bpftool libelf-dev zlib1g-dev. For another machine: ARCH=aarch64 CC=aarch64-linux-gnu-gcc SYSROOT=DIR, where
// libbpf-dev, libelf-dev, zlib1g-dev and linux-libc-dev of that machine are unpacked (apt-get download, dpkg -x).
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** `uname -m`, and what bpf_tracing.h calls it. */
const MACHINES = { x64: 'x86_64', arm64: 'aarch64' };
const TARGETS = { x86_64: 'x86', aarch64: 'arm64' };
const arch = process.env.ARCH ?? MACHINES[process.arch];
const compiler = process.env.CC ?? 'gcc';
const sysroot = process.env.SYSROOT ?? '';
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const OBJECTS = ['recorder', 'without-btf'];

const run = (command, args, cwd = root) =>
  execFileSync(command, args, {
    cwd,
    env: { ...process.env, PATH, LC_ALL: 'C' },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
const libraries = () => `${sysroot}/usr/lib/${arch}-linux-gnu`;

/** Why it cannot be built here; null when it can. */
function cannotBuild() {
  if (!TARGETS[arch]) return `no build for ${process.arch}`;
  const tools = ['clang', 'llvm-strip', 'llvm-objcopy', 'bpftool', compiler];
  const here = (tool) =>
    spawnSync('sh', ['-c', `command -v ${tool}`], { env: { ...process.env, PATH } }).status === 0;
  const missing = tools.filter((tool) => !here(tool));
  missing.push(...['libbpf.a', 'libelf.a', 'libz.a'].filter((lib) => !existsSync(join(libraries(), lib))));
  return missing.length > 0 ? `no ${missing.join(', ')}` : null;
}

/** Writes the binary into `folder`; returns its path. */
function buildRecorder(folder = `${root}dist/recorder/${arch}`) {
  const work = mkdtempSync(join(tmpdir(), 'recorder-'));
  const headers = [`-I${sysroot}/usr/include/${arch}-linux-gnu`, '-idirafter', `${sysroot}/usr/include`];
  const warnings = ['-Wall', '-Wextra', '-Werror'];
  try {
    for (const name of OBJECTS) {
      const object = join(work, `${name}.bpf.o`);
      // paths are relative to bpf/: they are in the object
      const target = [
        '-target',
        'bpf',
        '-mcpu=v3',
        '-fdebug-compilation-dir=.',
        `-D__TARGET_ARCH_${TARGETS[arch]}`,
        ...headers,
      ];
      run(
        'clang',
        ['-g', '-O2', ...warnings, '-Wno-unused-parameter', ...target, '-c', `${name}.bpf.c`, '-o', object],
        `${root}bpf`,
      );
      run('llvm-strip', ['-g', object]);
      // relocations of the BTF itself: nobody reads them, a third of the size
      run('llvm-objcopy', [
        '--remove-section=.rel.BTF.ext',
        '--remove-section=.rel.BTF',
        '--remove-section=.llvm_addrsig',
        object,
      ]);
      writeFileSync(
        join(work, `${name}.skel.h`),
        run('bpftool', ['gen', 'skeleton', object, 'name', `${name.replace('-', '_')}_bpf`]),
      );
    }
    const sources = readdirSync(`${root}capture/recorder`)
      .filter((name) => name.endsWith('.c'))
      .sort();
    const flags = [
      '-std=gnu17',
      '-O2',
      ...warnings,
      '-Wno-sign-compare',
      '-D_GNU_SOURCE',
      `-I${work}`,
      ...headers,
    ];
    const link = [
      '-static',
      '-s',
      '-Wl,--gc-sections,--build-id=none',
      `-L${libraries()}`,
      '-lbpf',
      '-lelf',
      '-lz',
    ];
    const output = join(folder, 'tcpautopsy-record');
    mkdirSync(folder, { recursive: true });
    run(
      compiler,
      [...flags, '-ffunction-sections', '-fdata-sections', ...sources, '-o', output, ...link],
      `${root}capture/recorder`,
    );
    const bytes = readFileSync(output);
    const first = (text) => text.split('\n')[0];
    const built = {
      sha256: createHash('sha256').update(bytes).digest('hex'),
      bytes: bytes.length,
      arch,
      tools: [
        first(run('clang', ['--version'])),
        first(run(compiler, ['--version'])),
        run('bpftool', ['version']).replace(/\n/g, ', ').trim(),
      ],
    };
    writeFileSync(`${output}.json`, `${JSON.stringify(built, null, 2)}\n`);
    return output;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

// [FOLDER]: where to write it; --check: only whether it can be built here
const [folder] = process.argv.slice(2);
const why = cannotBuild();
if (why) {
  console.error(
    `the recorder cannot be built here: ${why} (Debian: clang llvm gcc libbpf-dev bpftool libelf-dev zlib1g-dev)`,
  );
  process.exitCode = 1;
} else if (folder !== '--check') {
  const output = buildRecorder(folder);
  console.log(`${output}: ${readFileSync(`${output}.json`, 'utf8')}`);
}
