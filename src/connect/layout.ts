/**
 * Where a connection's facts stand in its record. One record is one stretch of memory, so that a packet touches a few
 * neighbouring cache lines; what only troubled connections need (resets, retransmissions, zero windows, holes) stands
 * in a second record that is made when it is first needed, and key packets stand in records of their own.
 * Offsets in words. Doubles are at even offsets.
 */

/** Four words of address of the side seen first, four of the other, and both ports in one word. */
export const ADDRESS = 0;
export const PORTS = 8;
/** What the first FIN acknowledged, until the other side's comes. */
export const FIRST_FIN_ACK = 9;
/** Number of the encapsulation path (16 bits), TTL of the first packet of side 0 and of side 1 (8 bits each). */
export const PATH = 10;
export const TTL_SHIFT = 16;
export const START_FRAME = 11;
/** Bits of the connection, see below. */
export const BITS = 12;
export const DUPLICATES = 13;
/** Latest of the kept key packets, linked from late to early; and how many are kept, how many were not. */
export const KEYS = 14;
export const KEYS_KEPT = 15;
export const KEYS_DROPPED = 16;
/** Record of what went wrong, 0 for none. */
export const TROUBLE = 17;
/** Zeek's history: 24 letters of five bits. */
export const HISTORY = 18;
export const HISTORY_WORDS = 4;
/** Order of first sight; 1 for the first connection. */
export const SERIAL = 22;
/** Hash of the 4-tuple. */
export const HASH = 23;
/** Doubles: time of the first packet; time at which Zeek saw the connection closed, NaN before. */
export const START = 24;
export const CLOSED_AT = 26;
/** Of either side: when it last sent something new, in microseconds of which 32 bits are kept. */
export const NEXT_TIMES = 28;
/** The longest time without any packet that something new ended: when it ended, after the first packet, and how long it was; ms. */
export const SILENCE_END = 30;
export const SILENCE = 31;
/** The two sides, side 0 the one seen first. */
export const SIDES = 32;
export const SIDE_STRIDE = 32;
export const CONNECTION_STRIDE = SIDES + 2 * SIDE_STRIDE;

/** Of each side: double time of its last packet, double payload bytes without retransmissions. */
export const LAST_TIME = 0;
export const BYTES = 2;
export const PACKETS = 4;
export const SYNS = 5;
export const SYN_ACKS = 6;
export const FINS = 7;
/** Initial sequence number; midstream one less than the first sequence number seen. */
export const ISN = 8;
/** One more than the highest sequence number sent, SYN and FIN included. */
export const NEXT = 9;
/** Highest acknowledgment sent. */
export const ACKED = 10;
/** Everything below was seen, or acknowledged without being seen. */
export const WHOLE = 11;
/** One more than the sequence number of the FIN. */
export const FIN_END = 12;
/** Bits of the side, see below. */
export const SIDE_BITS = 13;
/** Vantage point at which the side's packets are counted. */
export const HOME = 14;
/** Key packet that is the side's last packet, 0 when that is none. */
export const LAST_KEY = 15;
/** The side's last packet in eight packed words, see PACKED below. */
export const LAST_PACKET = 16;
/**
 * The side's last packet that acknowledged less than the last one does, a key packet that is not linked yet; 0 when it
 * is one for other reasons, when there is none, and when both FINs are acknowledged.
 */
export const PREVIOUS = 24;
/** Copies of the side's last packet that were seen. */
export const COPIES = 25;
/** Doubles, NaN for none: time of the side's first FIN, and of the other's first packet that acknowledges it. */
export const FIN_AT = 26;
export const FIN_ACKED_AT = 28;
/** Double, NaN for none: time of the side's first SYN; once its third segment has come, the time from that to a bare ACK. */
export const HANDSHAKE = 30;

/** A packet packed into eight words, in a side and in a key packet. */
export const PACKED_SEQ = 0;
export const PACKED_ACK = 1;
/** Payload << 9 | flags. */
export const PACKED_FLAGS = 2;
/** IP identification << 16 | window. */
export const PACKED_WINDOW = 3;
/** TTL << 10 | options; the 14 bits above are free. */
export const PACKED_OPTIONS = 4;
export const PACKED_TS_VAL = 5;
export const PACKED_TS_ECR = 6;
export const PACKED_FRAME = 7;
/** Payload beyond this (8 MB, no IP packet is so long) is stored as this. */
export const PACKED_PAYLOAD_MAX = (1 << 23) - 1;

/** A key packet: link to the one kept before, vantage point, the packet packed, its time. */
export const KEY_LINK = 0;
export const KEY_VANTAGE = 1;
export const KEY_PACKET = 2;
export const KEY_TIME = 10;
export const KEY_STRIDE = 12;
/** Its side (bit 31) and the reasons it is kept for (13 bits from 18) share the word of the options. */
export const KEY_WHY = KEY_PACKET + PACKED_OPTIONS;
export const KEY_WHY_SHIFT = 18;
export const KEY_WHY_MASK = 0x1fff;
export const KEY_SIDE_SHIFT = 31;

