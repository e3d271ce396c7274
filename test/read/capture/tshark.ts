/** tshark as a referee, where it is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const hasTshark = spawnSync('tshark', ['--version']).status === 0;
export const corpus = process.env.CORPUS;

/**
 * Captures in which payload cannot be compared, because tshark's ends with the header around the IP packet and ours where the inner
 * IP header says: IP packets of GTP whose outer packet is a fragment, and IP lengths beyond their PPPoE frame.
 */
export const CUT_BY_OUTER = ['tunnels/gtp/gtp2_different_udp_port.pcap', 'pppoe-over-qinq.pcap'];

/** Paths of the captures below a folder of the corpus, relative to it. */
export function capturesIn(folder: string): string[] {
  return corpus ? capturesBelow(join(corpus, folder)) : [];
}

/** Paths of the captures below a folder, relative to it. */
export function capturesBelow(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => /\.pcap(ng)?$/.test(name)).sort();
}

/** The fields of every packet that `filter` takes; of a field that occurs several times the last, innermost one. */
export function fields(
  path: string,
  names: readonly string[],
  filter = '',
  options: readonly string[] = [],
): string[][] {
  const wanted = names.flatMap((name) => ['-e', name]);
  const args = [
    '-n',
    '-o',
    'ip.defragment:FALSE',
    ...options,
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
