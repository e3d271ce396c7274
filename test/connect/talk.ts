/** A conversation between two endpoints, written down segment by segment, for tests of the tracker. */
import type { Tracker } from '../../src/connect/tracker.ts';
import { type Endpoint, parseWords } from '../../src/model/address.ts';
import { OPT_WSCALE, Packet } from '../../src/model/packet.ts';
import { ACK, FIN, PSH, RST, SYN } from '../../src/model/tcp.ts';
import type { SourceTime } from '../../src/model/time.ts';

const FLAGS: Record<string, number> = { S: SYN, F: FIN, R: RST, P: PSH, '.': ACK };

export interface SegmentOptions {
  /** Payload bytes. */
  length?: number;
  /** Absolute numbers, where they are not the next ones. */
  seq?: number;
  ack?: number;
  /** Milliseconds since the start; one after the segment before when not given. */
  at?: number;
  vantage?: number;
  window?: number;
  scale?: number;
  ttl?: number;
  checksum?: number;
  snapped?: number;
  encapsulation?: number;
  ipId?: number;
}

export interface TalkOptions {
  client?: Endpoint;
  server?: Endpoint;
  /** Initial sequence numbers. */
  isn?: [number, number];
}

export class Talk {
  readonly packet = new Packet();
  frame = 0;
  /** Milliseconds of the last segment. */
  now = -1;
  /** Next sequence number of either side, signed. */
  next: [number, number];
  readonly #tracker: Tracker;
  readonly #ends: [Endpoint, Endpoint];

  constructor(tracker: Tracker, options: TalkOptions = {}) {
    this.#tracker = tracker;
    this.#ends = [
      options.client ?? { address: '10.0.0.1', port: 40000 },
      options.server ?? { address: '10.0.0.2', port: 8080 },
    ];
    this.next = [(options.isn?.[0] ?? 1000) | 0, (options.isn?.[1] ?? 5000) | 0];
  }

  /** A segment of the client; flags as tcpdump writes them. */
  client(flags: string, options: SegmentOptions = {}): this {
    return this.#send(0, flags, options);
  }

  server(flags: string, options: SegmentOptions = {}): this {
    return this.#send(1, flags, options);
  }

  /** SYN, SYN-ACK, ACK. */
  open(): this {
    return this.client('S').server('S.').client('.');
  }

  /** FIN of the client, its ACK, FIN of the server, its ACK. */
  close(): this {
    return this.client('F.').server('.').server('F.').client('.');
  }

  /** The same segment once more, elsewhere or later. */
  again(options: SegmentOptions = {}): this {
    const p = this.packet;
    if (options.vantage !== undefined) p.vantage = options.vantage;
    this.now = options.at ?? this.now + 1;
    p.time = (this.now * 1e6) as SourceTime;
    p.frame = ++this.frame;
    this.#tracker.packet(p);
    return this;
  }

  #send(side: 0 | 1, flags: string, options: SegmentOptions): this {
    const p = this.packet;
    const from = this.#ends[side];
    const to = this.#ends[1 - side]!;
    [p.src0, p.src1, p.src2, p.src3] = parseWords(from.address)!;
    [p.dst0, p.dst1, p.dst2, p.dst3] = parseWords(to.address)!;
    p.srcPort = from.port;
    p.dstPort = to.port;
    p.flags = [...flags].reduce((bits, letter) => bits | FLAGS[letter]!, 0);
    p.payload = options.length ?? 0;
    p.seq = (options.seq ?? this.next[side]) | 0;
    p.ack = p.flags & ACK ? (options.ack ?? this.next[1 - side]!) | 0 : 0;
    p.window = options.window ?? 500;
    p.options = options.scale === undefined ? 0 : OPT_WSCALE;
    p.windowScale = options.scale ?? 0;
    p.ttl = options.ttl ?? 64;
    p.vantage = options.vantage ?? 0;
    p.checksum = options.checksum ?? 0;
    p.snapped = options.snapped ?? 0;
    p.encapsulation = options.encapsulation ?? 0;
    p.ipId = options.ipId ?? 0;
    const end = (p.seq + p.payload + (p.flags & SYN ? 1 : 0) + (p.flags & FIN ? 1 : 0)) | 0;
    const isRst = (p.flags & RST) !== 0;
    if (!isRst && (p.flags & SYN || ((end - this.next[side]) | 0) > 0)) this.next[side] = end;
    return this.again({ at: options.at ?? this.now + 1 });
  }
}
