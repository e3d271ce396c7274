/** The runner: a rule that throws, masks, roles, verdicts, the fast path. */
import { describe, expect, test } from 'vitest';
import { JoinedCases } from '../../src/align/joined-cases.ts';
import { explain, verdictsOf } from '../../src/explain/explain.ts';
import { DROPS, STATES } from '../../src/explain/mask.ts';
import { assignRoles } from '../../src/explain/roles.ts';
import type { Rule, Verdict } from '../../src/explain/rule.ts';
import { ruleById } from '../../src/explain/rules/index.ts';
import type { Case, Context, Timeline } from '../../src/model/case.ts';
import type { SocketLife, WireConnection } from '../../src/model/connection.ts';
import { Diagnostics } from '../../src/model/diagnostic.ts';
import type { Finding } from '../../src/model/finding.ts';
import type { Source } from '../../src/model/source.ts';
import type { CommonTime } from '../../src/model/time.ts';

const client = { address: '10.0.0.1', port: 4000 };
const server = { address: '10.0.0.2', port: 80 };

const timeline: Timeline = {
  at: (_source, time) => time as number | null as CommonTime | null,
  ofTransition: () => null,
  comparable: () => true,
  label: () => 'relative',
  format: (time) => (time === null ? '' : String(time)),
  epochNs: () => '',
  fits: [],
};

function contextOf(cases: Partial<Case>[]): Context {
  const source: Source = {
    id: 0,
    name: 'test',
    format: 'pcap',
    clock: { kind: 'relative', base: 0n, resolution: 1 },
    host: null,
    command: null,
    root: null,
    records: 1,
  };
  const empty = {
    sided: true,
    netns: [null, null] as [null, null],
    wires: [],
    drops: [],
    icmp: [],
    calls: [],
    rows: [],
    kernel: [],
    listener: null,
  };
  return {
    sources: [source],
    hosts: [],
    cases: new JoinedCases({
      count: cases.length,
      at: (n) => ({ id: `c${n + 1}`, client, server, lives: [null, null], ...empty, ...cases[n] }),
    }),
    listeners: [],
    counters: [],
    snapshots: [],
    settings: [],
    log: [],
    stateCounts: [],
    queueCounts: [],
    dropCounts: [],
    walks: [],
    timeline,
  };
}

const life: SocketLife = {
  source: 0,
  socket: 'a',
  local: client,
  remote: server,
  role: 'client',
  transitions: [],
  missing: [],
  owner: null,
  state: 'ESTABLISHED',
};

function ruleOf(id: string, decide: () => Verdict | Verdict[] | null, when: Rule['when'] = STATES): Rule {
  const base = {
    group: 'close',
    title: id,
    severity: 'info',
    happened: 'were so',
    condition: '.',
    reference: '-',
    signatures: [],
  } as const;
  return { id, ...base, when, decide, tell: () => ({ summary: 'It did.', remedy: '' }) };
}

const verdict: Verdict = {
  confidence: 'possible',
  side: 'client',
  moment: null,
  evidence: [],
};

/** What is told of all of them. */
function findingsOf(cases: Partial<Case>[], rules: Rule[], diagnostics = new Diagnostics()): Finding[] {
  const { verdicts, kept } = explain(contextOf(cases), diagnostics, { rules });
  return Array.from(kept).flatMap((n) => [...verdicts.tell(n)]);
}