/** What went wrong, of each side, and what few captures tell. */
export const RSTS = 0;
export const RETRANSMITS = 1;
export const KEEPALIVES = 2;
export const ZERO_WINDOWS = 3;
/** First block of sequence space seen above a hole. */
export const BLOCKS = 4;
export const LAST_RST = 5;
/** Window of the last packet that was no RST plus 1, negative when that was a SYN; 0 when there was none. */
export const WINDOW_BEFORE_RST = 6;
/** Key packet of the latest SYN beyond the first ones, overwritten by the next. */
export const ROLLING_SYN = 7;
/** Zeek's counts of retransmissions, zero windows, gaps and bad checksums. */
export const ZEEK_COUNTS = 8;
/** Packet.process of the first packet that names the process at this side. */
export const PROCESS = 12;
/** Stretch of payload that the capture does not hold (snap length) and the peer has not acknowledged; empty: none. */
export const SNAPPED_FROM = 13;
export const SNAPPED_TO = 14;
export const OUT_OF_ORDER = 15;
export const WINDOW_PROBES = 16;
/** Duplicate ACKs in a row. */
export const DUPLICATE_ACKS = 17;
/**
 * Sent again since the other side was last heard: how often; doubles: when the side had last sent something new before
 * that, and when it sent something again for the last time.
 */
export const REPEATS = 18;
/** Keepalive probes since the other side was last heard. */
export const UNANSWERED_KEEPALIVES = 19;
export const REPEATS_SINCE = 20;
export const REPEATS_LAST = 22;
/** Double: time of the first RST. */
export const RST_AT = 24;
/**
 * When the side closed its window for the latest time (RFC 9293 3.8.6.1; double), and how many closed windows of its, and
 * probes of the other side, there had been before.
 */
export const WINDOW_CLOSED_AT = 26;
export const CLOSED_BEFORE = 28;
export const PROBES_BEFORE = 29;
export const TROUBLE_SIDE_STRIDE = 30;
export const TROUBLE_STRIDE = 2 * TROUBLE_SIDE_STRIDE;

/** A block of seen sequence space: link to the next higher block, first and one past the last number. */
export const BLOCK_LINK = 0;
export const BLOCK_FROM = 1;
export const BLOCK_TO = 2;
export const BLOCK_STRIDE = 4;

/** Bits of BITS: what the orientation rests on, and which side is the client and which Zeek's originator. */
export const ORIENTATION_MASK = 3;
export const ORIENTED_BY_SYN_ACK = 1;
export const ORIENTED_BY_SYN = 2;
export const CLIENT_BIT = 1 << 2;
export const ORIGINATOR_BIT = 1 << 3;
/** Zeek: close seen, but data before it is still missing. */
export const CLOSE_DEFERRED = 1 << 4;
/** Zeek: more letters than the history holds. */
export const HISTORY_FULL = 1 << 5;
export const HISTORY_LENGTH_SHIFT = 6;
export const HISTORY_LENGTH_MASK = 31;
/** Wireshark's completeness, six bits. */
export const COMPLETENESS_SHIFT = 11;
export const COMPLETENESS_MASK = 63;
/** Window scales, four bits a side. */
export const SCALE_SHIFT = 17;
/** Whose FIN was first: 0 for none, side + 1, or neither acknowledges the other. */
export const FIRST_FIN_SHIFT = 27;
export const FIRST_FIN_MASK = 3;
export const FIRST_IS_BOTH = 3;
/** Waits among those that are finished, to be packed away. */
export const QUEUED = 1 << 25;
/** The tuple had another life before or after this one. */
export const REUSED = 1 << 26;

/** Bits of SIDE_BITS. */
export const STARTED = 1;
export const ISN_SEEN = 1 << 1;
export const ACK_SEEN = 1 << 2;
export const FIN_ACKED = 1 << 3;
export const DATA_SEEN = 1 << 4;
export const SCALE_SEEN = 1 << 5;
/** A SYN sender has acknowledged something: no later ACK can be the third of the handshake. */
export const THIRD_SEEN = 1 << 6;
export const DIRECTION_SHIFT = 7;
export const DIRECTION_MASK = 3;
/** Zeek's endpoint state, the state before it, and whether it was reported closed. */
export const STATE_SHIFT = 9;
export const PREVIOUS_SHIFT = 12;
export const STATE_MASK = 7;
export const DID_CLOSE = 1 << 15;
/** Letters that a history holds once per side: eight bits from here. */
export const LETTERS_SHIFT = 16;
/** Packets with payload after the peer's FIN, counted to four. */
export const AFTER_FIN_SHIFT = 24;
export const AFTER_FIN_MASK = 7;
/** The last number sent is the byte of a probe of the closed window. */
export const PROBED = 1 << 27;
/** The side's last packet is a keepalive. */
export const WAS_KEEPALIVE = 1 << 28;
/** A FIN outside the window was seen, which ends at FIN_END, and none inside. */
export const FIN_DOUBTED = 1 << 29;
/** Whose its first SYN or SYN-ACK is, see model/stack.ts: the two highest bits. */
export const STACK_SHIFT = 30;
