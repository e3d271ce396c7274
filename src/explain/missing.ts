/** What would settle a question that the evidence leaves open, and how to record it. */
import type { Missing } from '../model/finding.ts';
import type { Facts } from './facts/facts.ts';

/** The kernel's own word on a RST. */
export function resetReason(sideName: string): Missing {
  return {
    what: `Why the kernel of the ${sideName} sent the RST`,
    how:
      `\`tcpautopsy capture\` on the ${sideName}: its tracepoint tier records tcp_send_reset.reason (kernel 6.10 and later ` +
      'for answers to packets, 6.12 and later for the others)',
  };
}

/** What close() found: unread bytes, SO_LINGER. */
export function closeCall(sideName: string): Missing {
  return {
    what: `Whether unread data or SO_LINGER was there when the ${sideName} closed`,
    how:
      `\`tcpautopsy capture\` on the ${sideName}: its tracepoint tier reads rcv_nxt - copied_seq and the linger time at the ` +
      'state change; `nstat TcpExtTCPAbortOnClose TcpExtTCPAbortOnData` before and after tells as well',
  };
}

export function stateEvents(sideName: string): Missing {
  return {
    what: `What the socket of the ${sideName} went through`,
    how: `\`tcpautopsy capture\` on the ${sideName} (tracepoint tier), or bcc tcpstates`,
  };
}

export function packets(sideName: string): Missing {
  return {
    what: 'The packets themselves: what was sent, when, and in answer to what',
    how: `\`tcpautopsy capture\` on the ${sideName} keeps the headers of every packet; so does tcpdump -s 128`,
  };
}

/** What only the peer's capture shows; nothing when there are captures of both sides already. */
export function packetsOfPeer(f: Facts, where = 'other side'): Missing[] {
  const all = f.world.capturesOf(f.case);
  const beside = f.wire ? f.world.capturesBeside(f.case, f.wire.wire.source) : all.slice(1);
  if (beside.length > 0) return [];
  if (!f.wire) return [packets(where)];
  return [
    { ...packets(where), what: 'Which of these packets reached the other side, and what it sent itself' },
  ];
}

export const LISTENER: Missing = {
  what: 'How full the accept queue was when this connection came, and which SYNs and ACKs it refused',
  how:
    '`tcpautopsy capture` on the server: its function tier records tcp_conn_request and tcp_v4_syn_recv_sock with the ' +
    "listener's backlog; its counters and socket tables are taken every second",
};

export const DROPS: Missing = {
  what: 'Which packet was dropped, where and for what reason',
  how:
    '`tcpautopsy capture` on the server: its tracepoint tier records skb:kfree_skb with the reason (kernel 5.17 and later) ' +
    'or the place; `retis collect -c skb-drop` and pwru do too',
};

export const MINISOCK: Missing = {
  what: 'Whether and for how long a timewait minisock stood for the connection',
  how:
    '`tcpautopsy capture` on the side that closed first: its function tier records tcp_time_wait, inet_twsk_alloc and ' +
    'inet_twsk_kill; `ss -tano` at the right moment shows it as FIN-WAIT-2 with timer:(timewait,…)',
};
