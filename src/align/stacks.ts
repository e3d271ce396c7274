/** Whose TCP stands at each end: what the kernel's own evidence says of a host, else its SYN or SYN-ACK (connect/stack.ts). */
import { sameEndpoint } from '../model/address.ts';
import type { Case, Context } from '../model/case.ts';
import { CLIENT, SERVER, type SideIndex } from '../model/connection.ts';
import { CAPTURES, type Source } from '../model/source.ts';
import { STACKS, type Stack } from '../model/stack.ts';

/** Addresses that are remembered; of more a connection is judged by its own handshake. */
const MANY = 1 << 16;

/** Socket tables of other systems. */
const OF_OTHERS: ReadonlySet<string> = new Set(['netstat-bsd', 'netstat-windows']);

/** Formats that only Linux writes: what its kernel says. Packets come from anywhere, netstat is of many systems. */
function isOfLinux({ format }: Source): boolean {
  return !CAPTURES.has(format) && !OF_OTHERS.has(format) && !ON_THE_WAY.has(format) && format !== 'netstat';
}

/** Written by what stands between the hosts as well: whose connections they tell of, they do not say. */
const ON_THE_WAY: ReadonlySet<string> = new Set(['netfilter-log', 'conntrack', 'hubble', 'tcpdump-quiet']);

/** Of a context, once: addresses by what is known of the host. */
const known = new WeakMap<Context, ReadonlyMap<number, Stack>>();

export function stackOf(c: Case, side: SideIndex, context: Context): Stack {
  const end = side === CLIENT ? c.client : c.server;
  if (c.lives[side]) return 'linux';
  if (c.rows.length > 0) {
    const own = c.rows.filter((r) => sameEndpoint(r.local, end)).map((r) => context.sources[r.source]!);
    if (own.some(isOfLinux)) return 'linux';
    if (own.some((source) => OF_OTHERS.has(source.format))) return 'not linux';
  }
  const own = ofHandshake(c, side);
  if (own !== 'unknown') return own;
  let stacks = known.get(context);
  if (!stacks) {
    stacks = stacksByAddress(context);
    known.set(context, stacks);
  }
  // an address is not parsed for nothing
  if (stacks.size === 0) return 'unknown';
  return stacks.get(context.cases.keyOf(end.address)) ?? 'unknown';
}

/** The handshake as the first capture that has it shows it. */
export function ofHandshake({ client, wires }: Case, side: SideIndex): Stack {
  for (const wire of wires) {
    const own = wire.stack[sameEndpoint(wire.client, client) ? side : 1 - side]!;
    if (own !== 'unknown') return own;
  }
  return 'unknown';
}

/** Behind one address that shows both, as a NAT's does, are several hosts. */
function stacksByAddress({ cases, hosts }: Context): Map<number, Stack> {
  const stacks = new Map<number, Stack>();
  for (let n = 0; n < cases.count; n++) {
    const { keys, stacks: shown } = cases.brief(n);
    for (const side of [CLIENT, SERVER] as const) {
      const stack = STACKS[shown[side]]!;
      if (stack === 'unknown') continue;
      const before = stacks.get(keys[side]);
      if (before === undefined && stacks.size < MANY) stacks.set(keys[side], stack);
      else if (before !== undefined && before !== stack) stacks.set(keys[side], 'unknown');
    }
  }
  for (const { addresses, sources } of hosts) {
    if (sources.some(isOfLinux)) for (const address of addresses) stacks.set(cases.keyOf(address), 'linux');
  }
  return stacks;
}
