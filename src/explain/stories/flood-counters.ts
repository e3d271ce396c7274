/** A SYN flood in the counters of the host that it met. */
import type { ListenerFacts } from '../facts/listener.ts';
import { count, list, number } from '../words.ts';

/** What the counters of its host say of them, and what remains. */
export function counted(
  listener: ListenerFacts,
  { answered, silent }: { answered: number; silent: number },
): string {
  const rise = (name: string) => listener.rise(name);
  const [drops, overflows, full] = ['ListenDrops', 'ListenOverflows', 'TCPReqQFullDrop'].map(rise);
  const cookies = rise('SyncookiesSent') ?? rise('TCPReqQFullDoCookies');
  if (drops == null && cookies === null)
    return 'No counters of its host are among the files: `nstat -az` before and after shows which queue was full.';
  const parts = [];
  if (cookies) {
    const rest = answered > cookies ? `, ${number(answered - cookies)} were not` : '';
    parts.push(
      `${count(cookies, 'SYN-ACK')} ${cookies === 1 ? 'was a SYN cookie' : 'were SYN cookies'}${rest}`,
    );
  } else if (answered > 0 && cookies === 0) parts.push('no SYN-ACK was a SYN cookie');
  if (drops)
    parts.push(`listeners dropped ${count(drops, 'SYN')}${whyDropped(drops, full ?? 0, overflows ?? 0)}`);
  const left = silent - (drops ?? 0);
  if (drops != null && left > 0) parts.push(`${number(left)} of those without a SYN-ACK are in no counter`);
  if (drops != null && left < 0) parts.push(`${number(-left)} of those dropped are not among them`);
  return `Counters of its host: ${parts.length > 0 ? parts.join('; ') : 'no SYN was dropped and no SYN cookie sent'}.`;
}

function whyDropped(drops: number, full: number, overflows: number): string {
  if (full === drops) return ', all because the SYN queue was full';
  if (overflows === drops) return ', all because the accept queue was full';
  const rest = drops - full - overflows;
  const why = [
    ...(full > 0 ? [`${number(full)} because the SYN queue was full`] : []),
    ...(overflows > 0 ? [`${number(overflows)} because the accept queue was full`] : []),
    ...(rest > 0 && rest < drops ? [`${number(rest)} for another reason`] : []),
  ];
  return why.length > 0 ? `: ${list(why)}` : '';
}
