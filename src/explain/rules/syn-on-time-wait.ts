import { CLIENT, SERVER } from '../../model/connection.ts';
import { ACK, SYN, seqDiff } from '../../model/tcp.ts';
import { type Challenge, challenge, endedInTimeWait, takenAgain } from '../facts/challenge.ts';
import { type Citation, eventEvidence, packetEvidence } from '../facts/evidence.ts';
import type { Facts } from '../facts/facts.ts';
import { TIME_WAIT } from '../facts/timing.ts';
import type { WireFacts } from '../facts/wire.ts';
import { EVENTS, REUSED } from '../mask.ts';
import { wanted } from '../missing.ts';
import type { Rule, Verdict, Words } from '../rule.ts';
import { MAYBE, span } from '../words.ts';

/** What tcp_timewait_state_process adds to the old connection's last number for the new one's first. */
const ISN_STEP = 65535 + 2;
/** TCP_TW_SYN, what it returns for such a SYN. */
const TW_SYN = 3;

export interface Proof {
  confidence: 'proved' | 'inferred';
  because(): string;
  evidence: Citation[];
}

type Replaced = Verdict & Pick<Proof, 'because'>;
type Cleared = Verdict & { seen: Challenge };

export const rule: Rule<'syn-on-time-wait', Replaced | Cleared> = {
  id: 'syn-on-time-wait',
  group: 'syn',
  title: 'New connection replaced a TIME_WAIT of the same ports',
  severity: 'info',
  happened: 'replaced a TIME_WAIT of the same ports',
  condition:
    'A SYN with a newer timestamp or sequence number met a timewait socket in TIME_WAIT of the same 4-tuple: it is taken, and the timewait socket ends. An older one is answered with the old ACK; the RST of the client ends the timewait socket, and the next SYN is taken.',
  when: REUSED | EVENTS,
  linuxOnly: true,
  reference: 'tcp_timewait_state_process (TCP_TW_SYN, isn = tw_snd_nxt + 65535 + 2), RFC 6191',
  signatures: [
    {
      by: ['functions'],
      kernels: '5.5+ with fentry, or kprobes',
      claims: 'proved',
      sign: 'tcp_timewait_state_process returned TCP_TW_SYN for this SYN',
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: "the server's first sequence number is the old one's last plus 65537 (6.18, not 6.1), or the server had closed first less than 60 s before",
    },
    {
      by: ['packets'],
      kernels: 'any',
      claims: 'inferred',
      sign: "the SYN was answered with an ACK of the old one's numbers, which the server had closed first, and a RST to that",
    },
  ],
  decide: (f) => {
    const seen = challenge(f);
    if (seen?.met === 'time-wait') return cleared(f, seen);
    const { wire } = f;
    const answer = wire?.packets.find(
      (p) => (p.flags & (SYN | ACK)) === (SYN | ACK) && wire.sideOf(p) === SERVER,
    );
    if (!wire || !answer) return null;
    const proof = byProbe(f, wire) ?? byNumber(f, wire) ?? byTime(f, wire);
    if (!proof) return null;
    return {
      confidence: proof.confidence,
      side: 'server',
      moment: f.atPacket(wire, answer),
      evidence: [
        ...proof.evidence,
        packetEvidence(f, wire, answer, () => `its sequence number is ${answer.seq >>> 0}`),
      ],
      because: proof.because,
    };
  },
  tell: (f, verdict) => {
    if ('seen' in verdict) return tellCleared(f, verdict.seen);
    return {
      summary: `The SYN of ${f.name(CLIENT)} ${MAYBE}replaced the TIME_WAIT of an older connection of the same ports on ${f.name(SERVER)}: ${verdict.because()}.`,
      remedy: 'No action needed: the kernel reuses the ports safely.',
      missing: wanted('minisock', 'server'),
    };
  },
};

