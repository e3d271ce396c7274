/** What the tools are given, and the files of it. */
import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { writeCapture, writeStates } from './captures.js';

/**
 * `log`: a log of socket states is given with the capture, or `alone`. `large`: with --large only.
 * @typedef {import('./captures.js').Shape} Shape
 * @typedef {{ name: string, text: string, shape: Shape, log?: 'sorted' | 'shuffled', alone?: boolean, large?: boolean }} Load
 */

const M = 1_000_000;
/** @type {Shape} */
const small = { kind: 'small', packets: M };

/** @type {Load[]} */
export const loads = [
  {
    name: 'small',
    text: '1 M small packets of 104,700 connections, of which 1 in 9 does not end well',
    shape: small,
  },
  { name: 'ipv6', text: 'The same over IPv6', shape: { ...small, ipv6: true } },
  {
    name: 'full',
    text: '1 M packets of downloads, 2 in 3 of full size',
    shape: { kind: 'full', packets: M },
  },
  { name: 'long', text: '1 M small packets of one connection', shape: { kind: 'long', packets: M } },
  {
    name: 'flood',
    text: '1 M packets of a SYN flood: 500,000 clients, each answered once',
    shape: { kind: 'flood', packets: M },
  },
  {
    name: 'silent',
    text: '1 M SYNs of as many clients, without an answer',
    shape: { kind: 'silent', packets: M },
  },
  {
    name: 'join',
    text: 'The small packets with a log of their 971,073 socket states',
    shape: small,
    log: 'sorted',
  },
  { name: 'join-shuffled', text: 'The same, lines of the log out of order', shape: small, log: 'shuffled' },
  { name: 'log', text: 'That log alone', shape: small, log: 'sorted', alone: true },
  {
    name: 'log-shuffled',
    text: 'That log alone, its lines out of order',
    shape: small,
    log: 'shuffled',
    alone: true,
  },
  {
    name: 'large',
    text: '10 M small packets of 1.05 M connections',
    shape: { kind: 'small', packets: 10 * M },
    large: true,
  },
];

/**
 * Files of a load, a capture first; made in `folder` when they are not there yet.
 * @param {Pick<Load, 'shape' | 'log' | 'alone'>} load @param {string} folder
 */
export function makeInputs({ shape, log, alone }, folder) {
  const name = `${shape.kind}${shape.ipv6 ? '-ipv6' : ''}-${shape.packets}`;
  const files = alone ? [] : [makeFile(join(folder, `${name}.pcap`), (write) => writeCapture(shape, write))];
  if (log) {
    const path = join(folder, `${name}-states-${log}.txt`);
    files.push(makeFile(path, (write) => writeStates({ ...shape, shuffled: log === 'shuffled' }, write)));
  }
  return files;
}

/** @param {string} path @param {(write: (piece: string | Buffer) => void) => void} fill */
function makeFile(path, fill) {
  if (statSync(path, { throwIfNoEntry: false })) return path;
  const file = openSync(`${path}.tmp`, 'w');
  fill((piece) => {
    const bytes = Buffer.from(piece);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  });
  closeSync(file);
  renameSync(`${path}.tmp`, path);
  return path;
}
