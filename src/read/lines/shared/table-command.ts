/** What the command line of a socket table tool left out of the table. */
import { pipelineFilter } from './prompt.ts';

/** Filter of a table whose command line is not in the text. */
export const FILTER_UNKNOWN = 'command line not known';

/** Letters of the short options of a command line before any pipe: `-anp -t` gives `anpt`. */
function optionLetters(command: string): string {
  const own = command.split('|', 1)[0]!;
  return [...own.matchAll(/\s-([A-Za-z46]+)/g)].map((m) => m[1]).join('');
}

/**
 * What hides TCP rows, in the words of the command line, or null when every TCP socket would be listed. `netstat` and
 * `ss` share the letters: -a for listeners too, -l for nothing but them, -t -u -x -w for protocols.
 */
export function tableFilter(command: string, tool: string): string | null {
  const pipeline = pipelineFilter(command);
  if (pipeline !== null) return pipeline;
  const own = command
    .slice(command.search(new RegExp(`(?:^|[\\s/])${tool}(?:\\s|$)`)) + 1)
    .replace(/\d?>&\d|2>>?\s*\S+/g, '')
    .split(/[;&]/, 1)[0]!;
  const expression = own
    .trim()
    .split(/\s+/)
    .slice(1)
    .filter((word) => !word.startsWith('-') && word !== '')
    .join(' ');
  if (expression !== '') return expression;
  const letters = optionLetters(own);
  const all = letters.includes('a') || own.includes('--all');
  const listening = letters.includes('l') || own.includes('--listening');
  // with both, netstat lists all and ss obeys the last
  const onlyListening =
    listening && (!all || (tool === 'ss' && letters.lastIndexOf('l') > letters.lastIndexOf('a')));
  if (onlyListening) return 'listening sockets only';
  if (!all) return 'without listening sockets';
  if (excludesTcp(own)) return 'without TCP';
  if (letters.includes('4') !== letters.includes('6'))
    return letters.includes('4') ? 'IPv4 only' : 'IPv6 only';
  return null;
}

/** Other protocols are asked for, TCP is not. */
export function excludesTcp(command: string): boolean {
  const letters = optionLetters(command);
  const others = /[uxw]/.test(letters) || /--(?:udp|unix|raw)\b/.test(command);
  return others && !letters.includes('t') && !command.includes('--tcp');
}
