/** A Result made by hand after experiment 1 of seed document 002, for tests of outputs alone. */
import type { Confidence, Evidence, Finding, Group, Role, Severity } from '../../src/model/finding.ts';
import type { Incident, IncidentCause } from '../../src/model/incident.ts';
import type { CauseGroup } from '../../src/model/result.ts';
import type { ConnectionRow } from '../../src/tables/connections.ts';
import type { Result, TimelineItem, TimelineKind } from '../../src/tables/result.ts';

const CLIENT = '172.16.58.147';
const SERVER = { address: '172.16.58.146', port: 8080 };
const STATES = 'exp1/client-tcpstates.txt';
const SERVER_STATES = 'exp1/server-tcpstates.txt';
const HELD = [43752, 43758, 43762, 43768, 43774, 43794];
const ABORTED = [43782, 43796, 43798, 43800];
const WALL = 7 * 3600e9 + 12 * 60e9 + 27.783229e9;

export function connectionRow(id: string, port: number, change: Partial<ConnectionRow> = {}): ConnectionRow {
  return {
    id,
    host: 'client-host server-host',
    netns: '',
    client: { address: CLIENT, port },
    server: SERVER,
    startTime: '06:56:27.774512000',
    endTime: '07:12:27.783229000',
    clock: 'wall',
    startEpochNs: '',
    durationS: 960.008717,
    handshakeS: 0.00052,
    closeKind: 'rst',
    closedBy: 'client',
    firstFinBy: 'client',
    resetBy: 'server',
    kernelResetReason: '',
    closeRule: 'listener-closed-reset',
    closeConfidence: 'inferred',
    synRule: '',
    finWait2Rule: 'fin-wait2-in-minisock',
    stuckRule: 'close-wait-unaccepted',
    connState: 'OTH',
    history: 'r',
    completeness: 32,
    clientPackets: null,
    serverPackets: null,
    clientBytes: null,
    serverBytes: null,
    clientSyns: null,
    serverSynAcks: null,
    clientRetransmits: null,
    serverRetransmits: null,
    finWait2WireS: null,
    finWait2KernelS: 0.000001,
    clientPid: 6099,
    clientComm: 'client',
    clientContainer: '',
    clientPod: '',
    serverPid: null,
    serverComm: '',
    serverContainer: '',
    serverPod: '',
    clientStack: 'linux',
    serverStack: 'linux',
    encapsulation: '',
    sources: [STATES, SERVER_STATES],
    ...change,
  };
}

const leaf = (rule: string, title: string, connections: number): IncidentCause => ({
  rule,
  title,
  severity: 'error',
  connections,
  confidences: { inferred: connections },
  children: [],
});

const INCIDENT: Incident = {
  headline:
    'server (pid 5348) on 172.16.58.146:8080 did not accept connections as fast as they came; its full accept queue most likely dropped the final ACK of 4 handshakes.',
  severity: 'error',
  confidence: 'inferred',
  cause: {
    ...leaf('', 'accept() not called fast enough: accept queue full', 0),
    confidences: {},
    children: [
      leaf('close-wait-unaccepted', 'CLOSE_WAIT in the accept queue: nobody called accept()', 6),
      leaf('cookie-overflow-reset', 'Accept queue full when the SYN cookie came back', 3),
    ],
  },
  who: ['server (pid 5348) on 172.16.58.146:8080, host server-host'],
  since: '06:56:27.816000000',
  until: '07:12:27.783229000',
  clock: 'wall',
  lasted: 959.967229,
  ...{ connections: 10, of: 10, clients: 1, ofClients: 1, servers: 1 },
  action: 'Find out why server (pid 5348) does not call accept() fast enough.',
  picture: {
    ...{ from: '06:56:20.000000000', to: '07:12:40.000000000', clock: 'wall', step: 20 },
    causes: [
      { rule: 'close-wait-unaccepted', label: 'CLOSE_WAIT', counts: [6, ...new Array(48).fill(0)] },
      { rule: 'cookie-overflow-reset', label: 'SYN cookie', counts: [...new Array(48).fill(0), 3] },
    ],
    queue: { limit: 5, held: [6, 6, 5, ...new Array(46).fill(null)] },
  },
  example: 'c1',
};

interface Cause {
  rule: string;
  title: string;
  group: Group;
  severity: Severity;
  confidence: Confidence;
  role: Role;
  side: Finding['side'];
  ids: string[];
  summary: string;
  remedy: string;
  fact: string;
  alternatives?: string[];
  missing?: Finding['missing'];
}

const held = HELD.map((_, i) => `c${i + 1}`);
const aborted = ABORTED.map((_, i) => `c${i + 7}`);

