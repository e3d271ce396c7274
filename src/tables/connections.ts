import { stackOf } from '../align/stacks.ts';
import type { Endpoint } from '../model/address.ts';
import { CLIENT, finWait2Kernel, finWait2Wire, SERVER } from '../model/connection.ts';
import { displayAddress } from '../model/hostnames.ts';
import type { ClockLabel } from '../model/time.ts';
import { columnsOf, derivedColumns, type Fields, type RowOf, rowOf, type Table, timeText } from './column.ts';
import { type ConnectionFacts, kernelResetReason, seconds } from './connection-facts.ts';

const timeCell = (time: string, { clock }: { clock: ClockLabel }) => timeText(time, clock);

const fields = {
  id: { name: 'connection_id', doc: '`c1`, `c2`, …: the key that the other files use', of: (f) => f.of.id },
  host: { name: 'host', doc: 'hosts whose files show it, space separated', of: (f) => f.host },
  netns: {
    name: 'netns',
    doc: 'network namespace (inode number), where the kernel named it',
    of: (f) => f.of.netns[SERVER] ?? f.of.netns[CLIENT] ?? '',
  },
  client: {
    of: (f) => f.of.client,
    columns: [
      {
        name: 'client_ip',
        doc: 'who sent the SYN; else the end that is not the listener; else the first seen',
        cell: ({ address }: Endpoint) => displayAddress(address),
      },
      { name: 'client_port', doc: 'its port', cell: ({ port }: Endpoint) => port },
    ],
  },
  server: {
    of: (f) => f.of.server,
    columns: [
      { name: 'server_ip', doc: 'the other end', cell: ({ address }: Endpoint) => displayAddress(address) },
      { name: 'server_port', doc: 'its port', cell: ({ port }: Endpoint) => port },
    ],
  },
  startTime: {
    of: (f) => f.startTime,
    columns: [
      {
        name: 'start_time',
        doc: 'first sign of it, as `clock` says: RFC 3339 (`utc`), time of day (`wall`), duration of ISO 8601 since the first event (`relative`)',
        cell: timeCell,
      },
    ],
  },
  startEpochNs: {
    name: 'start_epoch_ns',
    doc: 'the same as a number: nanoseconds since 1970; empty without UTC',
    unit: 'ns',
    of: (f) => f.startEpochNs,
  },
  endTime: { of: (f) => f.endTime, columns: [{ name: 'end_time', doc: 'last sign of it', cell: timeCell }] },
  clock: {
    name: 'clock',
    doc: '`utc`; `wall`: local time of day; `relative`: since the first event; `order`: no times',
    of: (f) => f.clock,
  },
  durationS: {
    name: 'duration_s',
    doc: 'from the first to the last sign of it',
    unit: 's',
    of: (f) => f.durationS,
  },
  handshakeS: {
    name: 'handshake_s',
    doc: 'from the first SYN to the third segment, or to ESTABLISHED of the client where no packets show it',
    unit: 's',
    of: (f) => f.handshakeS,
  },
  closeKind: {
    name: 'close_kind',
    doc: "`fin`: both sides' FIN; `rst`: a RST ended it, before or after FINs; `timeout`: given up in silence; `refused`; `unanswered`: nothing came after its SYN, or after the SYN-ACK; `open`: still open at the end of the evidence; `unknown`",
    of: (f) => f.ending.closeKind,
  },
  closedBy: {
    name: 'closed_by',
    doc: '`client`, `server`, `both`, `none`: who ended it first, by FIN, RST or giving up',
    of: (f) => f.ending.closedBy,
  },
  firstFinBy: {
    name: 'first_fin_by',
    doc: '`client`, `server`, or empty without a FIN',
    of: (f) => f.ending.firstFinBy,
  },
  resetBy: {
    name: 'reset_by',
    doc: '`client`, `server`, `middle` (something on the path), or empty without a RST',
    of: (f) => f.ending.resetBy,
  },
  kernelResetReason: {
    name: 'kernel_reset_reason',
    doc: "the kernel's own name for why it sent a RST (`sk_rst_reason`), where a capture has it",
    of: (f) => kernelResetReason(f.of),
  },
  closeRule: {
    name: 'close_rule',
    doc: 'why it ended so: rule id of the verdict, or empty',
    of: (f) => f.verdicts.close,
  },
  closeConfidence: {
    name: 'close_confidence',
    doc: '`proved`, `inferred` or `possible`: how sure `close_rule` is; empty without one',
    of: (f) => f.closeConfidence,
  },
  synRule: {
    name: 'syn_rule',
    doc: 'what happened to its handshake: rule id, or empty',
    of: (f) => f.verdicts.syn,
  },
  finWait2Rule: {
    name: 'fin_wait2_rule',
    doc: 'what became of FIN_WAIT2: rule id, or empty',
    of: (f) => f.verdicts['fin-wait2'],
  },
  stuckRule: {
    name: 'stuck_rule',
    doc: 'why it lingers in a closing state: rule id, or empty',
    of: (f) => f.verdicts.stuck,
  },
  connState: {
    name: 'conn_state',
    doc: "Zeek's label (`SF`, `S0`, `REJ`, `RSTO`, …), without Zeek's timers unless `--zeek-timers`",
    of: (f) => f.wire?.connState ?? '',
  },
  history: {
    name: 'history',
    doc: "Zeek's history letters, upper case for the client",
    of: (f) => f.wire?.history ?? '',
  },
  completeness: {
    name: 'completeness',
    doc: "Wireshark's `tcp.completeness`: 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST, added",
    of: (f) => f.wire?.completeness ?? null,
  },
  clientPackets: {
    name: 'client_packets',
    doc: 'segments sent by the client, each counted once however many interfaces show it',
    unit: 'packets',
    of: (f) => f.packets[CLIENT],
  },
  serverPackets: {
    name: 'server_packets',
    doc: 'segments sent by the server',
    unit: 'packets',
    of: (f) => f.packets[SERVER],
  },
  clientBytes: {
    name: 'client_bytes',
    doc: 'payload sent by the client, without retransmissions',
    unit: 'bytes',
    of: (f) => f.bytes[CLIENT],
  },
  serverBytes: {
    name: 'server_bytes',
    doc: 'payload sent by the server, without retransmissions',
    unit: 'bytes',
    of: (f) => f.bytes[SERVER],
  },
  clientSyns: {
    name: 'client_syns',
    doc: 'SYNs sent by the client, retries included',
    unit: 'packets',
    of: (f) => f.wire?.syns[CLIENT] ?? null,
  },
  serverSynAcks: {
    name: 'server_syn_acks',
    doc: 'SYN-ACKs sent by the server, retries included',
    unit: 'packets',
    of: (f) => f.wire?.synAcks[SERVER] ?? null,
  },
  clientRetransmits: {
    name: 'client_retransmits',
    doc: 'segments the client sent again',
    unit: 'packets',
    of: (f) => f.retransmits[CLIENT],
  },
  serverRetransmits: {
    name: 'server_retransmits',
    doc: 'segments the server sent again',
    unit: 'packets',
    of: (f) => f.retransmits[SERVER],
  },
  finWait2WireS: {
    name: 'fin_wait2_wire_s',
    doc: "FIN_WAIT2 as the protocol has it: from the ACK of the first FIN to the other side's FIN",
    unit: 's',
    of: (f) => seconds(f.wire ? finWait2Wire(f.wire) : null),
  },
  finWait2KernelS: {
    name: 'fin_wait2_kernel_s',
    doc: 'FIN_WAIT2 as the full socket had it; microseconds when a timewait socket took over',
    unit: 's',
    of: (f) => seconds(finWait2Kernel(f.of.lives)),
  },
  clientPid: {
    name: 'client_pid',
    doc: 'process id of the client, where an event in its own context, a socket table or a comment of a packet (ptcpdump) names it',
    of: (f) => f.client?.pid ?? null,
  },
  clientComm: { name: 'client_comm', doc: 'name of that process', of: (f) => f.client?.comm ?? '' },
  clientContainer: {
    name: 'client_container',
    doc: "container of the client's socket: its name where --names, the bundle or a comment of a packet gives it, else the first 12 digits of its id, from the cgroup of whoever made the socket",
    of: (f) => f.clientPlace?.container ?? f.client?.container ?? '',
  },
  clientPod: {
    name: 'client_pod',
    doc: 'Kubernetes pod of that container: namespace/name where it is named, else its uid',
    of: (f) => f.clientPlace?.pod ?? f.client?.pod ?? '',
  },
  serverPid: {
    name: 'server_pid',
    doc: 'process id of the server, likewise',
    of: (f) => f.server?.pid ?? null,
  },
  serverComm: { name: 'server_comm', doc: 'name of that process', of: (f) => f.server?.comm ?? '' },
  serverContainer: {
    name: 'server_container',
    doc: 'container of the server, likewise',
    of: (f) => f.serverPlace?.container ?? f.server?.container ?? '',
  },
  serverPod: { name: 'server_pod', doc: 'its pod', of: (f) => f.serverPlace?.pod ?? f.server?.pod ?? '' },
  clientStack: {
    name: 'client_stack',
    doc: "whose TCP the client's is, by the kernel's own files, else by its SYN (order of options, TTL, window): `linux`, `not linux`, `unknown`",
    of: (f) => stackOf(f.of, CLIENT, f.context),
  },
  serverStack: {
    name: 'server_stack',
    doc: "whose the server's is, likewise",
    of: (f) => stackOf(f.of, SERVER, f.context),
  },
  encapsulation: {
    name: 'encapsulation',
    doc: 'headers around its IP packets (`vlan 5`, `vxlan`), outermost first',
    of: (f) => f.wire?.encapsulation ?? '',
  },
  sources: {
    of: (f) => f.sources.map((id) => f.context.sources[id]!.name),
    columns: [
      {
        name: 'sources',
        doc: 'inputs that show it, separated by `; `',
        cell: (names: string[]) => names.join('; '),
      },
    ],
  },
} satisfies Fields<ConnectionFacts>;

/** A row of connections.csv, whose columns say what its fields are (docs/columns.md); null is an empty cell. */
export type ConnectionRow = RowOf<typeof fields>;

export const connectionsTable: Table<ConnectionRow> = {
  file: 'connections.csv',
  doc: 'A row a connection, in the order of first sight. Columns about packets are empty, not 0, where no packets were given.',
  columns: columnsOf(fields),
};

/** The same columns, of connections whose rows are only written. */
export const connectionCells = derivedColumns(fields);

export function connectionRow(facts: ConnectionFacts): ConnectionRow {
  return rowOf(fields, facts);
}
