/** Drops whose lines name no connection: kfree_skb of a trace, dropwatch. They say why, or where in the kernel, and how often. */
import type { DropCountEvent } from '../../model/event.ts';
import { getOr } from '../../model/get-or.ts';
import { eventEvidence } from '../facts/evidence.ts';
import type { World } from '../facts/world.ts';
import type { RuleId } from '../rules/index.ts';
import { count, list, number } from '../words.ts';
import type { Sign } from './index.ts';

/** By the kernel's reason (include/net/dropreason-core.h), else by the function that freed the packet. */
const SIGNS: readonly { rule: RuleId; reason: RegExp; where: RegExp | null }[] = [
  {
    rule: 'netfilter-drop',
    reason: /^NETFILTER_DROP/,
    where: /^(?:nf_hook_slow|nft_do_chain|ipt_do_table)$/,
  },
  { rule: 'accept-queue-overflow-ack', reason: /^TCP_LISTEN_OVERFLOW$/, where: null },
  { rule: 'syn-on-time-wait', reason: /^TCP_RFC7323_TW_PAWS$/, where: null },
  { rule: 'receive-buffer-full', reason: /^TCP_INVALID_END_SEQUENCE$/, where: null },
  { rule: 'reverse-path-drop', reason: /^IP_RPFILTER$/, where: null },
  { rule: 'martian-drop', reason: /^IP_(?:LOCAL_SOURCE|INVALID_SOURCE|LOCALNET|INVALID_DEST)$/, where: null },
  { rule: 'checksum-drop', reason: /^(?:TCP|IP)_CSUM$/, where: null },
  { rule: 'no-socket-reset', reason: /^NO_SOCKET$/, where: /^tcp_v[46]_send_reset$/ },
];

/** Drops that are alike: their reason, or where they were freed. */
export function dropsOf(world: World): Map<string, DropCountEvent[]> {
  const groups = new Map<string, DropCountEvent[]>();
  for (const e of world.context.dropCounts) getOr(groups, nameOf(e), () => []).push(e);
  return groups;
}

export function sumOf(all: readonly DropCountEvent[]): number {
  return all.reduce((sum, e) => sum + e.count, 0);
}

function nameOf({ reason, where }: DropCountEvent): string {
  return reason && reason !== 'NOT_SPECIFIED' ? reason : where;
}

export function dropped(world: World): Sign[] {
  if (world.context.cases.count > 0) return [];
  return [...dropsOf(world)].flatMap(([name, all]) => {
    const [first] = all as [DropCountEvent];
    const found = SIGNS.find((s) => s.reason.test(first.reason ?? '') || s.where?.test(first.where));
    if (!found) return [];
    const places = [...new Set(all.map((e) => e.where))].slice(0, 3);
    return {
      rule: found.rule,
      confidence: 'possible',
      severity: 'warning',
      side: 'server',
      moment: world.momentOf(first),
      summary: `The kernel dropped ${count(sumOf(all), 'packet')} (${name}, in ${list(places)}); the lines do not say of which connections${name.startsWith('TCP_') ? '' : ', nor whether they were TCP'}.`,
      remedy: 'Record drops with their addresses: tcpautopsy-capture, tcpdrop, or retis.',
      evidence: all
        .slice(0, 5)
        .map((e) => eventEvidence(world, e, `${number(e.count)} dropped in ${e.where}`)),
    };
  });
}