/** It did not take the SYN: its ACK was reset, and that killed it (tcp_rfc1337 is 0). */
function cleared(f: Facts, seen: Challenge): Cleared {
  const { wire, syn, ack, reset, again, old } = seen;
  const fin = old!.finPacket(SERVER);
  return {
    confidence: 'inferred',
    // the client waits for the retransmission of its SYN
    severity: 'warning',
    side: 'server',
    moment: f.atPacket(wire, ack),
    evidence: [
      ...(fin ? [packetEvidence(f, old!, fin, 'the FIN of the older connection, the first of the two')] : []),
      packetEvidence(f, wire, syn, 'the SYN'),
      packetEvidence(
        f,
        wire,
        ack,
        () => `the old ACK: it acknowledges ${ack.ack >>> 0}, not ${(syn.seq + 1) >>> 0}`,
      ),
      packetEvidence(f, wire, reset, 'the answer to it'),
      ...(again ? [packetEvidence(f, wire, again, 'the SYN again')] : []),
    ],
    alternatives: ['syn-on-stale-connection'],
    seen,
  };
}

function tellCleared(f: Facts, seen: Challenge): Words {
  return {
    summary: `The SYN of ${f.name(CLIENT)} ${MAYBE}met the TIME_WAIT of an older connection of the same ports on ${f.name(SERVER)}, which had closed that one first, and was answered with its old ACK; the client reset that${takenAgain(seen)}.`,
    remedy:
      'The client reuses source ports sooner than TIME_WAIT ends, with SYNs that are not newer: turn on timestamps at both ends, use more source ports or addresses, or keep connections open. Where the client closes first, the TIME_WAIT stands there.',
    missing: wanted('minisock', 'server'),
  };
}

/** The minisock itself took this SYN; the event may stand with the older connection, whose minisock it was. */
function byProbe(f: Facts, wire: WireFacts): Proof | null {
  const isn = wire.of(wire.wire.isn, CLIENT);
  for (const { probes } of [f, ...f.world.earlierLives(f)]) {
    const taken = probes
      .of('minisock-packet')
      .find((e) => e.values.verdict === TW_SYN && e.packet?.seq === isn);
    if (!taken) continue;
    const because = 'tcp_timewait_state_process took it (TCP_TW_SYN)';
    return {
      confidence: 'proved',
      because: () => because,
      evidence: [eventEvidence(f.world, taken, because)],
    };
  }
  return null;
}

/** The server's first sequence number follows from the old connection's last (not on 6.1). */
function byNumber(f: Facts, wire: WireFacts): Proof | null {
  const isn = wire.of(wire.wire.isn, SERVER);
  if (isn === null) return null;
  for (const { wire: old } of f.world.earlierLives(f)) {
    const next = old?.of(old.wire.nextSeq, SERVER) ?? null;
    if (!old || next === null || seqDiff(isn, (next + ISN_STEP) | 0) !== 0) continue;
    const fin = old.finPacket(SERVER);
    return {
      confidence: 'inferred',
      because: () => `the server's first sequence number is the old one's last plus ${ISN_STEP}`,
      evidence: fin
        ? [packetEvidence(f, old, fin, () => `the older connection ends at ${(fin.seq + 1) >>> 0}`)]
        : [],
    };
  }
  return null;
}

/** The server had closed first, and both FINs were acknowledged less than 60 s before. */
function byTime(f: Facts, wire: WireFacts): Proof | null {
  const old = f.world.earlierLives(f).at(-1)?.wire;
  if (!old || old.wire.source !== wire.wire.source) return null;
  if (!endedInTimeWait(old)) return null;
  const acked = ([CLIENT, SERVER] as const).map((side) => old.of(old.wire.finAckedTime, side)!);
  const since = wire.wire.start - Math.max(...acked);
  if (since < 0 || since >= TIME_WAIT) return null;
  const fin = old.finPacket(SERVER);
  return {
    confidence: 'inferred',
    because: () =>
      `the server had closed that one first, and its end was ${span(since)} before, while TIME_WAIT lasts 60 s`,
    evidence: fin
      ? [packetEvidence(f, old, fin, 'the FIN of the older connection, the first of the two')]
      : [],
  };
}
