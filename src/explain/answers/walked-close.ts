import type { Answer } from '../../model/result.ts';
import type { Walk, WalkClose, WalkSocket } from '../facts/walk.ts';
import type { World } from '../facts/world.ts';
import { capital, count, list } from '../words.ts';

/** Raised by a trace of function entries that shows both ends of a connection close. */
export function walkedClose(world: World): Answer[] {
  return world.walks.flatMap((walk) => {
    const [close] = walk.closes;
    const name = world.source(walk.source).name;
    const answers = close ? [sockets(close, name), pids(walk, close), segments(walk, close)] : [];
    return [...answers, ...order(walk), ...names(walk)];
  });
}

/** How a socket came to be: the accept limit of its listener is inherited, connect() leaves it 0. */
function origin({ acceptLimit }: WalkSocket): string {
  if (acceptLimit === null) return '';
  return acceptLimit > 0
    ? `, made by accept(): it has the accept limit ${acceptLimit} of its listener`
    : ', made by connect(): it has the accept limit 0';
}

function sockets({ first, second, minisock }: WalkClose, name: string): Answer {
  const took = second.takesFin!;
  const third = minisock
    ? ` The third, ${minisock.socket}, is the timewait socket that took the place of ${first.socket}: its state is TIME_WAIT, ` +
      'it first appears after that socket has sent its FIN, and tcp_timewait_state_process is entered with nothing else. tcp_time_wait() allocates it, so its address is another one.'
    : '';
  return {
    question: 'Which socket is which in the function trace?',
    answer:
      `${first.socket} and ${second.socket} are the two ends of one connection, and both are on this host: the FIN that ${first.socket} sends in ${place(first.sendFin!)} ` +
      `is taken by ${second.socket} in ${place(took)}${took.pid === first.owner ? ', still in the process that sent it, as over loopback' : ''}. ` +
      `${first.socket} is the end of process ${first.owner ?? '?'}${origin(first)}; it closed first. ` +
      `${second.socket} is the end of process ${second.owner ?? '?'}${origin(second)}.${third} (${name})`,
  };
}

function pids(walk: Walk, { first, second, minisock }: WalkClose): Answer {
  const owners = new Map([
    [first.socket, first.owner],
    [second.socket, second.owner],
    [minisock?.socket ?? '', first.owner],
  ]);
  const foreign = walk.events.filter((e) => {
    const owner = owners.get(e.socket) ?? null;
    return owner !== null && e.pid !== null && e.pid !== owner;
  });
  const example = foreign[0]
    ? ` ${capital(lines(foreign))} show a process that does not own the socket: the packet was handled in the softirq of whoever had just sent it.`
    : '';
  return {
    question: 'Whose is the pid in each line?',
    answer:
      'It is whoever was running on that CPU, not the owner of the socket. Only the lines of a system call tell the owner: ' +
      `tcp_close, and the tcp_set_state and tcp_send_fin under it (${list(closesOf(first, second).map(place))}).${example}`,
  };
}

function closesOf(...ends: WalkSocket[]) {
  return ends.flatMap((s) => s.events.filter((e) => e.function === 'tcp_close'));
}

function segments(walk: Walk, { first, second, minisock, handled }: WalkClose): Answer {
  const { one, two, three, four } = handled;
  const parts = [
    `Segment 1, the FIN of ${first.socket}: ${second.socket} took it in ESTABLISHED through ${calls(one)}.`,
    two.length > 0
      ? `Segment 2, the ACK of that FIN: ${first.socket} took it through ${calls(two)}.`
      : secondHidden(walk, first, minisock !== null),
  ];
  if (second.sendFin) {
    const by = minisock ? `the timewait socket ${minisock.socket}` : first.socket;
    const why = minisock
      ? '. tcp_rcv_state_process has no part in it: the full socket in FIN_WAIT2 was gone, so tcp_v4_rcv gave the segment to the timewait socket'
      : '';
    parts.push(
      three.length > 0
        ? `Segment 3, the FIN of ${second.socket}: ${by} took it through ${calls(three)}${why}.`
        : `Segment 3, the FIN of ${second.socket}: no line shows who took it.`,
    );
    const inState = four[0]?.state ? ` in ${four[0].state}` : '';
    parts.push(
      four.length > 0
        ? `Segment 4, the ACK of that FIN: ${second.socket} took it${inState} through ${calls(four)}${second.end ? `, which set CLOSE (${place(second.end)})` : ''}.`
        : `Segment 4, the ACK of that FIN: no line shows who took it.`,
    );
  }
  return { question: 'Which function handled each segment of the close?', answer: parts.join(' ') };
}

/** FIN_WAIT1 must end before a minisock can be made: its segment was handled, and the trace did not print it. */
function secondHidden(walk: Walk, first: WalkSocket, minisock: boolean): string {
  const running = [...new Set(walk.events.map((e) => e.pid))].filter((p) => p !== null);
  const proof = minisock
    ? `that ${first.socket} went FIN_WAIT1 → FIN_WAIT2 and handed over to the timewait socket shows that it came`
    : 'it must have come if the closing went on';
  const filtered = running.includes(0)
    ? 'The lines of that moment are lost.'
    : `Every line is of ${count(running.length, 'process', 'processes')} (${running.join(', ')}), none of the idle task or of a kernel thread: the probes print only while a process of their filter (\`comm\`) runs. ` +
      'This ACK was sent by the delayed-ACK timer, because the peer neither closed nor wrote, and was handled in the softirq of whatever ran then: the filter hid it.';
  return `Segment 2, the ACK of that FIN, is in no line, although ${proof} (tcp_v4_do_rcv → tcp_rcv_state_process → tcp_time_wait). ${filtered}`;
}

function order({ outOfOrder }: Walk): Answer[] {
  const [first] = outOfOrder;
  if (!first) return [];
  return [
    {
      question: 'Are the lines of the function trace in order?',
      answer:
        `No: ${lines(outOfOrder)} ${outOfOrder.length === 1 ? 'stands' : 'stand'} too late. ${first.function} finds socket ${first.socket} in ${first.state}, ` +
        'a state that it had left in a line above, and no socket goes back. bpftrace prints through one buffer per CPU and reads them one after the other; ' +
        'what stands there is the last segment that came before the close.',
    },
  ];
}

function names({ misnamed }: Walk): Answer[] {
  const [first] = misnamed;
  if (!first) return [];
  const { event, really } = first;
  return [
    {
      question: `Did ${event.function} run?`,
      answer:
        `No: the probe that prints ${event.function} is ${really} a second time (${lines(misnamed.map((m) => m.event))}). ` +
        `Its line has the same socket, state and process as the line before, and ${event.socket} is a timewait socket, which no function for full sockets is ever entered with.`,
    },
  ];
}

function place(e: { line: number }): string {
  return `line ${e.line}`;
}

function lines(all: readonly { line: number }[]): string {
  return `${all.length === 1 ? 'line' : 'lines'} ${list(all.map((e) => String(e.line)))}`;
}

/** `tcp_v4_do_rcv → tcp_rcv_established (lines 4 and 5)`. */
function calls(all: readonly { function: string; line: number }[]): string {
  const chain = all.map((e) => e.function).join(' → ');
  return `${chain} (${lines(all)})`;
}