export const CAUSES: Cause[] = [
  {
    rule: 'listener-closed-reset',
    title: 'Listener closed: connections nobody accepted were reset',
    group: 'close',
    severity: 'error',
    confidence: 'proved',
    role: 'verdict',
    side: 'server',
    ids: held,
    summary:
      'The server closed its listening socket on port 8080 while six connections still waited to be accepted; the kernel reset each of them within 60 µs.',
    remedy: 'Stop new traffic first, accept until EAGAIN, then close the listener.',
    fact: 'LISTEN -> CLOSE, then CLOSE_WAIT -> CLOSE on the same process',
  },
  {
    rule: 'close-wait-unaccepted',
    title: 'CLOSE_WAIT without an owner: still in the accept queue',
    group: 'stuck',
    severity: 'warning',
    confidence: 'proved',
    role: 'verdict',
    side: 'server',
    ids: held,
    summary:
      'The client closed, and nobody on the server could answer: no process had accepted the connection.',
    remedy: 'Make the server accept; its accept loop is blocked or missing.',
    fact: 'CLOSE_WAIT, Recv-Q 11, no owning process although the table was read as root',
  },
  {
    rule: 'fin-wait2-in-minisock',
    title: 'FIN_WAIT2 lived in a timewait minisock',
    group: 'fin-wait2',
    severity: 'info',
    confidence: 'proved',
    role: 'verdict',
    side: 'client',
    ids: held,
    summary:
      'The full socket left FIN_WAIT2 after 1 to 4 µs, yet netstat showed FIN_WAIT2 far longer: a minisock held it.',
    remedy: 'Nothing: this is how Linux keeps an orphan in FIN_WAIT2.',
    fact: 'FIN_WAIT2 -> CLOSE after 1 µs in the full socket',
  },
  {
    rule: 'fin-wait1-aborted',
    title: 'Closed in FIN_WAIT1',
    group: 'fin-wait2',
    severity: 'warning',
    confidence: 'inferred',
    role: 'verdict',
    side: 'client',
    ids: aborted,
    summary: 'The client had sent its FIN and was reset before the FIN was acknowledged.',
    remedy: 'Raise the backlog of listen(), or make the server accept.',
    fact: 'FIN_WAIT1 -> CLOSE',
  },
  {
    rule: 'cookie-overflow-reset',
    title: 'Accept queue full when the SYN cookie came back',
    group: 'syn',
    severity: 'error',
    confidence: 'inferred',
    role: 'verdict',
    side: 'server',
    ids: aborted.slice(1),
    summary:
      'The handshake used a SYN cookie and the accept queue was full: the next segment failed the cookie.',
    remedy: 'Raise the backlog of listen(), or make the server accept.',
    fact: 'FIN_WAIT1 -> CLOSE 0.2 ms after the FIN',
    alternatives: ['abort-on-overflow-reset', 'no-socket-reset'],
    missing: [
      {
        what: 'the RST itself: it is in no transcript',
        probe: '',
        host: '172.16.58.147',
        port: 8080,
        command: 'tcpautopsy-capture -o capture-8080 --port 8080',
      },
    ],
  },
  {
    rule: 'request-expired-reset',
    title: 'Request expired: the client was never really connected',
    group: 'syn',
    severity: 'error',
    confidence: 'inferred',
    role: 'verdict',
    side: 'server',
    ids: aborted.slice(0, 1),
    summary: 'The third ACK was dropped at the full accept queue; 12.9 s later the request was gone.',
    remedy: 'Raise the backlog of listen(), or make the server accept.',
    fact: 'a SYN|ACK arrived again in FIN_WAIT1',
    alternatives: ['middlebox-reset'],
  },
];

export function finding(c: Cause, id: string, rows: readonly ConnectionRow[]): Finding {
  const row = rows.find((r) => r.id === id)!;
  const evidence: Evidence[] = [
    { source: 1, at: `line ${20 + (row.client.port % 20)}`, time: '', fact: c.fact },
    { source: null, at: '', time: '', fact: 'both lie within one second of each other' },
  ];
  return {
    connection: id,
    rule: c.rule,
    group: c.group,
    role: c.role,
    confidence: c.confidence,
    severity: c.severity,
    side: c.side,
    client: row.client,
    server: row.server,
    time: row.clock === 'wall' ? '07:12:27.783229000' : '',
    clock: row.clock,
    summary: c.summary,
    remedy: c.remedy,
    evidence,
    missing: c.missing ?? [],
    alternatives: c.alternatives ?? [],
  };
}

type Step = [at: number | null, kind: TimelineKind, side: TimelineItem['side'], from: string, to: string];

