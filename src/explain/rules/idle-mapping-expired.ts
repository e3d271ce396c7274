import { formatEndpoint } from '../../model/address.ts';
import { NS_PER_S } from '../../model/time.ts';
import { MAY_REPEAT, RESET } from '../mask.ts';
import { peerPackets } from '../missing.ts';
import { type Candidate, leading, withOthers } from '../procedures/candidate.ts';
import { idleTime, lostAfterIdle } from '../procedures/idle.ts';
import { resetCandidates } from '../procedures/reset.ts';
import type { Rule } from '../rule.ts';
import { MAYBE, most, span } from '../words.ts';

export const rule: Rule<'idle-mapping-expired', Candidate> = {
  id: 'idle-mapping-expired',
  group: 'close',
  title: 'Idle for so long that the path forgot the connection',
  severity: 'error',
  happened: 'were idle for so long that a device on the path had forgotten them',
  condition:
    'NATs, firewalls and load balancers forget a connection that is idle for longer than their timeout. What is sent after that they drop, or answer with a RST in the name of the other end, which learns nothing.',
  when: MAY_REPEAT | RESET,
  closes: 'rst',
  reference: 'RFC 5382 §5, RFC 7857; nf_conntrack_tcp_timeout_established',
  signatures: [
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: 'the first packet after a silence of a minute or more got a bare RST whose TTL is not that of all else from there',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'possible',
      sign: 'the same with the usual TTL after a time that is a known timeout, or a bare RST without any packet after the silence, or the first packet was never acknowledged',
    },
  ],
  decide: (f) => {
    const reset = leading(resetCandidates(f), 'idle-mapping-expired');
    if (reset) return reset;
    const lost = lostAfterIdle(f);
    return lost && withOthers(lost, ['retransmission-timeout', 'peer-silent', 'no-socket-reset']);
  },
  tell: (f, { because }) => {
    const idle = idleTime(f);
    return {
      summary: `A device between ${formatEndpoint(f.case.client)} and ${formatEndpoint(f.case.server)} had ${MAYBE}forgotten the connection: ${because()}.`,
      remedy: remedyBelow(idle),
      missing: peerPackets(f),
    };
  },
  // what would have kept the one that was lost soonest
  remedyOfAll: (all) => remedyBelow(-most(all.map(({ facts }) => -idleTime(facts)))),
};

function remedyBelow(idle: number): string {
  const whole = Math.max(1, Math.round(idle / NS_PER_S)) * NS_PER_S;
  return `Send something more often than every ${span(whole)}: SO_KEEPALIVE with tcp_keepalive_time (7,200 s by default) or TCP_KEEPIDLE below the timeout of the device, or a keepalive of the application; or close connections that are idle sooner; or raise the device's timeout.`;
}
