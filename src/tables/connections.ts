import type { ConnectionRow } from '../model/result.ts';
import { type Table, timeText } from './column.ts';

export const connectionsTable: Table<ConnectionRow> = {
  file: 'connections.csv',
  doc: 'A row a connection, in the order of first sight. Columns about packets are empty, not 0, where no packets were given.',
  columns: [
    { name: 'connection_id', doc: '`c1`, `c2`, …: the key that the other files use', value: (r) => r.id },
    { name: 'host', doc: 'hosts whose files show it, space separated', value: (r) => r.host },
    {
      name: 'netns',
      doc: 'network namespace (inode number), where the kernel named it',
      value: (r) => r.netns,
    },
    {
      name: 'client_ip',
      doc: 'who sent the SYN; else the end that is not the listener; else the first seen',
      value: (r) => r.client.address,
    },
    { name: 'client_port', doc: 'its port', value: (r) => r.client.port },
    { name: 'server_ip', doc: 'the other end', value: (r) => r.server.address },
    { name: 'server_port', doc: 'its port', value: (r) => r.server.port },
    {
      name: 'start_time',
      doc: 'first sign of it, as `clock` says: RFC 3339 (`utc`), time of day (`wall`), duration of ISO 8601 since the first event (`relative`)',
      value: (r) => timeText(r.startTime, r.clock),
    },
    {
      name: 'start_epoch_ns',
      doc: 'the same as a number: nanoseconds since 1970; empty without UTC',
      unit: 'ns',
      value: (r) => r.startEpochNs,
    },
    { name: 'end_time', doc: 'last sign of it', value: (r) => timeText(r.endTime, r.clock) },
    {
      name: 'clock',
      doc: '`utc`; `wall`: local time of day; `relative`: since the first event; `order`: no times',
      value: (r) => r.clock,
    },
    {
      name: 'duration_s',
      doc: 'from the first to the last sign of it',
      unit: 's',
      value: (r) => r.durationS,
    },
    {
      name: 'handshake_s',
      doc: 'from the first SYN to the third segment, or to ESTABLISHED of the client where no packets show it',
      unit: 's',
      value: (r) => r.handshakeS,
    },
    {
      name: 'close_kind',
      doc: "`fin`: both sides' FIN; `rst`: a RST ended it, before or after FINs; `timeout`: given up in silence; `refused`; `unanswered`; `open`: still open at the end of the evidence; `unknown`",
      value: (r) => r.closeKind,
    },
    {
      name: 'closed_by',
      doc: '`client`, `server`, `both`, `none`: who ended it first, by FIN, RST or giving up',
      value: (r) => r.closedBy,
    },
    {
      name: 'first_fin_by',
      doc: '`client`, `server`, or empty without a FIN',
      value: (r) => r.firstFinBy,
    },
    {
      name: 'reset_by',
      doc: '`client`, `server`, `middle` (something on the path), or empty without a RST',
      value: (r) => r.resetBy,
    },
    {
      name: 'kernel_reset_reason',
      doc: "the kernel's own name for why it sent a RST (`sk_rst_reason`), where a capture has it",
      value: (r) => r.kernelResetReason,
    },
    {
      name: 'close_rule',
      doc: 'why it ended so: rule id of the verdict, or empty',
      value: (r) => r.closeRule,
    },
    {
      name: 'close_confidence',
      doc: '`proved`, `inferred` or `possible`: how sure `close_rule` is; empty without one',
      value: (r) => r.closeConfidence,
    },
    { name: 'syn_rule', doc: 'what happened to its handshake: rule id, or empty', value: (r) => r.synRule },
    {
      name: 'fin_wait2_rule',
      doc: 'what became of FIN_WAIT2: rule id, or empty',
      value: (r) => r.finWait2Rule,
    },
    {
      name: 'stuck_rule',
      doc: 'why it lingers in a closing state: rule id, or empty',
      value: (r) => r.stuckRule,
    },
    {
      name: 'conn_state',
      doc: "Zeek's label (`SF`, `S0`, `REJ`, `RSTO`, …), without Zeek's timers unless `--zeek-timers`",
      value: (r) => r.connState,
    },
    { name: 'history', doc: "Zeek's history letters, upper case for the client", value: (r) => r.history },
    {
      name: 'completeness',
      doc: "Wireshark's `tcp.completeness`: 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST, added",
      value: (r) => r.completeness,
    },
    {
      name: 'client_packets',
      doc: 'segments sent by the client, each counted once however many interfaces show it',
      unit: 'packets',
      value: (r) => r.clientPackets,
    },
    {
      name: 'server_packets',
      doc: 'segments sent by the server',
      unit: 'packets',
      value: (r) => r.serverPackets,
    },
    {
      name: 'client_bytes',
      doc: 'payload sent by the client, without retransmissions',
      unit: 'bytes',
      value: (r) => r.clientBytes,
    },
    {
      name: 'server_bytes',
      doc: 'payload sent by the server, without retransmissions',
      unit: 'bytes',
      value: (r) => r.serverBytes,
    },
    {
      name: 'client_syns',
      doc: 'SYNs sent by the client, retries included',
      unit: 'packets',
      value: (r) => r.clientSyns,
    },
    {
      name: 'server_syn_acks',
      doc: 'SYN-ACKs sent by the server, retries included',
      unit: 'packets',
      value: (r) => r.serverSynAcks,
    },
    {
      name: 'client_retransmits',
      doc: 'segments the client sent again',
      unit: 'packets',
      value: (r) => r.clientRetransmits,
    },
    {
      name: 'server_retransmits',
      doc: 'segments the server sent again',
      unit: 'packets',
      value: (r) => r.serverRetransmits,
    },
    {
      name: 'fin_wait2_wire_s',
      doc: "FIN_WAIT2 as the protocol has it: from the ACK of the first FIN to the other side's FIN",
      unit: 's',
      value: (r) => r.finWait2WireS,
    },
    {
      name: 'fin_wait2_kernel_s',
      doc: 'FIN_WAIT2 as the full socket had it; microseconds when a timewait minisock took over',
      unit: 's',
      value: (r) => r.finWait2KernelS,
    },
    {
      name: 'client_pid',
      doc: 'process id of the client, where an event in its own context, a socket table or a comment of a packet (ptcpdump) names it',
      value: (r) => r.clientPid,
    },
    { name: 'client_comm', doc: 'name of that process', value: (r) => r.clientComm },
    { name: 'server_pid', doc: 'process id of the server, likewise', value: (r) => r.serverPid },
    { name: 'server_comm', doc: 'name of that process', value: (r) => r.serverComm },
    {
      name: 'client_stack',
      doc: "whose TCP the client's is, by the kernel's own files, else by its SYN (order of options, TTL, window): `linux`, `not linux`, `unknown`",
      value: (r) => r.clientStack,
    },
    { name: 'server_stack', doc: "whose the server's is, likewise", value: (r) => r.serverStack },
    {
      name: 'encapsulation',
      doc: 'headers around its IP packets (`vlan 5`, `vxlan`), outermost first',
      value: (r) => r.encapsulation,
    },
    {
      name: 'sources',
      doc: 'inputs that show it, separated by `; `',
      value: (r) => r.sources.join('; '),
    },
  ],
};