describe('the runner', () => {
  test('a rule that throws is shown, and nothing else is lost', () => {
    const diagnostics = new Diagnostics();
    const broken = ruleOf('broken', () => {
      throw new Error('boom');
    });
    const found = findingsOf(
      [{ lives: [life, null] }],
      [broken, ruleOf('sound', () => verdict)],
      diagnostics,
    );
    expect(found.map((f) => f.rule)).toEqual(['sound']);
    const [failed] = diagnostics.list();
    expect(failed).toMatchObject({ code: 'rule-failed', severity: 'error', locator: 'c1' });
    expect(failed?.message).toContain('broken');
    expect(failed?.message).toContain('boom');
  });

  test('a rule whose wording throws is shown, and its verdict stays', () => {
    const diagnostics = new Diagnostics();
    const mute = ruleOf('mute', () => verdict);
    mute.tell = () => {
      throw new Error('boom');
    };
    const [found] = findingsOf([{ lives: [life, null] }], [mute], diagnostics);
    expect(found?.summary).toBe('It possibly was so.');
    expect(diagnostics.list()).toMatchObject([{ code: 'rule-failed', locator: 'c1' }]);
  });

  test('nothing is worded until it is read', () => {
    let told = 0;
    const rule = ruleOf('counted', () => verdict);
    rule.tell = () => {
      told++;
      return { summary: 'It did.', remedy: '' };
    };
    const cases = Array.from({ length: 1000 }, () => ({ lives: [life, null] as Case['lives'] }));
    const { causes } = explain(contextOf(cases), new Diagnostics(), { rules: [rule] });
    // the example of the cause, and some that are asked whether the same is to be done of them
    expect(causes[0]?.connections.length).toBe(1000);
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThan(50);
  });

  test('what is to be done is told of all of a group, that of most first', () => {
    let told = 0;
    const rule = ruleOf('counted', () => verdict);
    rule.tell = () => ({ summary: 'It did.', remedy: told++ % 3 === 0 ? 'Wait.' : 'Ask.' });
    const cases = Array.from({ length: 9 }, () => ({ lives: [life, null] as Case['lives'] }));
    const { causes } = explain(contextOf(cases), new Diagnostics(), { rules: [rule] });
    expect(causes[0]!.remedy).toBe('Ask. For others: Wait.');
  });

  test('a rule is asked only about connections that show what it needs', () => {
    const rule = ruleOf('drops-only', () => verdict, DROPS);
    expect(findingsOf([{ lives: [life, null] }], [rule])).toEqual([]);
  });

  test('several drafts become several findings', () => {
    const rule = ruleOf('twice', () => [verdict, { ...verdict, side: 'server' }]);
    const findings = findingsOf([{ lives: [life, null] }], [rule]);
    expect(findings.map((f) => [f.side, f.role])).toEqual([
      ['client', 'verdict'],
      ['server', 'note'],
    ]);
  });

  test('no case: a story that says so', () => {
    const { story, kept } = explain(contextOf([]), new Diagnostics());
    expect(kept).toHaveLength(0);
    expect(story).toEqual(['No TCP connection was found in these files.']);
  });

  test('an ordinary connection is told without reading its packets again', () => {
    const wire = ordinaryWire();
    const { verdicts, causes } = explain(contextOf([{ wires: [wire] }]), new Diagnostics());
    expect(verdicts.tell(0)).toEqual([]);
    expect(verdicts.of(0)).toMatchObject({ close: 'graceful-close' });
    expect(verdicts.normal(0)).toBe('proved');
    expect(causes).toMatchObject([{ rule: 'graceful-close', unlisted: { connections: 1 } }]);
  });

  test('a wire that calls the client the server is turned round', () => {
    const turned = { ...ordinaryWire(), client: server, server: client };
    const wire = Object.defineProperty(turned, 'keyPackets', { value: [] });
    const { verdicts } = explain(contextOf([{ wires: [wire] }]), new Diagnostics());
    expect(verdicts.words(0)[0]).toMatchObject({ rule: 'graceful-close', side: 'server' });
  });
});

