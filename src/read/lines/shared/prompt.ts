/** Shell prompts in a pasted terminal log: who ran what, where. */

export interface Prompt {
  /** User and host as printed, '' when the prompt names none: tells terminals apart, `localhost` included. */
  key: string;
  /** Host name that tells machines apart; null for localhost and for prompts without one. */
  host: string | null;
  root: boolean;
  /** The time of day before it, when it was printed. */
  clock: string | null;
  /** Command line after the prompt; '' for an empty one. */
  command: string;
}

/** `[root@host dir]# cmd`, `[root@host:dir]$ cmd`, `[root@host]# cmd` */
const BRACKETED = /^\[([^\s@[\]]{1,64})@([^\s\][:]{1,255})(?:[ :][^\]]{0,255})?\]\s?([#$%])(?:\s+(.*))?$/;
/** `root@host:~# cmd`, also behind `(venv) ` */
const COLON =
  /^(?:\([^)]{1,64}\) )?([A-Za-z_][\w.-]{0,63})@([\w.-]{1,255}):\s?[~/][^#$\n]{0,255}([#$])(?:\s+(.*))?$/;
const COLON_HOME = /^(?:\([^)]{1,64}\) )?([A-Za-z_][\w.-]{0,63})@([\w.-]{1,255}):([#$])(?:\s+(.*))?$/;
/** `root@host ~ # cmd`, `user@host ~ % cmd`, `user@host ~> cmd`: zsh, fish, Gentoo */
const SPACED = /^([A-Za-z_][\w.-]{0,63})@([\w.-]{1,255}) [~/][^\s#$%>]{0,255}\s?([#$%>])(?:\s+(.*))?$/;
/** What ansible prints before the output of a host's command. */
const ANSIBLE = /^([\w.-]{1,255}) \| (?:CHANGED|SUCCESS|FAILED) \| rc=\d{1,3} >>$/;
/** The time of day that a shell prints before its prompt. */
const CLOCK = /^\[?(\d\d:\d\d(?::\d\d)?)\]? (?=[A-Za-z_[(])/;
/** `host:~ # cmd`, `host:/etc# cmd`, `host# cmd`, `user@host$ cmd`: so short that the command must be a known tool */
const SHORT =
  /^(?:[A-Za-z_][\w.-]{0,63}@)?([A-Za-z][\w.-]{0,254})(?::[~/][^\s#$%>]{0,255} ?)?([#$%>])\s+(\S.*)$/;
/** `bash-5.1# cmd`, `sh-4.2$ cmd`, and busybox in containers: `/ # cmd`, `~ $ cmd` */
const SHELL = /^(?:\w{1,8}sh-\d[\w.]{0,8}|sh-\d[\w.]{0,8}|[~/][\w./-]{0,255} )([#$])(?:\s+(.*))?$/;
/** `# cmd`, `$ cmd`, `❯ cmd` */
const BARE = /^([#$❯])\s+(\S.*)$/;

export function parsePrompt(line: string): Prompt | null {
  const clock = CLOCK.exec(line);
  const text = clock ? line.slice(clock[0].length) : line;
  const named = BRACKETED.exec(text) ?? COLON.exec(text) ?? COLON_HOME.exec(text) ?? SPACED.exec(text);
  if (named) {
    const [, user, host, sign, command] = named;
    return {
      key: `${user}@${host}`,
      host: namesHost(host!) ? host! : null,
      root: sign === '#' || user === 'root',
      clock: clock?.[1] ?? null,
      command: command?.trim() ?? '',
    };
  }
  const [, told] = ANSIBLE.exec(line) ?? [];
  if (told) return { key: told, host: namesHost(told) ? told : null, root: false, clock: null, command: '' };
  const shell = SHELL.exec(line);
  if (!shell) return null;
  return { key: '', host: null, root: shell[1] === '#', clock: null, command: shell[2]?.trim() ?? '' };
}

/**
 * `# netstat -anp` is a prompt, `# netstat shows nothing` a comment: taken as a prompt only when the known tool is
 * followed by an option, a pipe or nothing, and after `#`, the sign of comments, not by nothing.
 */
export function parseBarePrompt(line: string, knows: (command: string) => boolean): Prompt | null {
  const short = SHORT.exec(line);
  const match = short ?? BARE.exec(line);
  if (!match) return null;
  const [sign, rest] = match.slice(-2) as [string, string];
  const command = rest.trim();
  // `sleep 10; netstat -s`
  const last = command.replace(/^(?:sleep \d{1,5}|date|clear|uptime) ?(?:;|&&) ?/, '');
  const next = last.split(/\s+/, 3).slice(last.startsWith('sudo ') ? 2 : 1)[0];
  const plausible =
    next === undefined
      ? sign !== '#' || short !== null
      : /^(?:-|\||state\b)/.test(next) || /^\S+\|/.test(command);
  if (!plausible || !knows(command)) return null;
  const host = short?.[1] ?? '';
  return { key: host, host: namesHost(host) ? host : null, root: sign === '#', clock: null, command };
}

/** `localhost` is the name of every machine. */
const namesHost = (host: string): boolean => host !== '' && !/^localhost\b/i.test(host);

/** True when the command's output went somewhere else, so that seeing none proves nothing. */
export function isRedirected(command: string): boolean {
  return command.replace(/\d?>&\d|2>>?\s*\S+/g, '').includes('>');
}

/** What the pipeline does to the output: `grep 8080`; null when nothing. */
export function pipelineFilter(command: string | null): string | null {
  if (command === null) return null;
  const bar = command.replaceAll('||', '  ').indexOf('|');
  return bar < 0 ? null : command.slice(bar + 1).trim() || null;
}
