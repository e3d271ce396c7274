/** Text as terminals, mail and web pages leave it: wrapped, quoted, numbered, escaped, masked. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/analyze.ts';
import { codes, read, sample } from './harness.ts';

const SYN =
  '12:00:00.000001 IP 198.51.100.7.44013 > 192.0.2.10.8080: Flags [S], seq 1000, win 65535, options [mss 1460], length 0';
const RST =
  '12:00:00.000041 IP 192.0.2.10.8080 > 198.51.100.7.44013: Flags [R.], seq 0, ack 1001, win 0, length 0';
const DATA =
  '12:00:00.000090 IP 198.51.100.7.44013 > 192.0.2.10.8080: Flags [P.], seq 1:1449, ack 1, win 502, length 1448';
const both = `${SYN}\n${RST}\n`;

const numbers = (text: string) => read(text).packets.map((p) => [p.frame, p.flags, p.seq, p.payload]);
const cut = (line: string, width: number) => line.match(new RegExp(`.{1,${width}}`, 'g'))!;
const causes = async (text: string) =>
  (await analyze([{ name: 'x.txt', bytes: Buffer.from(text) }])).findings.map((f) => f.rule);

describe('wrapped lines are joined', () => {
  it('cut by a terminal, within words and numbers', async () => {
    const text = [SYN, RST].flatMap((l) => cut(l, 80)).join('\n');
    expect(numbers(text)).toEqual([
      [1, 2, 1000, 0],
      [3, 20, 0, 0],
    ]);
    expect(codes(read(text))).toEqual(['lines-joined']);
    expect(await causes(text)).toContain('connection-refused');
  });

  it('without the blanks at the ends of pieces, which a copy leaves out', () => {
    const text = [SYN, RST].flatMap((l) => cut(l, 80).map((piece) => piece.trimEnd())).join('\n');
    expect(numbers(text)).toHaveLength(2);
  });

  it('that look whole where they are cut: length 14, and 48 on the next line', () => {
    const at = DATA.length - 2;
    const text = [SYN, RST, DATA].flatMap((l) => cut(l, at)).join('\n');
    expect(read(text).packets.at(-1)!.payload).toBe(1448);
  });

  it('by mail, between words, behind its marks', async () => {
    const words = (line: string) => line.match(/.{1,70}(?= |$)/g)!.map((piece) => `> ${piece.trim()}`);
    expect(await causes([SYN, RST].flatMap(words).join('\n'))).toContain('connection-refused');
  });

  it.each([
    'ss/ss-tan.txt',
    'netfilter-log/dmesg.txt',
    'conntrack/conntrack-E-timestamp.txt',
    'tcpstates/tcpstates.txt',
  ])('of every format: %s', (name) => {
    const lines = sample(`tools/${name}`).toString().split('\n').slice(0, 100);
    const counted = (text: string) => {
      const { events, packets } = read(text);
      return events.length + packets.length;
    };
    const whole = counted(lines.join('\n'));
    expect(whole).toBeGreaterThan(1);
    const text = lines.flatMap((l) => (l === '' ? [l] : cut(l, 80))).join('\n');
    expect(counted(text)).toBeGreaterThanOrEqual(Math.floor(whole * 0.9));
  });
});

describe('nothing is lost, and no time', () => {
  const wrapped = cut(SYN, 80).join('\n');

  it('at the end of a text that is longer than what its width is told from', () => {
    expect(read(`${wrapped}\n`.repeat(1500)).packets).toHaveLength(1500);
  });

  it('behind a line that is too long', () => {
    const { packets } = read([wrapped, 'x'.repeat(70_000), wrapped, wrapped].join('\n'));
    expect(packets.map((p) => p.frame)).toEqual([1, 4, 6]);
  });

  // by the square of their number these take minutes
  it('on lines of one length that are nothing known, and on colons', () => {
    const blob = Array.from({ length: 4000 }, (_, i) => `${i} ${'abcdefg '.repeat(20)}`.slice(0, 120));
    expect(read(blob.join('\n')).packets).toEqual([]);
    expect(read(`1.000000\t${':'.repeat(60_000)}`).packets).toEqual([]);
  }, 60_000);
});

describe('what only looks wrapped is left as it is', () => {
  it('a remark below the longest line', () => {
    const { packets } = read(`${both}${DATA}\n500 of these came\n`);
    expect(packets.map((p) => p.payload)).toEqual([0, 0, 1448]);
  });

  it('a line that was cut off, above a whole one', () => {
    expect(numbers(`${SYN.slice(0, 80)}\n${RST}\n`)).toEqual([[2, 20, 0, 0]]);
  });
});

describe('text is put right', () => {
  it.each([
    ['cat -n', (line: string, i: number) => `     ${i + 1}\t${line}`],
    ['grep -n', (line: string, i: number) => `${i + 1}:${line}`],
    ['grep -Hn', (line: string, i: number) => `logs/a.txt:${i + 1}:${line}`],
    ['a quoted mail', (line: string) => `> > ${line}`],
    ['HTML', (line: string) => `<p><code>${line.replaceAll('>', '&gt;')}</code></p>`],
    ['placeholders', (line: string) => line.replaceAll('198.51.100.7', '<client>')],
    ['masked numbers', (line: string) => line.replaceAll('198.51.100.7', '198.51.x.x')],
  ])('from %s', async (_, change) => {
    expect(await causes([SYN, RST].map(change).join('\n'))).toContain('connection-refused');
  });

  it('a tunnel in the text of tcpdump holds a packet, a truncated one too', async () => {
    const [syn, rst] = [SYN, RST].map((line) => line.replace('IP ', 'IP 10.1.1.1 > 10.2.2.2: IP '));
    expect(await causes(`${syn}\n${rst}`)).toContain('connection-refused');
    const truncated = RST.replace('IP ', 'IP truncated-ip - 4 bytes missing! ');
    expect(await causes(`${SYN}\n${truncated}`)).toContain('connection-refused');
  });
});
