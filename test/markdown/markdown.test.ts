import { describe, expect, test } from 'vitest';
import { renderMarkdown } from '../../src/markdown/markdown.ts';
import { exp1Result } from '../tables/fixture.ts';
import { HOSTILE, hostileResult } from '../tables/variants.ts';

describe('report.md of experiment 1', () => {
  const text = renderMarkdown(exp1Result());

  test('says in three lines what happened, to whom since when, and what to do; the rest is folded', () => {
    const [what, who, action] = text.split('\n');
    expect(what).toMatch(/^\*\*server \(pid 5348\) .* did not accept connections/);
    expect(who).toMatch(/06:56:27\.816 to 07:12:27\.783 .* · 10 of 10 connections, from 1 client · likely/);
    expect(action).toMatch(/^\*\*Do this:\*\* Find out why/);
    expect(text.match(/(?<=<summary>).*(?=<)/g)).toEqual([
      'What happened, in order',
      'Evidence: 6 causes',
      'Step by step',
      'Settings',
      'Questions',
      'Counters',
      'Data quality',
      'How to reproduce',
    ]);
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  });

  test('draws a connection as a sequence of messages', () => {
    const diagram = /```mermaid\n([\s\S]*?)```/.exec(text)![1]!;
    expect(diagram).toContain('participant S as server 172.16.58.146:8080');
    expect(diagram).toMatch(/^ {2}S->>C: .*RST\|ACK$/m);
  });

  test('shows one connection of each of the worst causes', () => {
    expect(text.match(/^c\d+ {2}.*$/gm)).toEqual([
      'c1  172.16.58.147:43752 → 172.16.58.146:8080',
      'c8  172.16.58.147:43796 → 172.16.58.146:8080',
      'c7  172.16.58.147:43782 → 172.16.58.146:8080',
    ]);
  });

  test('a ladder has both ends, times, and places to check', () => {
    expect(text).toContain('+42.3 ms  ●       │  FIN_WAIT1 → FIN_WAIT2');
    expect(text).toContain('│◀──────┤  RST|ACK, seq 3446801307');
    expect(text).toMatch(/\[1\] client-tcpstates\.txt/);
  });

  test('every table has as many cells in each row as in its head', () => {
    let cells = 0;
    for (const line of text.split('\n')) {
      const count = line.startsWith('|') ? line.replaceAll('\\|', '').split('|').length : 0;
      if (count > 0 && cells > 0) expect(count, line).toBe(cells);
      cells = count;
    }
  });

  test('says how to do it again', () => {
    expect(text).toContain('```text\ntcpautopsy analyze exp1 -o report\n```');
    expect(text).toContain('Sources are named from `exp1/` on.');
    expect(text).toContain('| `server-tcpdump.txt` | `tcpdump` | server-host | local time of day | 6 |');
  });
});

test('fits into a ticket however much there is to say: Jira takes 32,767 characters', () => {
  const one = exp1Result();
  const many = {
    ...one,
    inputs: Array.from({ length: 500 }, (_, i) => ({ ...one.inputs[0]!, name: `capture-${i}.pcap` })),
    causes: Array.from({ length: 8 }, () => one.causes).flat(),
    answers: Array.from({ length: 50 }, () => one.answers).flat(),
  };
  const text = renderMarkdown(many);
  expect(text.length).toBeLessThan(32_767);
  expect(text).toMatch(
    /To fit a ticket this leaves out \d+ causes and questions answered: see report\.html\./,
  );
  expect(text).toContain('460 more are in result.json.');
  expect(renderMarkdown(one)).not.toContain('To fit a ticket');
});

describe.each(HOSTILE)('a hostile name: %j', (hostile) => {
  const text = renderMarkdown(hostileResult(hostile));

  test('becomes no markup outside code', () => {
    // code blocks and spans are inert: what is left must hold nothing active
    const prose = text
      .replace(/^(`{3,})(?:text|mermaid)\n[\s\S]*?\n\1$/gm, '')
      // our own
      .replace(/^<\/?details>$|^<summary>[\w :,]+<\/summary>$/gm, '')
      .replace(/(?<!\\)(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '');
    expect(prose).not.toMatch(/<(?!br>)[a-z/]/i);
    expect(prose).not.toMatch(/(?<!\\)\]\(/);
    expect(prose).not.toMatch(/@[a-z]/i);
    expect(prose).not.toMatch(/[^\\]:\/\//);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  test('leaves the structure whole', () => {
    const fences = text.match(/^`{3,}(text|mermaid)?$/gm) ?? [];
    expect(fences.length).toBe(2 * 6);
    expect(text.match(/^<\/?(details|summary)/gm)?.length).toBe(3 * 8);
  });
});

describe('connections that no cause speaks of', () => {
  const own = exp1Result();
  const [first] = own.connections;

  test('stand in a table of their own', () => {
    const rest = { ...first!, id: 'c900', closeRule: '' as const };
    const text = renderMarkdown({ ...own, connections: [...own.connections, rest] });
    expect(text).toMatch(/^\| c900 \| `172\.16\.58\.147:\d+` \| `172\.16\.58\.146:8080` \|/m);
  });

  test('are counted with those that are not listed', () => {
    const rest = Array.from({ length: 41 }, (_, i) => ({
      ...first!,
      id: `c${900 + i}`,
      closeRule: '' as const,
    }));
    const group = { ...first!, rules: [], connections: 1000, clients: 1 };
    const unlisted = {
      connections: 3000,
      groups: [group, { ...group, rules: ['graceful-close'], connections: 2000 }],
      finWait2: null,
    };
    const text = renderMarkdown({ ...own, connections: [...own.connections, ...rest], unlisted });
    expect(text).toContain('1,001 more are in connections.csv.');
  });

  test('are not those that closed normally', () => {
    const rest = { ...first!, id: 'c900', closeRule: 'graceful-close' as const };
    const text = renderMarkdown({ ...own, connections: [...own.connections, rest] });
    expect(text).not.toContain('c900');
  });
});
