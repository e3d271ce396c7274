import { CLIENT, SERVER } from '../../model/connection.ts';
import type { Facts } from '../facts/facts.ts';
import { ICMP } from '../mask.ts';
import type { Candidate } from '../procedures/candidate.ts';
import { icmpRejection, type Rejection } from '../procedures/icmp.ts';
import type { Explained, Rule } from '../rule.ts';
import { connectionsOf, howMany, toServers } from '../together.ts';
import { list, MAYBE } from '../words.ts';

export const rule: Rule<'icmp-rejected', Candidate & { found: Rejection }> = {
  id: 'icmp-rejected',
  group: 'syn',
  title: 'Refused with an ICMP error',
  severity: 'error',
  happened: 'were refused with an ICMP error',
  condition:
    'A router, a firewall or the host itself answered segments with ICMP: destination unreachable, administratively prohibited, or time exceeded. It ends connect() at once; of an established connection it is a soft error, and the segments are sent again until the kernel gives up.',
  when: ICMP,
  wireProves: true,
  reference: 'RFC 792, RFC 4443, RFC 1122 §4.2.3.9; tcp_v4_err, tcp_v6_err, icmp_err_convert',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'proved',
      sign: 'an ICMP error that quotes a number of the connection which was never acknowledged; it proves who said so, and that alone',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'the same in a text without the quoted numbers, or in a file without the segments: by the addresses, and the segment sent right before',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'an error that quotes a number which the connection never had (RFC 5927), and nothing of the peer after it',
    },
  ],
  decide: (f) => {
    const found = icmpRejection(f);
    if (!found) return null;
    const { candidate, ofHandshake } = found;
    return { ...candidate, found, ...(ofHandshake ? {} : { group: 'close' }) };
  },
  tell: (f, { because, found }) => {
    return { summary: `${because()}; ${effect(f, found)}.`, remedy: remedyOf(found) };
  },
  together: (all) =>
    `${howMany(all)}${toServers(all)} had segments ${MAYBE}refused with ICMP by ${list(senders(all))}: ${list(texts(all))}.`,
};

function effect(f: Facts, { ofHandshake, sender, errors: [first] }: Rejection): string {
  if (!ofHandshake) return 'the sender tries again until its timeout ends the connection';
  if (sender === SERVER) return 'the client is not told';
  // not all systems heed it (RFC 5461)
  const { source, time } = first!;
  const goesOn = f.wires.some((w) =>
    w.packets.some((p) => p.source === source && time !== null && p.time > time && w.sideOf(p) === CLIENT),
  );
  return goesOn ? 'the client went on all the same' : 'connect() fails with that error';
}

function remedyOf({ errors, sender }: Rejection): string {
  const [{ by, from, to, text, says }] = errors as [Rejection['errors'][number]];
  if (by === from.address)
    return `${by} is the ${sender === 0 ? 'client' : 'server'} itself: its kernel had no route, or nobody answered its ARP or neighbour requests (\`ip route get ${to.address}\`, \`ip neigh\`), or its own firewall rejects.`;
  if (says === 'expired')
    return `The packet went in circles, or came with too small a TTL: follow the routes from ${by} on (\`ip route get ${to.address}\` there, traceroute).`;
  if (/prohibited|policy|rejected/.test(text))
    return `Look at the rules of ${by} that reject (nftables \`reject\`, iptables and firewalld REJECT, an ACL of a router) and at their counters, and permit ${to.address} port ${to.port}.`;
  if (text === 'port unreachable')
    return `A TCP stack answers a closed port with a RST and not with ICMP: on ${by} a firewall rule rejects (\`reject\` in nftables and REJECT in iptables send this by default). Look at its rules and their counters.`;
  return `${by} knows no way to ${to.address}: look at its routes (\`ip route get ${to.address}\`; unreachable and blackhole routes), and whether ${to.address} is up and answers ARP there.`;
}

function errorsOf(all: readonly Explained[]): Rejection['errors'] {
  return connectionsOf(all).flatMap((f: Facts) => icmpRejection(f)?.errors ?? []);
}

function senders(all: readonly Explained[]): string[] {
  const own = [...new Set(errorsOf(all).map((e) => e.by))];
  return own.length > 4 ? [...own.slice(0, 3), `${own.length - 3} others`] : own;
}

function texts(all: readonly Explained[]): string[] {
  return [...new Set(errorsOf(all).map((e) => `"${e.text}"`))];
}
