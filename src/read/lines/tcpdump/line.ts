/**
 * One line of tcpdump, as current versions write it and as those before 4.0 did:
 *
 *     07:12:27.783229 eth0  In  IP 10.0.0.1.80 > 10.0.0.2.4242: Flags [R.], seq 3, ack 2, win 509, length 0
 *     17:22:38.246507 IP host.19500 > 10.0.0.2.http: S 1:1(0) win 5840 <mss 1460,sackOK>
 *
 * with the variants of -e, -i any, -n, -S, -t to -ttttt, -v and -#.
 */
import { DIRECTION_IN, DIRECTION_OUT } from '../../../model/packet.ts';
import { ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../../../model/tcp.ts';
import { isAddressText } from '../shared/endpoints.ts';
import { parsePort } from '../shared/services.ts';

const FLAG_BITS = new Map<string, number>([
  ['F', FIN],
  ['S', SYN],
  ['R', RST],
  ['P', PSH],
  ['U', URG],
  ['E', ECE],
  ['W', CWR],
  ['e', AE],
  ['.', ACK],
]);

/** -#, or a number of `show capture` of a Cisco ASA; the date of -tttt, the time of day, the seconds of -tt. */
const STAMP =
  /^ {0,8}(?:\d{1,9}:? {1,2}(?=[\d ]))?(?:(\d{4}-\d\d-\d\d) )?(?:(\d\d:\d\d:\d\d\.\d{6,9})|(\d{9,11}\.\d{6,9})) {1,8}/;
/** Interface and direction that -i any prints before the protocol, direction alone in old versions. */
const PLACE = /^(?:([\w.@:-]{1,32}) {1,8})?(In|Out|B|M|P) {1,4}/;
const LINK = /ethertype IPv[46] \(0x[0-9a-f]{4}\), (?:length \d{1,9}: )?|^802\.1Q vlan#\d{1,4} P\d /;
/** `ip: ` is what -e prints of a link without a header (tun, raw IP). */
const NETWORK = /^(?:ip: )?IP6? |^ip: /;
/** Extension headers of IPv6 stand between the addresses and the ports. */
const EXTENDED =
  /^([\da-f:.]{2,45}) > ([\da-f:.]{2,45}): (?:(?:HBH|DSTOPT|srcrt)(?: \([^>]{0,200}?\))? ){1,4}(\S{1,32}) > (\S{1,32}): (?=Flags )/;
/** The parenthesis of -v. */
const VERBOSE =
  /^\((?:tos|class|flowlabel|hlim) [^>]{0,400}?length:? \d{1,9}[^>]{0,100}?\)(?:\s+(?=\S)|\s*$)/;
/** Behind the segment, before 3.9. */
const OLD_VERBOSE = /\(ttl \d{1,3}, id \d{1,5}(?:, len \d{1,5})?\)\s*$/;
/** Before the addresses of a packet whose length says more than was sent. */
const TRUNCATED = /^truncated-ip6? - \d{1,9} bytes missing! ?/;
/** Addresses around the packet of a tunnel: IP in IP, GRE, Geneve with the frame of -e or without. */
const TUNNEL =
  /^[\w.:-]{1,255} > [\w.:-]{1,255}: (?:GREv\d, (?:[^:>]{0,80}, )?length \d{1,9}: |Geneve, Flags \[[\w ,]{1,20}\], vni 0x[\da-f]{1,6}(?:, [^>]{0,200}?)?: (?:[\da-f:]{17} > [\da-f:]{17}, ethertype [^>]{1,80}?: )?)?IP6? (?=\S)/;
const OLD =
  /^([SFRPWEU.]{1,8})(?=[ ,]|$)(?: \[[a-z ]{1,32}!?\])?(?: (\d{1,10}):(\d{1,10})\((\d{1,10})\))?(?: ack (\d{1,10}))?(?: win (\d{1,10}))?/;
const OLD_CHECKSUM = /, cksum 0x[0-9a-f]{1,4} \([^)]{0,40}\){1,2},?/;

/** pktmon prints before each packet, at every component that it passes, when, and which time it is: in its log, and when it prints at once. */
export const PKTMON =
  /^(?:\[\d{1,4}\][\dA-F.]{1,20}::(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{6,9}) \[Microsoft-Windows-PktMon\] |(\d\d:\d\d:\d\d\.\d{6,9}) (?=PktGroupId )).*\bAppearance (\d{1,3}),/;

/** The outer packet of VXLAN, whose inner one has a line of its own, without a time. */
export const VXLAN =
  /: (?:VXLAN, flags \[[\w.]{1,4}\] \(0x[\da-f]{2}\), vni \d{1,8}|OTV, flags \[[\w.]{1,4}\] \(0x[\da-f]{2}\), overlay \d{1,8}, instance \d{1,8})$/;

