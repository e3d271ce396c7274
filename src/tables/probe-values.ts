/** Values of a probe in the words of the timeline: those that a reader can use; the rest is in the bundle. */

const TELLING: Readonly<Record<string, (value: number) => string>> = {
  qlen: (n) => `${n} in the SYN queue`,
  unread: (n) => `${n} bytes unread`,
  error: (n) => (ERRORS[n] === undefined ? `error ${n}` : `error ${n} (${ERRORS[n]})`),
  verdict: (n) => VERDICTS[n] ?? `verdict ${n}`,
  substate: (n) => (n === 5 ? 'FIN_WAIT2' : n === 6 ? 'TIME_WAIT' : `substate ${n}`),
  count: afterTimeouts,
  timeouts: afterTimeouts,
};

/** enum tcp_tw_status: what the timewait minisock makes of a packet. */
const VERDICTS: readonly string[] = [
  'TCP_TW_SUCCESS',
  'TCP_TW_RST',
  'TCP_TW_ACK',
  'TCP_TW_SYN',
  'TCP_TW_ACK_OOW',
];

/** Errors of Linux (asm-generic/errno.h) that the kernel leaves on a socket. */
const ERRORS: Readonly<Record<number, string>> = {
  32: 'EPIPE',
  103: 'ECONNABORTED',
  104: 'ECONNRESET',
  110: 'ETIMEDOUT',
  111: 'ECONNREFUSED',
  113: 'EHOSTUNREACH',
};

function afterTimeouts(n: number): string {
  return `after ${n} ${n === 1 ? 'timeout' : 'timeouts'}`;
}

export function valuesText(values: Readonly<Record<string, number>>): string {
  const { backlog, limit } = values;
  const queue =
    backlog === undefined || limit === undefined ? [] : [`${backlog} of ${limit} in the accept queue`];
  const others = Object.entries(TELLING).flatMap(([key, text]) =>
    key in values ? [text(values[key]!)] : [],
  );
  return [...queue, ...others].join(', ');
}
