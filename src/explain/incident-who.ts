/** Whom an incident is of: processes, with pid, container, host and server, as far as they are known. */
import type { Host } from '../model/case.ts';
import { processOf } from '../model/case-process.ts';
import { CLIENT, SERVER, type SideIndex } from '../model/connection.ts';
import { placeOf } from '../model/container.ts';
import { displayAddress } from '../model/hostnames.ts';
import type { Incident } from '../model/incident.ts';
import type { Facts } from './facts/facts.ts';
import type { World } from './facts/world.ts';
import type { Explained } from './rule.ts';
import { number } from './words.ts';

/** Connections of an incident that are asked for their process. */
const ASKED = 50;
const NAMED = 3;
const UNKNOWN = 'process not in these files';

/** The processes at the side to blame, where the files name them; else that side's end. Of some it may be the other side. */
export function whoOf(
  world: World,
  members: readonly Explained[],
  root: Explained | undefined,
  { clients, servers }: Pick<Incident, 'clients' | 'servers'>,
): string[] {
  if (!root) return [];
  const { side } = root.finding;
  if (side === 'path') return [];
  const own = members.filter((e) => e.rule.id === root.rule.id || e.finding.side === side);
  const isOfBothSides = own.some((e) => e.finding.side !== side);
  // one of many that nothing names says nothing
  const isOneOfMany = isOfBothSides || (side === 'server' ? servers : clients) > 1;
  const names = new Set<string>();
  for (const { facts, n, finding } of own.slice(0, ASKED)) {
    if (finding.side !== 'path')
      names.add(endOf(world, facts, finding.side === 'client' ? CLIENT : SERVER, n));
  }
  const named = [...names].filter((n) => !n.endsWith(UNKNOWN));
  const all = named.length > 0 || isOneOfMany ? named : [...names];
  if (all.length <= NAMED) return all;
  // of those that were not asked nothing is known
  const more = members.length > ASKED ? 'more' : `${number(all.length - NAMED)} more`;
  return [...all.slice(0, NAMED), more];
}

/** `server (pid 812) on 10.0.0.1:80, pod web, host node-1`; `10.0.0.1:80, process not in these files`. */
export function endOf(world: World, facts: Facts, index: SideIndex, n: number): string {
  const process = (index === SERVER ? facts.listener.ownerOf(facts) : null) ?? processOf(facts.case, index);
  const { address } = facts.endpoint(index);
  const place = placeOf(facts.case, index, world.context.sources);
  const at = index === SERVER ? world.serverOf(n) : displayAddress(address);
  const host = world.context.hosts.find((h) => isNamed(h) && h.addresses.has(address))?.name;
  return [
    process?.comm ? `${process.comm}${process.pid === null ? '' : ` (pid ${process.pid})`} on ${at}` : at,
    ...placeWords(place?.container ?? process?.container, place?.pod ?? process?.pod),
    ...(host === undefined ? [] : [`host ${host}`]),
    ...(process?.comm ? [] : [UNKNOWN]),
  ].join(', ');
}

function placeWords(container: string | null | undefined, pod: string | null | undefined): string[] {
  return [...(pod ? [`pod ${pod}`] : []), ...(container ? [`container ${container}`] : [])];
}

/** `(none)` is what a kernel without a host name prints. */
function isNamed({ unnamed, name }: Host): boolean {
  return !unnamed && /^\w/.test(name);
}
