/**
 * SYNs and SYN-ACKs of which a kernel says that it dropped them: by the reason where it names one (5.17 and later), by
 * the function that freed the packet where it does not (kernel-notes §3, lower layers).
 */
import { sameEndpoint } from '../../model/address.ts';
import { CLIENT, SERVER, type SideIndex, WHY_THIRD_ACK } from '../../model/connection.ts';
import type { DropEvent } from '../../model/event.ts';
import { ACK, SYN } from '../../model/tcp.ts';
import { dropEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { SAME_CALL } from '../facts/timing.ts';
import { DROPS } from '../mask.ts';
import type { Moment } from '../rule.ts';
import type { RuleId } from '../rules/index.ts';
import { count, list } from '../words.ts';
import type { Candidate } from './candidate.ts';
import { maker } from './common.ts';
import type { Attempt } from './syn-drops.ts';

const NETFILTER = /^(nf_hook_slow|nft_do_chain|ipt_do_table)/;
/**
 * Causes below TCP on the way in, by reason (enum skb_drop_reason) or by the function that freed the packet.
 */
const INGRESS: readonly { rule: RuleId; reason: RegExp; freedIn: RegExp | null }[] = [
  { rule: 'netfilter-drop', reason: /^(NETFILTER_DROP|POLICY_DENIED)/, freedIn: NETFILTER },
  { rule: 'reverse-path-drop', reason: /^IP_RPFILTER/, freedIn: null },
  {
    rule: 'martian-drop',
    reason: /^IP_(LOCAL_SOURCE|INVALID_SOURCE|LOCALNET|INVALID_DEST)/,
    freedIn: /^ip_handle_martian_source/,
  },
  { rule: 'checksum-drop', reason: /^(TCP|IP)_CSUM/, freedIn: null },
  {
    rule: 'other-ingress-drop',
    reason:
      /^(IP_INNOROUTES|IP_INADDRERRORS|IP_INHDR|TCP_MINTTL|IP_MINTTL|XFRM_POLICY|SOCKET_FILTER|TCP_FILTER|CPU_BACKLOG|XDP|TC_INGRESS|BPF_CGROUP_INGRESS|TCP_MD5|TCP_AO|TCP_AUTH|NOMEM)/,
    freedIn: /^(sk_filter_trim_cap|enqueue_to_backlog)/,
  },
];
/** Reasons that only a packet on its way out can have. */
const EGRESS = /^(QDISC_|NEIGH_|TC_EGRESS|IP_OUTNOROUTES|BPF_CGROUP_EGRESS|DEV_READY)/;
const FREES = /^(__)?(kfree_skb|sk_skb_reason_drop|tcp_drop|skb_release)/;
const LEAVES =
  /^(__)?ip6?_(local_out|output|build_and_send_pkt|finish_output|xmit)|^dev_queue_xmit|^__dev_queue_xmit/;
const ENTERS = /^(__)?ip6?_(local_deliver|rcv|input)|^ipv6_rcv|^__netif_receive_skb/;

interface Lost {
  rule: RuleId;
  /** The host that dropped it; the path: another namespace of the same machine, as a router's. */
  side: 'client' | 'server' | 'path';
  what: 'SYN' | 'SYN-ACK' | 'ACK';
  drop: DropEvent;
  /** False where only the owner of the log tells on which of the two hosts it was. */
  sure: boolean;
}

/** The kernel dropped the SYN, or its answer, and said where. Also of a connection that got through in the end. */
export function droppedSyn(f: Facts, attempt: Attempt | null): Candidate[] {
  if ((f.mask & DROPS) === 0) return [];
  const lost = f.drops.filter((d) => d.flags !== null && !d.socketEnds).flatMap((d) => lossOf(f, d) ?? []);
  const groups = new Map<string, Lost[]>();
  for (const l of lost) groups.set(`${l.rule} ${l.side}`, [...(groups.get(`${l.rule} ${l.side}`) ?? []), l]);
  return [...groups.values()].map((all) => {
    const { rule, side, what } = all[0]!;
    const names = [...new Set(all.map((l) => l.drop.reason?.name).filter((n) => n != null))];
    const evidence = [
      ...(attempt?.evidence ?? []),
      ...all.slice(0, 3).map((l) => dropEvidence(f.world, l.drop)),
    ];
    const make = maker({ side, moment: f.atEvent(all[0]!.drop), evidence });
    const why = () => (names.length > 0 ? ` (${list(names)})` : '');
    // of what came in on its way to the server, a host that only forwards says as much
    const whose =
      side === 'path'
        ? `the kernel, in another namespace than the ${rule === 'netfilter-drop' && what === 'SYN-ACK' ? 'client' : 'server'},`
        : side === 'server' && what === 'SYN'
          ? 'the kernel'
          : `the kernel of the ${side}`;
    const says = all[0]!.drop.said;
    const because = () =>
      says
        ? `a line of its log ("${says}") says that it ${/rej/i.test(says) ? 'rejected' : 'dropped'} ${count(all.length, what)}`
        : `${whose} says that it dropped ${count(all.length, what)}${why()}`;
    // a LOG rule drops nothing: its author wrote the prefix
    const confidence = all.every((l) => l.sure && !l.drop.said) ? 'proved' : 'inferred';
    return { ...make(rule, confidence, because), lost: what };
  });
}

/**
 * `reject with tcp reset` on the server: netfilter drops the SYN in the call in which it sends the RST (nf_send_reset,
 * then NF_DROP), and TCP never looks for a listener.
 */
export function rejectedSyn(f: Facts, reset: Moment): Candidate | null {
  const drop = f.drops.find((d) => {
    const apart = f.world.between(f.atEvent(d), reset);
    if (d.flags === null || d.socketEnds || apart === null || Math.abs(apart) > SAME_CALL) return false;
    const loss = lossOf(f, d);
    return loss?.rule === 'netfilter-drop' && loss.side === 'server' && loss.what === 'SYN';
  });
  if (!drop) return null;
  const make = maker({ side: 'server', moment: reset, evidence: [dropEvidence(f.world, drop)] });
  return make('netfilter-drop', 'inferred', 'netfilter dropped the SYN as the RST that answers it was sent');
}

/** The kernel dropped the SYN for want of a socket; the RST that it sends then is in none of the files. */
export function refusedByDrop(f: Facts): Candidate | null {
  const isSeen = f.wires.some(({ wire }) => [...wire.rsts, ...wire.synAcks].some((n) => n > 0));
  if ((f.mask & DROPS) === 0 || isSeen || f.lives.length > 0 || f.rows(SERVER).length > 0) return null;
  const all = f.drops.filter(
    (d) =>
      d.reason?.name === 'NO_SOCKET' &&
      d.flags !== null &&
      (d.flags & (SYN | ACK)) === SYN &&
      sameEndpoint(d.to, f.case.server),
  );
  if (!all[0]) return null;
  const evidence = all.slice(0, 3).map((d) => dropEvidence(f.world, d));
  const make = maker({ side: 'server', moment: f.atEvent(all[0]), evidence });
  const because = () =>
    `the kernel says that it dropped ${count(all.length, 'SYN')} for want of a socket (NO_SOCKET), which it answers with a RST`;
  return make('connection-refused', 'inferred', because);
}

function lossOf(f: Facts, drop: DropEvent): Lost | null {
  const handshake = drop.flags! & (SYN | ACK);
  if (handshake === SYN && sameEndpoint(drop.to, f.case.server))
    return wasEstablished(f, f.atEvent(drop)) ? null : lostSyn(f, drop);
  if (handshake === (SYN | ACK) && sameEndpoint(drop.from, f.case.server)) return lostAnswer(f, drop);
  return handshake === ACK && sameEndpoint(drop.to, f.case.server) ? lostAck(f, drop) : null;
}

/** A SYN of the same addresses and ports that came then was another's: two connections that a NAT gave one port, a copy under way. */
function wasEstablished(f: Facts, at: Moment): boolean {
  const before = (m: Moment) => (f.world.between(at, m) ?? -1) > 0;
  return (
    f.lives.some((l) => {
      const t = l.life.transitions.find((x) => x.to === 'ESTABLISHED');
      return t !== undefined && before(f.atTransition(l, t));
    }) || f.wires.some((w) => w.packets.some((p) => p.why & WHY_THIRD_ACK && before(f.atPacket(w, p))))
  );
}

/** Netfilter dropped what the client sent after the SYN-ACK, and the server sent that again: the handshake was not done. */
function lostAck(f: Facts, drop: DropEvent): Lost | null {
  if (!byNetfilter(drop)) return null;
  const { wire } = f;
  const answers =
    wire?.packets.filter((p) => p.flags & SYN && p.flags & ACK && wire.sideOf(p) === SERVER) ?? [];
  const again = [
    ...answers.slice(1).map((p) => f.atPacket(wire!, p)),
    ...f.lateSynAckDrops.map((d) => f.atEvent(d)),
  ];
  if (!again.some((later) => (f.world.between(later, f.atEvent(drop)) ?? -1) > 0)) return null;
  const where = place(f, drop);
  const side = where === 'out' ? 'client' : bySide(f, drop, SERVER) === false ? 'path' : 'server';
  return { rule: 'netfilter-drop', side, what: 'ACK', drop, sure: where !== null };
}

function lostSyn(f: Facts, drop: DropEvent): Lost | null {
  const where = place(f, drop);
  const base = {
    what: 'SYN' as const,
    drop,
    side: where === 'out' ? ('client' as const) : ('server' as const),
  };
  if (where === 'out') return byNetfilter(drop) ? { ...base, rule: 'netfilter-drop', sure: true } : null;
  const found = INGRESS.find((i) =>
    drop.reason?.name ? i.reason.test(drop.reason.name) : i.freedIn?.test(freedIn(drop)),
  );
  if (!found) return null;
  // netfilter drops on the way out as well: which of the two it was nothing tells
  if (where === null && found.rule === 'netfilter-drop') return { ...base, rule: found.rule, sure: false };
  return { ...base, rule: found.rule, sure: true };
}

/** On its way out of the server, or on its way into the client. */
function lostAnswer(f: Facts, drop: DropEvent): Lost | null {
  if (EGRESS.test(drop.reason?.name ?? '')) {
    const own = bySide(f, drop, SERVER);
    if (own === false)
      return { rule: 'syn-ack-lost-on-path', side: 'path', what: 'SYN-ACK', drop, sure: true };
    return {
      rule: 'syn-ack-lost-locally',
      side: 'server',
      what: 'SYN-ACK',
      drop,
      sure: own ?? drop.netns === undefined,
    };
  }
  if (!byNetfilter(drop)) return null;
  const where = place(f, drop);
  if (where === 'in') {
    const own = bySide(f, drop, CLIENT);
    const side = own === false ? 'path' : 'client';
    return { rule: 'netfilter-drop', side, what: 'SYN-ACK', drop, sure: own !== null || !drop.netns };
  }
  return { rule: 'syn-ack-lost-locally', side: 'server', what: 'SYN-ACK', drop, sure: where === 'out' };
}

/**
 * It was dropped in the network namespace that the sockets of a side are in: probes see those of all namespaces, and what
 * routes for a container is one of them. null where either is not known.
 */
function bySide(f: Facts, { netns }: DropEvent, side: SideIndex): boolean | null {
  const { lives, queueLooks } = f.listener;
  const listening = side === SERVER ? [...lives, ...queueLooks.map((l) => l.event)] : [];
  const asked = side === SERVER ? f.probes.of('synack-retransmit') : [];
  const known = [f.life(side)?.life, ...listening, ...asked];
  const own = known.find((each) => each?.netns !== undefined)?.netns;
  return netns === undefined || own === undefined ? null : netns === own;
}

function byNetfilter(drop: DropEvent): boolean {
  const name = drop.reason?.name;
  return name ? name.startsWith('NETFILTER_DROP') : NETFILTER.test(freedIn(drop));
}

function freedIn(drop: DropEvent): string {
  return drop.stack.find((s) => !FREES.test(s)) ?? '';
}

/** Leaving or entering a host: by the first function of either way in the stack, else by whose log it is. */
function place(f: Facts, drop: DropEvent): 'in' | 'out' | null {
  const first = drop.stack.find((s) => LEAVES.test(s) || ENTERS.test(s));
  if (first) return LEAVES.test(first) ? 'out' : 'in';
  // a socket that sends owns its packet; one that receives has been looked up for it (early demultiplexing)
  const own = ownerPlace(drop);
  if (own) return own;
  if (drop.place === 'in' || drop.place === 'out') return drop.place;
  const host = f.world.context.hosts.find((h) => h.sources.some((s) => s.id === drop.source));
  const [sends, receives] = [drop.from, drop.to].map((e) => host?.addresses.has(e.address) ?? false);
  return sends === receives ? null : sends ? 'out' : 'in';
}

function ownerPlace({ flags, state }: DropEvent): 'in' | 'out' | null {
  if ((flags! & (SYN | ACK)) === SYN) return state === 'SYN_SENT' ? 'out' : null;
  if (state === 'NEW_SYN_RECV' || state === 'LISTEN') return 'out';
  return state === 'SYN_SENT' ? 'in' : null;
}
