// The program that is put together from bpf/: the same with every awk, whole in every combination of facts.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { has, ROOT, temporary } from './kit.ts';

const BPF = join(ROOT, 'bpf');
const PIECES = ['tracepoints', 'functions', 'walk'].flatMap((folder) =>
  readdirSync(join(BPF, folder)).map((name) => join(BPF, folder, name)),
);
const TEXTS = PIECES.map((piece) => readFileSync(piece, 'utf8'));
const AWKS = [['mawk'], ['gawk'], ['busybox', 'awk']].filter(([tool]) => has(tool!));

const named = (pattern: RegExp) => [
  ...new Set(TEXTS.flatMap((text) => [...text.matchAll(pattern)].map((m) => m[1]!))),
];
const TRACEPOINTS = named(/^#need tracepoint (\S+)/gm);
const FUNCTIONS = named(/^(?:#need function |#if function |ENTRY\()([a-z_0-9]+)/gm);

const tracepoints = (...fields: string[]) =>
  TRACEPOINTS.flatMap((t) => [`tracepoint ${t}`, ...fields.map((f) => `field ${t} ${f}`)]);
const functions = (form: string) =>
  FUNCTIONS.map((f) => `function ${f} ${form}${form === 'kprobe' ? '' : ' a b c d e f'}`);

function assemble(facts: string[], { ports = '', hosts = '', awk = AWKS[0]! } = {}): string {
  const file = join(temporary(), 'facts');
  writeFileSync(file, facts.map((fact) => `${fact}\n`).join(''));
  const args = [
    ...awk.slice(1),
    '-v',
    `ports=${ports}`,
    '-v',
    `hosts=${hosts}`,
    '-f',
    join(BPF, 'assemble.awk'),
    file,
    join(BPF, 'macros.bt'),
    ...PIECES,
  ];
  const { status, stdout, stderr } = spawnSync(awk[0]!, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

const MODERN = ['btf', 'option walk', ...tracepoints('reason', 'rx_sk', 'err'), ...functions('kfunc')];

describe.skipIf(AWKS.length === 0)('assembling the program (skipped without mawk, gawk and busybox)', () => {
  const situations: Record<string, string[]> = {
    modern: MODERN,
    'kprobes only': ['btf', 'option walk', ...tracepoints(), ...functions('kprobe')],
    'no BTF': tracepoints('sport'),
    'no BTF, reset without ports': tracepoints(),
    'big-endian': ['big-endian', ...MODERN],
    nothing: [],
  };

  it.each(Object.entries(situations))('leaves no macro and no open brace: %s', (_, facts) => {
    const program = assemble(facts, { ports: '80 443', hosts: '10.0.0.1 fd00::1' });
    const code = program.replace(/^\/\/.*$/gm, '').replace(/"[^"]*"/g, '""');
    expect(code.match(/\b(?!BEGIN|END)[A-Z][A-Z0-9_]{2,}\b/g)).toBeNull();
    expect(code.match(/#/g)).toBeNull();
    for (const [open, close] of ['{}', '()', '[]']) {
      expect(code.split(open!).length, `${open}${close}`).toBe(code.split(close!).length);
    }
    expect(code).not.toMatch(/,\s*,|,\s*\)|\(\s*,/);
  });

  it('gives as many arguments as each format takes', () => {
    for (const facts of Object.values(situations)) {
      for (const [, format, rest] of assemble(facts).matchAll(/printf\("([^"]*)"(.*?)\);(?= |$)/gm)) {
        let depth = 0;
        const commas = [...rest!].filter((c) => {
          if (c === '(' || c === '[') depth++;
          if (c === ')' || c === ']') depth--;
          return c === ',' && depth === 0;
        });
        expect(commas.length, `${format} with${rest}`).toBe((format!.match(/%/g) ?? []).length);
      }
    }
  });

  it('is the same with every awk', () => {
    const options = { ports: '80', hosts: '192.0.2.7 2001:db8::a:1 ::ffff:10.1.2.3' };
    const programs = AWKS.map((awk) => assemble(MODERN, { ...options, awk }));
    expect(new Set(programs).size).toBe(1);
  });

  it('filters by port and address inside the kernel', () => {
    const program = assemble(MODERN, { ports: '8080', hosts: '10.0.0.1' });
    expect(program).toContain('args->sport == 8080 || args->dport == 8080');
    expect(program).toContain('$ip->saddr == 16777226'); // 10.0.0.1 as a little-endian load reads it
    const daddr = '$sk->__sk_common.skc_v6_daddr.in6_u.u6_addr8';
    const mapped = [1, 0, 0, 10, 255, 255, 0].map((byte, i) => `${daddr}[${15 - i}] == ${byte}`).join(' && ');
    expect(program).toContain(mapped);
    const ipv6 = assemble(MODERN, { hosts: 'fd00::1' });
    expect(ipv6).toContain(`${daddr}[15] == 1 && ${daddr}[14] == 0`);
    expect(ipv6).toContain(`${daddr}[0] == 253)`);
    expect(assemble(MODERN)).not.toContain('== 8080');
  });

  it('says which piece is left out, and why', () => {
    const program = assemble([
      'btf',
      'tracepoint skb:kfree_skb',
      'without tracepoints/drop.bt no such field',
    ]);
    expect(program).toContain('// left out tracepoints/drop.bt: no such field');
    expect(program).toContain(
      '// left out tracepoints/state.bt: this kernel has no tracepoint sock:inet_sock_set_state',
    );
    expect(program).not.toContain('tracepoint:skb:kfree_skb');
  });

  it('reads no struct in a piece whose use of BTF failed', () => {
    const program = assemble([...MODERN, 'without-btf tracepoints/state.bt']);
    const state = program.slice(
      program.indexOf('// piece tracepoints/state.bt'),
      program.indexOf('// piece tracepoints/synack'),
    );
    expect(state).toContain('from=%d to=%d comm=%s');
    expect(state).not.toContain('struct');
  });

  it('reads `reason` only where the tracepoint has it', () => {
    expect(assemble(MODERN)).toContain('(int64)args->reason');
    expect(assemble(['btf', ...tracepoints()])).not.toContain('args->reason');
  });
});

it('every piece says in its first line what it tells', () => {
  for (const [at, text] of TEXTS.entries()) expect(text, PIECES[at]).toMatch(/^\/\/ \w.{20}/);
});

it('no piece is empty of events, and docs/bundle.md names every kind', () => {
  const documented = readFileSync(join(ROOT, 'docs/bundle.md'), 'utf8');
  for (const kind of named(/SAY_(?:SOCK|PACKET)\(([a-z-]+),/g).concat(named(/SAY\("([a-z-]+) /g))) {
    expect(documented, kind).toContain(`\`${kind}\``);
  }
});
