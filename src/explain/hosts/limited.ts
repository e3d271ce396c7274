/** Settings that come with what is in use of them (`sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max`). */
import type { World } from '../facts/world.ts';
import { number } from '../words.ts';
import type { Sign } from './index.ts';

const [USED, MOST] = ['net.netfilter.nf_conntrack_count', 'net.netfilter.nf_conntrack_max'];
/** Of a table that full, bursts find no room; early_drop evicts entries that are not assured before it drops a packet. */
const NEARLY = 0.95;

export function limited(world: World): Sign[] {
  return world.context.settings.flatMap(({ host, values }): Sign[] => {
    const [used, most] = [USED, MOST].map((name) => Number(values.get(name!) ?? 0)) as [number, number];
    if (most === 0 || !(used >= NEARLY * most)) return [];
    return [
      {
        rule: 'conntrack-table-full',
        confidence: 'possible',
        severity: 'warning',
        side: 'path',
        moment: null,
        summary: `${number(used)} of ${number(most)} entries of the connection tracking table${host?.name ? ` of ${host.name}` : ''} were in use when the settings were read: without room, packets of new connections are dropped.`,
        remedy:
          'Raise net.netfilter.nf_conntrack_max (and hashsize with it), or shorten the timeouts; `conntrack -L` shows what fills it.',
        evidence: [],
        missing: [
          {
            what: 'Whether packets were dropped for want of room',
            probe: '',
            host: host?.name ?? '',
            port: 0,
            command: 'dmesg | grep conntrack; conntrack -S',
          },
        ],
      },
    ];
  });
}
