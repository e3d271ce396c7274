/**
 * Wireshark's and tshark's list of packets with its default columns: as tshark prints it, as `-T tabs`, as the export to
 * plain text (without arrow between the addresses), and as CSV. Ports, flags and numbers stand in the Info column. Numbers
 * are relative to the first of each direction unless that was switched off; windows are scaled where the SYNs are there.
 */
import { formatWords, parseWords } from '../../model/address.ts';
import { hostNameWords } from '../../model/hostnames.ts';
import { ownText } from '../../model/own-text.ts';
import { Packet } from '../../model/packet.ts';
import type { SourceTime } from '../../model/time.ts';
import type { LineFormat, LineReader, Section } from '../importer.ts';
import { runs } from './shared/command.ts';
import { isAddressText } from './shared/endpoints.ts';
import { SectionSource } from './shared/section.ts';
import { diagnoseService } from './shared/services.ts';
import { emitIcmp, LastSegments } from './tcpdump/icmp.ts';
import { ListClock } from './wireshark-list/clock.ts';
import { Columns, type ListRow } from './wireshark-list/columns.ts';
import { Conversations } from './wireshark-list/conversations.ts';
import { listedIcmp } from './wireshark-list/icmp.ts';
import { parseInfo, type SegmentInfo } from './wireshark-list/info.ts';

/** Details that a printed packet has below its row. */
const DETAIL =
  /^(?:Frame \d{1,9}: |Ethernet II, |Linux cooked capture|Raw packet data|Internet Protocol|Transmission Control Protocol, |0[\da-f]{3} {2}(?:[\da-f]{2} ){1,16})|^ {4}(?:\S| {4})/;
const MAX_ADDRESSES = 65_536;
/** Protocols of the list that are not carried by TCP. */
const NOT_TCP =
  /^(?:ARP|ICMP(?:v6)?|IGMP(?:v\d)?|UDP|MDNS|LLMNR|SSDP|NTP|DHCP(?:v6)?|QUIC|STP|RSTP|MSTP|LLDP|CDP|EAPOL|OSPF|VRRP|HSRP|ESP|AH|GRE|SCTP|RADIUS|SNMP|TFTP|WireGuard|PIMv2|LOOP|IPv6|IPv4)$/;

type Words = readonly [number, number, number, number];

export const wiresharkList: LineFormat = {
  id: 'wireshark-list',
  title: 'packet list of Wireshark and tshark (text, tabs, CSV)',
  clock: 'relative',
  proves: 'Which segments passed the point of the capture, with ports, flags, numbers and options.',
  cannotProve:
    'What IP identification would tell, and without a column of it the TTL; the segments that it shows as a protocol above TCP, without ports and numbers; and what the kernel did.',
  example:
    '    2   0.000040   192.0.2.10 → 198.51.100.7 TCP 54 8080 → 44013 [RST, ACK] Seq=1 Ack=1 Win=0 Len=0',
  command: runs('tshark', /(?=\s|$)(?![^|]*\s(?:-\w*w\s|-T\s?(?:fields|json|ek|pdml|psml)|-V))/),
  recognises: (line) => {
    if (Columns.isHeader(line)) return true;
    const row = line.includes('] ') ? recognised.row(line) : null;
    return row !== null && parseInfo(row.info) !== null;
  },
  open: (section) => new WiresharkListReader(section),
};

const recognised = new Columns();

class WiresharkListReader implements LineReader {
  readonly #source: SectionSource;
  readonly #sink: Section['context']['sink'];
  readonly #columns = new Columns();
  readonly #clock: ListClock;
  readonly #conversations = new Conversations();
  readonly #packet = new Packet();
  readonly #sent = new LastSegments();
  readonly #addresses = new Map<string, Words>();

  constructor(section: Section) {
    this.#source = new SectionSource(section, wiresharkList.id);
    this.#sink = section.context.sink;
    this.#clock = new ListClock(section.command);
  }

  line(text: string, number: number): boolean {
    if (this.#columns.header(text)) return true;
    const row = this.#columns.row(text);
    if (!row || !isAddressText(row.source) || !isAddressText(row.destination))
      return this.#source.made !== null && DETAIL.test(text);
    // of each row: it may be the time since the row before
    const time = this.#time(text, row);
    const info = parseInfo(row.info);
    if (info) this.#emit(row, info, number, time);
    else if (row.protocol.startsWith('ICMP')) this.#icmp(row, number, time);
    else if (row.protocol === 'TCP') return this.#source.made !== null && this.#unread(row, number);
    else this.#above(row, number, time);
    return true;
  }

  #time(text: string, { time }: ListRow): SourceTime {
    return this.#clock.read(time, Number(/^\s*"?(\d{1,9})["\s,]/.exec(text)?.[1] ?? 0));
  }

  #emit(row: ListRow, info: SegmentInfo, number: number, time: SourceTime): void {
    const source = this.#source.open(this.#clock.clock!);
    const p = this.#packet;
    p.frame = number;
    p.time = time;
    [p.src0, p.src1, p.src2, p.src3] = this.#words(row.source);
    [p.dst0, p.dst1, p.dst2, p.dst3] = this.#words(row.destination);
    p.srcPort = info.sourcePort;
    p.dstPort = info.destinationPort;
    p.flags = info.flags;
    p.payload = info.payload;
    p.ttl = row.ttl;
    p.options = info.options;
    p.optionOrder = info.order;
    p.mss = info.mss;
    p.windowScale = info.scale;
    p.tsVal = info.tsVal;
    p.tsEcr = info.tsEcr;
    Object.assign(p, this.#conversations.resolve(row.source, row.destination, info));
    source.records++;
    this.#sent.sent({ source: row.source, destination: row.destination, ...info }, time);
    this.#sink.packet(source, p);
    if (info.unknownService) diagnoseService(this.#source, number, info.unknownService);
    if (this.#clock.fell) this.#falls(number);
  }

  #falls(number: number): void {
    this.#clock.fell = false;
    this.#source.diagnose(
      'times-fall',
      'info',
      number,
      'times that fall: taken for times since the packet before (a column of deltas), and added up',
    );
  }

  #unread(row: ListRow, number: number): boolean {
    this.#source.diagnose(
      'info-not-read',
      'data-loss',
      number,
      'TCP segments whose Info column does not show ports and flags; the first',
      row.info,
    );
    return true;
  }

  /** An error is about the segment that was just sent: its ports stand in no column. */
  #icmp(row: ListRow, number: number, time: SourceTime): void {
    const error = listedIcmp(row);
    if (!error) {
      this.#above(row, number, time);
      return;
    }
    const about = this.#sent.about(error, time);
    const address = (printed: string) => formatWords(...this.#words(printed));
    emitIcmp(this.#source, this.#clock.clock!, number, time, error, about, address);
  }

  #above(row: ListRow, number: number, time: SourceTime): void {
    this.#sent.other(row.source, time);
    if (NOT_TCP.test(row.protocol))
      this.#source.diagnose('not-tcp', 'info', number, 'packets of other protocols, not read');
    else
      this.#source.diagnose(
        'info-above-tcp',
        'data-loss',
        number,
        'packets that the list shows as a protocol above TCP, so that ports and numbers are missing; give the capture itself, or export the list with that protocol disabled; the first',
        `${row.protocol} ${row.info}`,
      );
  }

  #words(address: string): Words {
    const known = this.#addresses.get(address);
    if (known) return known;
    if (this.#addresses.size >= MAX_ADDRESSES) this.#addresses.clear();
    const words = parseWords(address) ?? hostNameWords(address);
    this.#addresses.set(ownText(address), words);
    return words;
  }

  end(): void {}
}
