import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { captureFormats, lineFormats } from '../../../src/read/formats.ts';

const folder = new URL('../../../src/read/lines/', import.meta.url);

describe('the list of line formats', () => {
  it('holds every file of the folder, named after its id', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    expect(lineFormats.map((f) => `${f.id}.ts`).sort()).toEqual(files.sort());
  });

  it('has no id twice', () => {
    const ids = [...captureFormats, ...lineFormats].map((f) => f.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe.each(lineFormats)('$id', (format) => {
  it('says what it is and proves', () => {
    for (const text of [format.title, format.proves, format.cannotProve]) expect(text).toMatch(/\S/);
    expect(format.proves).toMatch(/\.$/);
    expect(format.cannotProve).toMatch(/\.$/);
  });

  it('recognises its example, and no other format does', () => {
    // names of counters come with their values on the next line: the example of proc-net is cut
    const example = format.example.replace(' …', '');
    expect(lineFormats.filter((f) => f.recognises(example)).map((f) => f.id)).toEqual([format.id]);
  });

  it('does not recognise prose, code or the lines between', () => {
    const lines = [
      '',
      'Tcp connections were reset 12 times.',
      'SYN_SENT -> ESTABLISHED -> FIN_WAIT1',
      '# netstat shows the rest',
      'State changes of tcp sockets: see below',
      '    printf("[tcp_close] pid: %d, state: %d, sock: %d, sk_max_ack_backlog: %d"',
      'fprintf(stderr, "ts:%llu:%s:%s:%s\\n",',
      'net.ipv4.tcp_syncookies should be 1',
      '{"kernel": "6.18.44", "connections": [',
      'a > b: S is a set',
    ];
    expect(lines.filter((line) => format.recognises(line))).toEqual([]);
  });
});

describe('commands at a prompt', () => {
  const tool = (command: string) => lineFormats.find((f) => f.command?.test(command))?.id;

  it.each([
    ['tcpstates', 'tcpstates'],
    ['./tcpstates -L 8080', 'tcpstates'],
    ['/usr/share/bcc/tools/tcpstates -D 8080', 'tcpstates'],
    ['sudo tcpstates-bpfcc -tT', 'tcpstates'],
    ['python3 ./tcpstates.py', 'tcpstates'],
    ['tcpdrop -4', 'tcpdrop'],
    ['bpftrace /usr/share/bpftrace/tools/tcpdrop.bt', 'tcpdrop-bt'],
    ['./tcpdrop.bt', 'tcpdrop-bt'],
    ['tcptracer -p $(pidof server)', 'tcptracer'],
    ['tcplife-bpfcc -s', 'tcplife'],
    ['netstat -anp|grep 8080', 'netstat'],
    ['netstat -ant | grep -i syn', 'netstat'],
    ['netstat -s|grep -i listen', 'netstat-s'],
    ['netstat -st', 'netstat-s'],
    ['netstat --statistics', 'netstat-s'],
    ['watch -n 1 netstat -s', 'netstat-s'],
    ['date; netstat -s', 'netstat-s'],
    ['ip netns exec blue ss -tan', 'ss'],
    ['kubectl exec web-0 -- ss -ltn', 'ss'],
    ['nsenter -t 4242 -n ss -tan', 'ss'],
    ['timeout -s INT 5 tcpdump -i any port 80', 'tcpdump'],
    ['ss -s', 'state-counts'],
    ['conntrack -L', 'conntrack'],
    ['dmesg -T', 'kernel-log'],
    ['cat /proc/net/tcp', 'proc-net-tcp'],
    ['nstat -az | grep -i listen', 'nstat'],
    ['cat /proc/net/netstat', 'proc-net'],
    ['sysctl -a|grep -E "somaxconn"', 'sysctl'],
  ])('%s is %s', (command, id) => expect(tool(command)).toBe(id));

  it.each([
    'man ss',
    'rpm -qf /usr/sbin/ss',
    'ltrace netstat -ntl',
    'netstat -rn',
    'netstat -i',
    'tcpdump -i any -w file.pcap',
    './client 172.16.58.146 10',
    'vi netstat.txt',
  ])('%s is none', (command) => expect(tool(command)).toBeUndefined());
});