/** What a line says; reused. */
export class PrintedSegment {
  date = '';
  timeOfDay = '';
  /** A blank before it, as -ttt and -ttttt print it. */
  isIndented = false;
  seconds = '';
  /** Interface and direction as printed, '' without -i any. */
  place = '';
  direction = 0;
  source = '';
  sourcePort = 0;
  destination = '';
  destinationPort = 0;
  flags = 0;
  /** As printed; null when absent. */
  seq: number | null = null;
  ack: number | null = null;
  window = 0;
  payload = 0;
  options = '';
  truncated = false;
  ttl = 0;
  ipId = 0;
  /** Name of a service that is in no table here, '' when none. */
  unknownService = '';
}

/** `again`: what pktmon says of a packet that it has shown. `quiet`: a segment as -q prints it, without flags and numbers. `other`: a line of tcpdump about another protocol. `head`: the first of the two lines that -v prints. */
type LineKind = 'tcp' | 'again' | 'quiet' | 'other' | 'head' | 'other-head' | null;

/** Reads a line from its beginning. */
export function parseLine(line: string, out: PrintedSegment): LineKind {
  const monitored = PKTMON.exec(line);
  if (monitored) {
    const [, date = '', logged, printed, appearance] = monitored;
    Object.assign(out, { date, timeOfDay: logged ?? printed, seconds: '', place: '', direction: 0 });
    out.ttl = out.ipId = 0;
    return Number(appearance) > 1 ? 'again' : 'head';
  }
  const stamp = STAMP.exec(line);
  if (!stamp && !NETWORK.test(line) && !PLACE.test(line) && !line.includes(' > ')) return null;
  out.date = stamp?.[1] ?? '';
  out.timeOfDay = stamp?.[2] ?? '';
  out.isIndented = /^ \d\d:/.test(line);
  out.seconds = stamp?.[3] ?? '';
  let rest = stamp ? line.slice(stamp[0].length) : line.trimStart();
  const place = PLACE.exec(rest);
  out.place = place ? `${place[1] ?? ''} ${place[2]}` : '';
  out.direction = place ? directionOf(place[2]!) : 0;
  if (place) rest = rest.slice(place[0].length);
  const link = LINK.exec(rest);
  rest = withoutLink(rest);
  const network = NETWORK.exec(rest);
  if (network) rest = rest.slice(network[0].length);
  return parseNetwork(rest, out, stamp !== null, link !== null || network !== null);
}

/** Reads the second of the two lines that -v prints; what the first said stays. */
export function parseSecondLine(line: string, out: PrintedSegment): boolean {
  return parseSegment(withoutLink(line.trimStart()), out);
}

function withoutLink(text: string): string {
  const link = LINK.exec(text);
  return link ? text.slice(link.index + link[0].length) : text;
}

function directionOf(word: string): number {
  if (word === 'Out') return DIRECTION_OUT;
  return word === 'P' ? 0 : DIRECTION_IN;
}

function parseNetwork(text: string, out: PrintedSegment, stamped: boolean, ip: boolean): LineKind {
  const verbose = VERBOSE.exec(text);
  const header = verbose?.[0] ?? OLD_VERBOSE.exec(text)?.[0];
  out.ttl = header ? numberAfter(header, /\b(?:ttl|hlim) {1,3}(\d{1,3})\b/) : 0;
  out.ipId = header ? numberAfter(header, /, id (\d{1,5})\b/) : 0;
  const shown = verbose ? text.slice(verbose[0].length) : text;
  const whole = shown.slice(TRUNCATED.exec(shown)?.[0].length ?? 0);
  const body = whole.includes(': Flags ') ? whole.replace(EXTENDED, '$1.$3 > $2.$4: ') : whole;
  const tunnel = TUNNEL.exec(body);
  if (tunnel) return parseNetwork(body.slice(tunnel[0].length), out, stamped, true);
  if (verbose && body === '') return /TCP \(6\)/.test(verbose[0]) ? 'head' : 'other-head';
  if (parseSegment(body, out)) return 'tcp';
  if (parseQuiet(body, out)) return 'quiet';
  return isOther(body, stamped, ip) ? 'other' : null;
}

