/** tshark as a referee, where it is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const hasTshark = spawnSync('tshark', ['--version']).status === 0;
export const corpus = process.env.CORPUS;

/** Paths of the captures below a folder of the corpus, relative to it. */
export function capturesIn(folder: string): string[] {
  if (!corpus) return [];
  const names = readdirSync(join(corpus, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.pcap(ng)?$/.test(name)).sort();
}

/** The fields of every packet that `filter` takes; of a field that occurs several times the last, innermost one. */
export function fields(path: string, names: readonly string[], filter = ''): string[][] {
  const wanted = names.flatMap((name) => ['-e', name]);
  const args = [
    '-n',
    '-o',
    'ip.defragment:FALSE',
    '-r',
    path,
    '-T',
    'fields',
    '-E',
    'occurrence=l',
    ...wanted,
    ...(filter ? ['-Y', filter] : []),
  ];
  const text = execFileSync('tshark', args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}