/** Opened and closed; reading its packets is an error. */
function ordinaryWire(): WireConnection {
  const wire = {
    source: 0,
    client,
    server,
    startFrame: 1,
    start: 0,
    end: 9,
    syns: [1, 0],
    synAcks: [0, 1],
    bytes: [0, 0],
    isn: [0, 0],
    acked: [2, 2],
    retransmits: [0, 0],
    repeats: [null, null],
    stack: ['unknown', 'unknown'],
    rsts: [0, 0],
    fins: [1, 1],
    firstFin: 0,
    finTime: [5, 7],
    finAckedTime: [6, 8],
  } as unknown as WireConnection;
  return Object.defineProperty(wire, 'keyPackets', {
    get: () => {
      throw new Error('the packets of an ordinary connection were read');
    },
  });
}

function finding(
  rule: string,
  confidence: Finding['confidence'] = 'inferred',
  side: Finding['side'] = 'client',
) {
  const { group } = ruleById(rule)!;
  return { rule, group, confidence, side, role: 'note', alternatives: [] } as unknown as Finding;
}

describe('roles', () => {
  test('the step before is a stage, what came of it the verdict', () => {
    const ack = finding('accept-queue-overflow-ack', 'inferred', 'server');
    const expired = finding('request-expired-reset', 'inferred', 'server');
    assignRoles([ack, expired]);
    expect([ack.role, expired.role]).toEqual(['stage', 'verdict']);
    assignRoles([ack]);
    expect(ack.role).toBe('verdict');
  });

  test('of several of one group and side the first of the list is the verdict', () => {
    const both = [finding('close-wait-leak', 'possible'), finding('close-wait-unaccepted', 'possible')];
    assignRoles(both);
    expect(both.map((f) => f.role)).toEqual(['note', 'verdict']);
  });

  test('what is only possible yields to what is more', () => {
    const both = [finding('close-wait-unaccepted', 'possible'), finding('close-wait-leak', 'inferred')];
    assignRoles(both);
    expect(both.map((f) => f.role)).toEqual(['note', 'verdict']);
  });

  test('one connection has one verdict a group, whichever side it speaks of', () => {
    const both = [finding('half-close'), finding('half-close', 'inferred', 'server')];
    assignRoles(both);
    expect(both.map((f) => f.role)).toEqual(['verdict', 'note']);
  });

  test('of two that contradict each other the surer is told, and names the other', () => {
    const reset = finding('unread-data-reset', 'possible');
    const orderly = finding('graceful-close', 'inferred');
    expect(assignRoles([reset, orderly])).toEqual([orderly]);
    expect(orderly.alternatives).toEqual(['unread-data-reset']);
    const waited = finding('fin-wait2-expired', 'possible');
    expect(assignRoles([waited, finding('graceful-close', 'proved')]).map((f) => f.rule)).toEqual([
      'graceful-close',
    ]);
    const [client, server] = [
      finding('fin-with-ack'),
      finding('fin-wait2-in-minisock', 'inferred', 'server'),
    ];
    expect(assignRoles([client, server])).toEqual([client, server]);
  });

  test('a note stays a note', () => {
    const note = finding('delayed-ack-of-fin');
    assignRoles([note]);
    expect(note.role).toBe('note');
  });
});

describe('verdicts of a connection', () => {
  test('a cause of the syn group that names a reset fills close_rule', () => {
    const findings = [
      finding('cookie-overflow-reset', 'inferred', 'server'),
      finding('fin-wait1-aborted', 'proved'),
    ];
    assignRoles(findings);
    expect(verdictsOf(findings)).toEqual({
      close: 'cookie-overflow-reset',
      syn: 'cookie-overflow-reset',
      'fin-wait2': 'fin-wait1-aborted',
      stuck: '',
    });
  });

  test('a cause of the syn group that names none does not', () => {
    const findings = [finding('syn-cookie-handshake'), finding('graceful-close', 'proved')];
    assignRoles(findings);
    expect(verdictsOf(findings)).toMatchObject({ close: 'graceful-close', syn: 'syn-cookie-handshake' });
  });

  test('nothing found, nothing named', () => {
    expect(verdictsOf([])).toEqual({ close: '', syn: '', 'fin-wait2': '', stuck: '' });
  });
});
