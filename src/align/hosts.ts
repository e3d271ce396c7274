/** Which machine each source comes from: by the name it gives, else by the local addresses the kernel printed. */
import { isLoopback, isWildcard } from '../model/address.ts';
import type { Host } from '../model/case.ts';
import type { Diagnostics } from '../model/diagnostic.ts';
import type { KernelEvent } from '../model/event.ts';
import type { Source } from '../model/source.ts';

/** Addresses that a source shows to be local to its host. */
export interface LocalAddresses {
  /** From sockets: certain. */
  certain: Set<string>;
  /** Receivers of dropped packets: most likely local. */
  likely: Set<string>;
}

/** `ofSockets`: local addresses of its sockets, each as often as there are any. */
export function localAddresses(events: readonly KernelEvent[], ofSockets: Iterable<string>): LocalAddresses {
  const certain = new Set<string>();
  const likely = new Set<string>();
  const add = (set: Set<string>, address: string) => {
    if (!isWildcard(address) && !isLoopback(address)) set.add(address);
  };
  for (const address of ofSockets) add(certain, address);
  for (const e of events) {
    if (e.kind === 'socket' || e.kind === 'call') add(certain, e.local.address);
    else if (e.kind === 'drop' && !e.place) add(likely, e.to.address);
  }
  return { certain, likely };
}

/**
 * Joins sources into hosts. Two sources are of one host when they give the same name, or share a local address and
 * do not give different names. A source with neither stays without a host.
 */
export function findHosts(
  sources: readonly Source[],
  addresses: ReadonlyMap<number, LocalAddresses>,
  diagnostics: Diagnostics,
): { hosts: Host[]; hostOf: Map<number, Host> } {
  const hosts: Host[] = [];
  const hostOf = new Map<number, Host>();
  const join = (source: Source, host: Host) => {
    host.sources.push(source);
    hostOf.set(source.id, host);
    for (const address of addresses.get(source.id)?.certain ?? []) host.addresses.add(address);
  };

  for (const source of sources) {
    if (source.host === null) continue;
    let host = hosts.find((h) => h.name === source.host);
    if (!host) {
      host = { name: source.host, unnamed: false, addresses: new Set(), sources: [] };
      hosts.push(host);
    }
    join(source, host);
  }
  for (const source of sources) {
    if (hostOf.has(source.id)) continue;
    const certain = [...(addresses.get(source.id)?.certain ?? [])];
    const likely = [...(addresses.get(source.id)?.likely ?? [])];
    const known = (list: string[]) => hosts.filter((h) => list.some((a) => h.addresses.has(a)));
    const matches = certain.length > 0 ? known(certain) : known(likely);
    if (matches.length > 1) {
      diagnostics.add({
        code: 'host-ambiguous',
        severity: 'info',
        source: source.name,
        locator: '',
        message: `Its addresses belong to ${matches.map((h) => h.name).join(' and ')}; taken as ${matches[0]!.name}. Say --host NAME=${source.name} to decide.`,
      });
    }
    if (matches[0]) join(source, matches[0]);
    else if (certain.length > 0) {
      const host: Host = { name: certain[0]!, unnamed: true, addresses: new Set(), sources: [] };
      hosts.push(host);
      join(source, host);
    }
  }
  return { hosts, hostOf };
}