function items(
  id: string,
  steps: readonly Step[],
  source: (side: string) => string,
): Omit<TimelineItem, 'number'>[] {
  return steps.map(([at, kind, side, stateBefore, stateAfter], i) => ({
    at: held.includes(id) && at !== null ? WALL - 960.008e9 + at : null,
    elapsed: at,
    time: held.includes(id) && at !== null ? '06:56:27.774512000' : '',
    clock: held.includes(id) && at !== null ? 'wall' : 'order',
    timeSource: source(side),
    connection: id,
    kind,
    side,
    what:
      kind === 'state'
        ? `${stateBefore} -> ${stateAfter}`
        : kind === 'packet'
          ? 'RST|ACK, seq 3446801307, ack 2969925217, win 509'
          : `socket table: ${stateAfter}, Recv-Q 11, Send-Q 0, no owning process`,
    segment:
      kind === 'packet'
        ? { flags: 'RST|ACK', seq: 3446801307, ack: 2969925217, window: 509, length: 0 }
        : null,
    reason: '',
    stateBefore,
    stateAfter,
    pid: kind === 'state' ? 6099 : null,
    comm: kind === 'state' ? 'client' : '',
    source: source(side),
    locator: `line ${i + 3}`,
  }));
}

function timeline(rows: readonly ConnectionRow[]): TimelineItem[] {
  const source = (side: string) => (side === 'client' ? STATES : SERVER_STATES);
  const all = rows.flatMap((row) => {
    const long: Step[] = [
      [0, 'state', 'client', 'CLOSE', 'SYN_SENT'],
      [0.52e6, 'state', 'client', 'SYN_SENT', 'ESTABLISHED'],
      [0.5e6, 'state', 'server', 'LISTEN', 'SYN_RECV'],
      [0.51e6, 'state', 'server', 'SYN_RECV', 'ESTABLISHED'],
      [1.4e6, 'state', 'client', 'ESTABLISHED', 'FIN_WAIT1'],
      [1.41e6, 'state', 'server', 'ESTABLISHED', 'CLOSE_WAIT'],
      [42.3e6, 'state', 'client', 'FIN_WAIT1', 'FIN_WAIT2'],
      [42.301e6, 'state', 'client', 'FIN_WAIT2', 'CLOSE'],
      [null, 'socket', 'client', '', 'FIN_WAIT2'],
      [null, 'socket', 'server', '', 'CLOSE_WAIT'],
      [960.0084e9, 'state', 'server', 'CLOSE_WAIT', 'CLOSE'],
      [960.008e9, 'packet', 'server', '', ''],
    ];
    const short: Step[] = [
      [0, 'state', 'client', 'CLOSE', 'SYN_SENT'],
      [0.54e6, 'state', 'client', 'SYN_SENT', 'ESTABLISHED'],
      [0.7e6, 'state', 'client', 'ESTABLISHED', 'FIN_WAIT1'],
      [row.id === 'c7' ? 12916.9e6 : 0.9e6, 'state', 'client', 'FIN_WAIT1', 'CLOSE'],
    ];
    return items(row.id, held.includes(row.id) ? long : short, source);
  });
  const around = {
    ...all[0]!,
    connection: '',
    side: '' as const,
    kind: 'listener' as const,
    elapsed: null,
    pid: 5348,
    comm: 'server',
  };
  all.push(
    {
      ...around,
      at: null,
      time: '',
      clock: 'order',
      what: 'listener 0.0.0.0:8080: 6 in the accept queue',
      measures: { acceptQueue: 6 },
      source: 'exp1/server-netstat.txt',
    },
    {
      ...around,
      at: WALL - 100_000,
      what: 'listener 0.0.0.0:8080: LISTEN -> CLOSE',
      stateBefore: 'LISTEN',
      stateAfter: 'CLOSE',
      source: SERVER_STATES,
    },
    {
      ...around,
      at: null,
      time: '',
      clock: 'order',
      kind: 'counter',
      what: 'ListenOverflows 17, ListenDrops 17',
      measures: { ListenOverflows: 17, ListenDrops: 17 },
      source: 'exp1/server-netstat-s.txt',
    },
  );
  return all.map((item, i) => ({ ...item, number: i + 1 }));
}

