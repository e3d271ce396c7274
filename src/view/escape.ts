/**
 * Text from outside (process, host and file names, comments, messages about them) on its way into an output.
 * Nothing that comes from a packet, a log or a kernel may steer a terminal, or become markup.
 */
import { visible } from '../model/visible.ts';

/** `visible`, no longer than `limit` characters: for labels in charts and narrow columns. */
export function shortened(text: string, limit: number): string {
  const characters = [...visible(text)];
  return characters.length <= limit ? characters.join('') : `${characters.slice(0, limit - 1).join('')}…`;
}

const HTML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** For element content and quoted attribute values. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (c) => HTML[c]!);
}

/** Prose in pieces: what stands between backticks is code. Every second piece, from the second on, is. */
export function codePieces(text: string): string[] {
  const pieces = text.split(/`([^`]+)`/);
  return pieces.length % 2 === 1 ? pieces : [text];
}

/**
 * Inline text of Markdown (GitHub's and Jira's), also inside a table cell. Only what is active there is escaped, so
 * that the source stays readable: code, emphasis, links, tags, cells, math, mentions, issue numbers, bare addresses.
 */
export function markdown(text: string): string {
  return visible(text)
    .replace(/[\\`*[\]<|~&$]/g, (c) => (c === '<' ? '&lt;' : c === '&' ? '&amp;' : `\\${c}`))
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    .replace(/(:)(?=\/\/)|(?<=\bwww)(\.)/gi, (c) => `\\${c}`)
    .replace(/@(?=[A-Za-z0-9])|(?<![A-Za-z0-9])#(?=\d)/g, (c) => `${c}&#8203;`)
    .replace(/^(\s*)(#+(?=\s)|[+-](?=\s)|>|[=-]+$)/, '$1\\$2')
    .replace(/^(\s*\d+)(?=[.)](?:\s|$))/, '$1\\');
}

/** A code span of Markdown, also inside a table cell: the fence is longer than any run of backticks in it. */
export function markdownCode(text: string): string {
  const seen = visible(text).replaceAll('|', '\\|');
  const fence = '`'.repeat(longestRun(seen) + 1);
  const pad = seen.startsWith('`') || seen.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${seen}${pad}${fence}`;
}

/** Prose that may hold code between backticks. */
export function markdownProse(text: string): string {
  return codePieces(text)
    .map((piece, i) => (i % 2 === 0 ? markdown(piece) : markdownCode(piece)))
    .join('');
}

/** A fenced block of Markdown. */
export function markdownBlock(lines: readonly string[]): string {
  const seen = lines.map(visible);
  const fence = '`'.repeat(Math.max(3, ...seen.map((line) => longestRun(line) + 1)));
  return [`${fence}text`, ...seen, fence].join('\n');
}

function longestRun(text: string): number {
  let longest = 0;
  for (const run of text.match(/`+/g) ?? []) longest = Math.max(longest, run.length);
  return longest;
}
