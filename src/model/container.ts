/** The container and the Kubernetes pod that a socket belongs to, by the cgroup of whoever made it. */
import { formatEndpoint } from './address.ts';
import type { Case } from './case.ts';
import type { SideIndex } from './connection.ts';
import type { Source } from './source.ts';

/** As ids: the container's 64 hexadecimal digits, the pod's UUID; '' where it is none or not known. */
export interface Place {
  container: string;
  pod: string;
}

/** Ids are shown so long, as docker and crictl do. */
const SHOWN = 12;
const CONTAINER = /(?:^|[/-])([0-9a-f]{64})(?:\.scope)?(?=\/|$)/;
/** The systemd driver writes a pod's uid with _ for -. */
const POD = /pod([0-9a-f]{8}(?:[_-][0-9a-f]{4}){3}[_-][0-9a-f]{12})(?:\.slice)?(?=\/|$)/;

/**
 * `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice/cri-containerd-ID.scope`, `/kubepods/besteffort/podUID/ID`,
 * `/system.slice/docker-ID.scope`, `/docker/ID`, `/machine.slice/libpod-ID.scope`. null: of no container.
 */
export function placeIn(cgroup: string): Place | null {
  const container = CONTAINER.exec(cgroup)?.[1] ?? '';
  const pod = POD.exec(cgroup)?.[1]?.replaceAll('_', '-') ?? '';
  return container === '' && pod === '' ? null : { container, pod };
}

/** Key of a socket's ends in Recording.cgroups. */
export function endsKey(e: Pick<Case['rows'][0], 'local' | 'remote'>): string {
  return `${formatEndpoint(e.local)} ${formatEndpoint(e.remote)}`;
}

/** Names that were given go before those that the recordings have. */
export function nameContainers(sources: readonly Source[], names: ReadonlyMap<string, string>): void {
  for (const { recording } of sources)
    if (recording) recording.names = new Map([...(recording.names ?? []), ...names]);
}

/** Of one end of a connection, by name where there is one. */
export function placeOf(
  { client, server, kernel, lives }: Case,
  side: SideIndex,
  sources: readonly Source[],
): Place | null {
  // packets alone name no container
  if (kernel.length === 0 && !lives[0] && !lives[1]) return null;
  const key =
    side === 0 ? endsKey({ local: client, remote: server }) : endsKey({ local: server, remote: client });
  for (const id of new Set([...lives.flatMap((l) => l?.source ?? []), ...kernel.map((k) => k.source)])) {
    const { recording } = sources[id]!;
    const place = placeIn(recording?.cgroups?.get(key) ?? '');
    if (!place) continue;
    const named = (of: string) => nameOf(of, recording?.names);
    return {
      container: named(place.container) ?? place.container.slice(0, SHOWN),
      pod: named(place.pod) ?? place.pod,
    };
  }
  return null;
}

/** A list may have ids in short. */
function nameOf(id: string, names: ReadonlyMap<string, string> | undefined): string | null {
  if (id === '' || !names) return null;
  return names.get(id) ?? names.get(id.slice(0, SHOWN)) ?? null;
}

/** `ID NAME` a line, as `docker ps --no-trunc --format '{{.ID}} {{.Names}}'` or a list of pods by uid prints it; `#` begins a remark. */
export function parseNames(text: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, id, name] = /^\s*([0-9a-fA-F-]{12,64})\s+(\S.*?)\s*$/.exec(line) ?? [];
    if (id !== undefined && name !== undefined) names.set(id.toLowerCase(), name);
  }
  return names;
}