export function exp1Result(): Result {
  const rows = [
    ...HELD.map((port, i) => connectionRow(held[i]!, port)),
    ...ABORTED.map((port, i) =>
      connectionRow(aborted[i]!, port, {
        clock: 'order',
        startTime: '',
        endTime: '',
        durationS: i === 0 ? 12.9168 : 0.0009,
        closeRule: i === 0 ? 'request-expired-reset' : 'cookie-overflow-reset',
        synRule: i === 0 ? 'request-expired-reset' : 'cookie-overflow-reset',
        finWait2Rule: 'fin-wait1-aborted',
        stuckRule: '',
        finWait2KernelS: null,
        connState: '',
        history: '',
        completeness: null,
        sources: [STATES],
      }),
    ),
  ];
  const causes: CauseGroup[] = CAUSES.map((c) => ({
    rule: c.rule,
    title: c.title,
    group: c.group,
    severity: c.severity,
    confidence: c.confidence,
    connections: c.ids,
    summary: c.summary,
    remedy: c.remedy,
  }));
  return {
    tool: { name: 'tcpautopsy', version: '0.1.0' },
    command: 'tcpautopsy analyze exp1 -o report',
    story: [
      'Ten clients on 172.16.58.147 connected to 172.16.58.146:8080 within a millisecond, and nobody on the server accepted any of them.',
      'Six fitted into the accept queue; when their clients closed, they stayed in CLOSE_WAIT for 16 minutes and were reset when the server closed its listener at 07:12:27.',
      'Four did not fit: three were reset at once, one after 12.9 s, although all four clients believed that they were connected.',
    ],
    incidents: [INCIDENT],
    servers: [{ server: '172.16.58.146:8080', connections: 10, clients: 1, hurt: 10, well: 0, unserved: 0 }],
    activity: {
      ...{ from: '06:56:20.000000000', to: '07:12:40.000000000', clock: 'wall', step: 20 },
      causes: [
        { rule: 'close-wait-unaccepted', label: 'CLOSE_WAIT', counts: [6, 2, ...new Array(47).fill(0)] },
        { rule: 'cookie-overflow-reset', label: 'SYN cookie', counts: [...new Array(48).fill(0), 3] },
      ],
      servers: ['172.16.58.146:8080', '172.16.58.146:8081', '[2001:db8::1]:80'].map((label) => ({
        label,
        counts: [2, 1, ...new Array(46).fill(0), 1],
      })),
    },
    durations: {
      handshake: {
        bins: [
          { seconds: 1e-4, connections: 4 },
          { seconds: 1e-3, connections: 6 },
        ],
        ...{ shortest: 1.1e-4, longest: 9e-4 },
      },
      lasted: null,
    },
    inputs: (
      [
        { name: STATES, format: 'tcpstates', host: 'client-host', clock: 'order only', records: 45 },
        { name: SERVER_STATES, format: 'tcpstates', host: 'server-host', clock: 'order only', records: 27 },
        {
          name: 'exp1/server-netstat.txt',
          format: 'netstat',
          host: 'server-host',
          clock: 'order only',
          records: 7,
        },
        {
          name: 'exp1/server-tcpdump.txt',
          format: 'tcpdump',
          host: 'server-host',
          clock: 'local time of day',
          records: 6,
        },
      ] as const
    ).map((i) => ({
      ...i,
      clockLabel: i.format === 'tcpdump' ? 'wall' : 'order',
      unit: 'lines',
      first: '',
      last: '',
    })),
    hosts: [
      { name: 'client-host', addresses: [CLIENT] },
      { name: 'server-host', addresses: [SERVER.address] },
    ],
    causes,
    rules: causes.map(({ rule, title, remedy }) => ({ rule, title, remedy, reference: 'net/ipv4/tcp.c' })),
    findings: CAUSES.flatMap((c) => c.ids.map((id) => finding(c, id, rows))),
    connections: rows,
    timeline: timeline(rows),
    clocks: [
      {
        source: SERVER_STATES,
        reference: 'exp1/server-tcpdump.txt',
        method: 'estimated',
        offset: 26_000_000_000_000,
        drift: 0,
        residual: 42_000,
        worst: 130_000,
        pairs: 6,
        message: '6 of its 6 sockets were placed through the RST that ended each of them.',
      },
    ],
    counters: [
      {
        counter: 'ListenOverflows',
        host: 'server-host',
        source: 'exp1/server-netstat-s.txt',
        from: null,
        to: 17,
        delta: null,
        explained: null,
        text: '17 is a total since boot: one reading has no delta, so it cannot be split among these connections.',
      },
    ],
    settings: [{ name: 'net.core.somaxconn', value: '128', meaning: 'no accept queue is longer than 128' }],
    answers: [
      {
        question:
          'Why does tcpstates show FIN_WAIT2 for microseconds while netstat shows it for up to a minute?',
        answer:
          'tcpstates sees the full socket only; tcp_time_wait() hands the rest to a minisock that netstat lists.',
      },
    ],
    diagnostics: [
      {
        code: 'state-line-missing',
        severity: 'data-loss',
        source: STATES,
        locator: 'line 25',
        count: 1,
        message: 'SYN_SENT -> ESTABLISHED of port 43798 is not in the log: the tracer lost it.',
        upstream: true,
      },
    ],
  };
}
