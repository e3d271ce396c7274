/** Settings that come with what is in use of them (`sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max`). */
import { eventEvidence } from '../facts/evidence.ts';
import type { World } from '../facts/world.ts';
import { number } from '../words.ts';
import type { Sign } from './index.ts';

const [USED, MOST] = ['net.netfilter.nf_conntrack_count', 'net.netfilter.nf_conntrack_max'];
/** Of a table that full, bursts find no room; early_drop evicts entries that are not assured before it drops a packet. */
const NEARLY = 0.95;

export function limited(world: World): Sign[] {
  return world.context.settings.flatMap(({ host, readings }): Sign[] => {
    const both = [readings.get(USED), readings.get(MOST)].filter((e) => e !== undefined);
    const [used = 0, most = 0] = both.map((e) => Number(e.value));
    if (both.length < 2 || most === 0 || !(used >= NEARLY * most)) return [];
    return [
      {
        rule: 'conntrack-table-full',
        confidence: 'possible',
        severity: 'warning',
        side: 'path',
        moment: world.momentOf(both[0]!),
        summary: `${number(used)} of ${number(most)} entries of the connection tracking table${host?.name ? ` of ${host.name}` : ''} were in use when the settings were read: without room, packets of new connections are dropped.`,
        remedy:
          'Raise net.netfilter.nf_conntrack_max (and hashsize with it), or shorten the timeouts; `conntrack -L` shows what fills it.',
        evidence: both.map((e) => eventEvidence(world, e, `${e.name} = ${e.value}`)),
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