function numberAfter(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

/**
 * Another protocol's line: it goes on with something that is not the beginning of a TCP segment, so that a damaged TCP
 * line does not pass for one.
 */
function isOther(body: string, stamped: boolean, ip: boolean): boolean {
  // without times (-t) little tells a line of tcpdump
  if (!stamped) return ip && /: ICMP6?,? /.test(body);
  if (!ip)
    return /^(?:ARP|RARP|LLDP|STP|CDPv\d|EAPOL|MPLS|PPPoE|LLC|IPX|ethertype|[\da-f]{2}(?::[\da-f]{2}){5} >|Unknown)/.test(
      body,
    );
  const said = / > \S{1,300}?: (.*)$/.exec(body)?.[1];
  return said !== undefined && said !== '' && !'Flags ['.startsWith(said.slice(0, 7)) && !OLD.test(said);
}

/** `SOURCE.PORT > DESTINATION.PORT: …` */
function parseSegment(text: string, out: PrintedSegment): boolean {
  const arrow = text.indexOf(' > ');
  const colon = text.indexOf(': ', arrow);
  if (arrow <= 0 || colon < 0 || text.lastIndexOf(' ', arrow - 1) >= 0) return false;
  const source = text.slice(0, arrow);
  const destination = text.slice(arrow + 3, colon);
  if (destination.includes(' ')) return false;
  const said = text.slice(colon + 2);
  const understood = said.startsWith('Flags [') ? parseCurrent(said, out) : parseOld(said, out);
  return understood && parseEnds(source, destination, out);
}

/** `SOURCE.PORT > DESTINATION.PORT: tcp 120` */
function parseQuiet(text: string, out: PrintedSegment): boolean {
  const match = /^(\S{1,300}) > (\S{1,300}): tcp (\d{1,9})$/.exec(text);
  out.payload = Number(match?.[3] ?? 0);
  return match !== null && parseEnds(match[1]!, match[2]!, out);
}

function parseEnds(source: string, destination: string, out: PrintedSegment): boolean {
  const a = source.lastIndexOf('.');
  const b = destination.lastIndexOf('.');
  if (a <= 0 || b <= 0) return false;
  const parts = [source.slice(0, a), source.slice(a + 1), destination.slice(0, b), destination.slice(b + 1)];
  if (!parts.every(isAddressText)) return false;
  out.unknownService = '';
  out.source = source.slice(0, a);
  out.sourcePort = port(source.slice(a + 1), out);
  out.destination = destination.slice(0, b);
  out.destinationPort = port(destination.slice(b + 1), out);
  return true;
}

function port(text: string, out: PrintedSegment): number {
  const number = parsePort(text);
  if (number >= 0) return number;
  out.unknownService = text;
  return 0;
}

/** Tcpdump 4.0 and later: everything named, separated by commas. */
function parseCurrent(said: string, out: PrintedSegment): boolean {
  const end = said.indexOf(']');
  const flags = readFlags(said.slice(7, end));
  if (end < 0 || flags < 0) return false;
  out.flags = flags;
  let optionsStart = said.indexOf(', options [', end);
  let optionsEnd = said.length;
  if (optionsStart >= 0) {
    const close = said.indexOf('], length', optionsStart);
    optionsEnd = close < 0 ? said.length : close;
    out.options = said.slice(optionsStart + 11, close < 0 ? undefined : close);
  } else {
    out.options = '';
    optionsStart = said.length;
    optionsEnd = end;
  }
  const fixed = said.slice(end, optionsStart);
  out.ack = named(fixed, ', ack ');
  out.window = named(fixed, ', win ') ?? 0;
  const length = named(said.slice(optionsEnd), ', length ');
  out.truncated = length === null;
  const first = named(fixed, ', seq ');
  const last = first === null ? null : rangeEnd(fixed);
  out.seq = first;
  out.payload = length ?? (first !== null && last !== null ? (last - first) >>> 0 : 0);
  return length !== null || (said.includes('[|tcp') && (first !== null || out.ack !== null));
}

function named(text: string, key: string): number | null {
  const at = text.indexOf(key);
  if (at < 0) return null;
  const match = /^\d{1,10}/.exec(text.slice(at + key.length, at + key.length + 11));
  return match ? Number(match[0]) : null;
}

function rangeEnd(text: string): number | null {
  const match = /, seq \d{1,10}:(\d{1,10})/.exec(text);
  return match ? Number(match[1]) : null;
}

/** Flags by their letters; -1 when one is none. */
export function readFlags(letters: string): number {
  if (letters === 'none') return 0;
  let flags = 0;
  for (const letter of letters) {
    const bit = FLAG_BITS.get(letter);
    if (bit === undefined) return -1;
    flags |= bit;
  }
  return flags;
}

/** Before 4.0: `P 1:19(18) ack 1 win 5840 <nop,nop,timestamp 1 2>`; `.` stands for no flag but ACK, if that. */
function parseOld(said: string, out: PrintedSegment): boolean {
  const text = said.replace(OLD_CHECKSUM, '');
  const match = OLD.exec(text);
  if (!match || (match[2] === undefined && match[5] === undefined)) return false;
  const flags = readFlags(match[1]!.replaceAll('.', ''));
  if (flags < 0) return false;
  out.ack = match[5] === undefined ? null : Number(match[5]);
  out.flags = flags | (out.ack === null ? 0 : ACK);
  out.seq = match[2] === undefined ? null : Number(match[2]);
  out.payload = match[4] === undefined ? 0 : Number(match[4]);
  out.window = match[6] === undefined ? 0 : Number(match[6]);
  out.truncated = text.includes('[|tcp]');
  const options = /^(?: urg \d{1,5})? <([^>]{0,200})>?/.exec(text.slice(match[0].length));
  out.options = options?.[1] ?? '';
  // a line cut after its flags or numbers is damaged: the window is always printed
  return match[6] !== undefined || out.truncated;
}
