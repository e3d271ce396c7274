/**
 * What has been seen of a side's sequence space: everything below WHOLE, and blocks above it where segments are
 * missing. All comparisons are distances in 32 bits (RFC 9293 §3.4).
 */
import {
  BLOCK_FROM,
  BLOCK_LINK,
  BLOCK_TO,
  BLOCKS,
  FIN_END,
  FINS,
  ISN,
  NEXT,
  PROBED,
  SIDE_BITS,
  SNAPPED_FROM,
  SNAPPED_TO,
  WHOLE,
} from './layout.ts';
import { type Store, sideOf } from './store.ts';

/** Blocks kept per side; with more holes than that the two highest blocks are taken for one. */
const MAX_BLOCKS = 32;

/** Starts the side's numbering at a SYN, or as though one had come just before its first segment. */
export function startSequence(store: Store, at: number, side: number, isn: number): void {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  words[mine + ISN] = isn;
  words[mine + SIDE_BITS]! &= ~PROBED;
  words[mine + NEXT] = (isn + 1) | 0;
  words[mine + WHOLE] = (isn + 1) | 0;
  dropBlocks(store, at, side);
}

/** Takes [from, to) as seen; how much of it had not been seen before. */
export function receive(store: Store, at: number, side: number, from: number, to: number): number {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const whole = words[mine + WHOLE]!;
  if (((to - whole) | 0) <= 0) return 0;
  const start = ((from - whole) | 0) < 0 ? whole : from;
  if (store.troubled(at, side, BLOCKS) === 0 && start === whole) {
    words[mine + WHOLE] = to;
    return (to - whole) | 0;
  }
  return merge(store, at, side, start, to);
}

/** The general case of `receive`: joins [from, to) with the blocks it touches. */
function merge(store: Store, at: number, side: number, from: number, to: number): number {
  const { blocks, connections } = store;
  const mine = sideOf(at, side);
  const whole = connections.words[mine + WHOLE]!;
  const head = store.trouble(at, side) + BLOCKS;
  let low = from;
  let high = to;
  let fresh = (to - from) | 0;
  let before = 0;
  let block = store.troubles.words[head]!;
  while (block !== 0) {
    const b = blocks.words;
    const next = b[block + BLOCK_LINK]!;
    const blockFrom = b[block + BLOCK_FROM]!;
    const blockTo = b[block + BLOCK_TO]!;
    if (((blockFrom - high) | 0) > 0) break;
    if (((blockTo - low) | 0) < 0) {
      before = block;
    } else {
      fresh -= overlap(from, to, blockFrom, blockTo);
      if (((blockFrom - low) | 0) < 0) low = blockFrom;
      if (((blockTo - high) | 0) > 0) high = blockTo;
      link(store, head, before, next);
      blocks.release(block);
    }
    block = next;
  }
  if (low === whole) connections.words[mine + WHOLE] = high;
  else insert(store, head, before, block, low, high);
  return fresh;
}

function overlap(from: number, to: number, blockFrom: number, blockTo: number): number {
  const low = ((blockFrom - from) | 0) > 0 ? blockFrom : from;
  const high = ((blockTo - to) | 0) < 0 ? blockTo : to;
  return Math.max(0, (high - low) | 0);
}

function insert(store: Store, head: number, before: number, after: number, from: number, to: number): void {
  const block = store.blocks.allocate();
  const words = store.blocks.words;
  words[block + BLOCK_LINK] = after;
  words[block + BLOCK_FROM] = from;
  words[block + BLOCK_TO] = to;
  link(store, head, before, block);
  let count = 0;
  let last = 0;
  let beforeLast = 0;
  for (let b = store.troubles.words[head]!; b !== 0; b = words[b + BLOCK_LINK]!) {
    count++;
    beforeLast = last;
    last = b;
  }
  if (count <= MAX_BLOCKS) return;
  words[beforeLast + BLOCK_TO] = words[last + BLOCK_TO]!;
  words[beforeLast + BLOCK_LINK] = 0;
  store.blocks.release(last);
}

