import { capital, count, list } from '../words.ts';
import type { Answerer } from './index.ts';

const RAISED_BY = [
  'accept-queue-overflow-syn',
  'accept-queue-overflow-ack',
  'cookie-overflow-reset',
  'request-expired-reset',
  'syn-queue-full-drop',
];

/** Raised by every cause in which a listener drops packets without a word. */
export const unseenDrops: Answerer = (_world, explained) => {
  const raised = explained.filter((e) => RAISED_BY.includes(e.rule.id));
  if (raised.length === 0) return null;
  const of = (rule: string) => new Set(raised.filter((e) => e.rule.id === rule).map((e) => e.facts)).size;
  const [syns, acks, cookies] = [
    of('accept-queue-overflow-syn'),
    of('accept-queue-overflow-ack'),
    of('cookie-overflow-reset'),
  ];
  const here = [
    syns > 0 ? `the SYNs of ${count(syns, 'connection')}` : '',
    acks > 0 ? `the ACKs and the data of ${count(acks, 'connection')} that were half-open` : '',
    cookies > 0
      ? `the ACKs and the data of ${count(cookies, 'connection')} for which only a SYN cookie stood`
      : '',
  ].filter((text) => text !== '');
  return {
    question: 'Why tcpdrop and perf did not show these drops',
    answer:
      `${here.length > 0 ? `${capital(list(here))}. ` : ''}` +
      'A SYN that meets a full queue is dropped in tcp_conn_request(), which returns 0; its caller then frees the packet with consume_skb(), as it does with every SYN it took. ' +
      'So there is neither a kfree_skb event nor a drop reason, and tcpdrop, dropwatch and perf show nothing. ' +
      'The third ACK at a full accept queue is dropped in tcp_v4_rcv: up to 5.17 not through tcp_drop(), which is what tcpdrop watches there, and later through kfree_skb, but for the listener. ' +
      'tcpdrop leaves out packets without a connected socket, so it can never show a drop by a listener. ' +
      'Only the counters ListenOverflows and ListenDrops count them all, without saying whose they were; probes on tcp_conn_request and tcp_v4_syn_recv_sock show each one.',
  };
};
