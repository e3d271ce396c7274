import type { LogEvent } from '../../model/event.ts';
import type { World } from '../facts/world.ts';
import { count } from '../words.ts';
import type { Answerer } from './index.ts';

/** What each line means, whose limit it is, and what to look at. */
const MEANS: Readonly<Record<LogEvent['what'], string>> = {
  'syn-flood-cookies':
    'the SYN queue of a listener was full, and SYNs were answered with cookies from then on. A flood looks so, and so does a burst of clients or a backlog that is too small (the queue is as long as the accept queue); compare TcpExtTCPReqQFullDoCookies with `nstat -az`. The line comes once for each listener',
  'syn-flood-drops':
    'the SYN queue of a listener was full and SYN cookies are off, so SYNs were dropped (TcpExtTCPReqQFullDrop). The line comes once for each listener',
  'conntrack-full':
    'the table of connection tracking was full, and packets of new connections were dropped, whoever sent them: compare nf_conntrack_count with nf_conntrack_max, look for short-lived connections, and see `drop` and `early_drop` in `conntrack -S`',
  orphans:
    'more sockets without a process than tcp_max_orphans: such connections are reset rather than closed in order (TcpExtTCPAbortOnMemory)',
  memory:
    'TCP used more memory than the third value of tcp_mem: connections without a process are reset, and queues are pruned (TcpExtTCPAbortOnMemory, TCPMemoryPressures)',
  'time-wait-overflow':
    'more sockets in TIME_WAIT than tcp_max_tw_buckets: connections go from their last state straight to CLOSE (TcpExtTCPTimeWaitOverflow), and late packets of theirs are answered with a RST',
};

/** Raised by lines of the kernel's log about TCP and connection tracking. */
export const kernelLog: Answerer = (world: World) => {
  const groups = new Map<string, LogEvent[]>();
  for (const e of world.context.log) {
    const key = `${e.what} ${e.port ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), e]);
  }
  if (groups.size === 0) return null;
  const said = [...groups.values()].map((all) => {
    const { text, what, source, line } = all[0]!;
    const where = `${world.source(source).name}, line ${line}`;
    return `“${text}” (${count(all.length, 'line')}, the first: ${where}): ${MEANS[what]}.`;
  });
  return { question: "What do the lines of the kernel's log mean?", answer: said.join(' ') };
};