function link(store: Store, head: number, before: number, block: number): void {
  if (before === 0) store.troubles.words[head] = block;
  else store.blocks.words[before + BLOCK_LINK] = block;
}

function dropBlocks(store: Store, at: number, side: number): void {
  if (store.troubled(at, side, BLOCKS) === 0) return;
  const head = store.trouble(at, side) + BLOCKS;
  for (let block = store.troubles.words[head]!; block !== 0; ) {
    const next = store.blocks.words[block + BLOCK_LINK]!;
    store.blocks.release(block);
    block = next;
  }
  store.troubles.words[head] = 0;
}

/**
 * Takes what the peer acknowledges as seen, because it received it; how many holes that closes: stretches that the
 * capture did not see. The FIN itself is no content (Zeek's content gaps).
 */
export function acknowledge(store: Store, at: number, side: number, ack: number): number {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  let upTo = ack;
  if (words[mine + FINS]! > 0 && ((ack - words[mine + FIN_END]!) | 0) >= 0)
    upTo = (words[mine + FIN_END]! - 1) | 0;
  if (((upTo - words[mine + WHOLE]!) | 0) <= 0) return 0;
  let gaps = 0;
  if (store.troubled(at, side, BLOCKS) !== 0) gaps = absorb(store, at, side, upTo);
  if (((upTo - words[mine + WHOLE]!) | 0) > 0) {
    words[mine + WHOLE] = upTo;
    gaps++;
  }
  return gaps;
}

/** Moves WHOLE over the blocks that begin below `upTo` or where it then stands; the holes before them. */
function absorb(store: Store, at: number, side: number, upTo: number): number {
  const words = store.connections.words;
  const mine = sideOf(at, side);
  const head = store.trouble(at, side) + BLOCKS;
  let gaps = 0;
  for (let block = store.troubles.words[head]!; block !== 0; ) {
    const b = store.blocks.words;
    const from = b[block + BLOCK_FROM]!;
    const ahead = (from - words[mine + WHOLE]!) | 0;
    if (((from - upTo) | 0) > 0 && ahead > 0) break;
    if (ahead > 0) gaps++;
    words[mine + WHOLE] = b[block + BLOCK_TO]!;
    const next = b[block + BLOCK_LINK]!;
    store.blocks.release(block);
    block = next;
    store.troubles.words[head] = block;
  }
  return gaps;
}

/**
 * Takes note that the capture does not hold the payload [from, to), though it was seen. Zeek, which reads payload,
 * takes it for missing, and for a gap once the peer acknowledges it.
 * @param acked highest number that the peer has acknowledged, null for none
 */
export function snapped(
  store: Store,
  at: number,
  side: number,
  from: number,
  to: number,
  acked: number | null,
): void {
  const start = acked !== null && ((acked - from) | 0) > 0 ? acked : from;
  if (((to - start) | 0) <= 0) return;
  const trouble = store.trouble(at, side);
  const words = store.troubles.words;
  const isNone = words[trouble + SNAPPED_FROM] === words[trouble + SNAPPED_TO];
  if (isNone || ((words[trouble + SNAPPED_FROM]! - start) | 0) > 0) words[trouble + SNAPPED_FROM] = start;
  if (isNone || ((to - words[trouble + SNAPPED_TO]!) | 0) > 0) words[trouble + SNAPPED_TO] = to;
}

/** Whether an acknowledgment reaches into such a stretch, which ends there then. */
export function acknowledgesSnapped(store: Store, at: number, side: number, ack: number): boolean {
  const from = store.troubled(at, side, SNAPPED_FROM);
  const to = store.troubled(at, side, SNAPPED_TO);
  if (from === to || ((ack - from) | 0) <= 0) return false;
  store.setTrouble(at, side, SNAPPED_FROM, ((ack - to) | 0) < 0 ? ack : to);
  return true;
}
