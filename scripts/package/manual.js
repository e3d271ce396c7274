// Pages of the manual, made of what the commands say of themselves.
import { gzipSync } from 'node:zlib';

const roff = (text) =>
  text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^(?=[.'])/gm, '\\&');
/** A term and what it means: two columns, from the second or the sixth on. */
const ENTRY = /^ {2,6}(\S.*?)(?: {2,}(\S.*))?$/;

/** `Options:` and what stands below it, as roff. */
function section(lines) {
  const entries = [];
  for (const line of lines.filter((l) => l.trim() !== '')) {
    const [, term, meaning] = ENTRY.exec(line) ?? [];
    const last = entries.at(-1);
    // a term that is too long goes on in the next line, and has its meaning in the first
    if (term !== undefined && (meaning !== undefined || !last?.meaning)) entries.push({ term, meaning });
    else if (term !== undefined) last.term += ` ${term}`;
    else if (last) last.meaning = `${last.meaning ?? ''} ${line.trim()}`;
  }
  return entries.flatMap(({ term, meaning = '' }) => [
    '.TP',
    `.B ${roff(term)}`,
    roff(meaning.replace(' [default: []]', '').replace(/ {2,}/g, ' ').trim()) || '\\&',
  ]);
}

/**
 * A page of section 1. `help`: what the command prints of itself, with headings that end with a colon. `also`: names of other
 * pages; `more`: sections of its own, each a heading and a text.
 */
export function manual({ name, version, date, purpose, help, also, more = {} }) {
  const [usage, ...rest] = help.trim().split(/\n(?! {7,}\S)/);
  const out = [
    `.TH ${name.toUpperCase()} 1 ${date} "tcpautopsy ${version}" "User Commands"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(purpose)}`,
    '.SH SYNOPSIS',
    '.nf',
    ...usage.split('\n').map((line) => roff(line.replace(/^usage:/, '').trim())),
    '.fi',
    '.SH DESCRIPTION',
  ];
  let under = [];
  const flush = () => {
    out.push(...section(under));
    under = [];
  };
  for (const line of rest.join('\n').split('\n')) {
    if (/^\S/.test(line)) {
      flush();
      const heading = /^([A-Z]\w+):$/.exec(line)?.[1];
      const usual = heading === 'Positionals' ? 'ARGUMENTS' : heading?.toUpperCase();
      out.push(...(usual ? [`.SH ${usual}`] : ['.PP', roff(line)]));
    } else under.push(line);
  }
  flush();
  for (const [heading, text] of Object.entries(more)) out.push(`.SH ${heading}`, roff(text));
  out.push('.SH SEE ALSO', also.map((other) => `.BR ${roff(other)} (1)`).join(',\n'));
  return gzipSync(`${out.join('\n')}\n`, { level: 9 });
}
