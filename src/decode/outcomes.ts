/** What can come of a frame. All are smaller than any announcement, so that a layer can return either. */
import type { DiagnosticSeverity } from '../model/diagnostic.ts';

export interface Outcome {
  id: string;
  /** null: nothing to report. */
  severity: DiagnosticSeverity | null;
  /** Completes "12 frames: …". */
  message: string;
}

/** The frame holds a TCP segment. */
export const TCP = 0;
export const NOT_TCP = 1;
export const NOT_IP = 2;
export const FRAGMENT = 3;
export const UNKNOWN_ETHERTYPE = 4;
export const UNKNOWN_LINK_TYPE = 5;
export const TRUNCATED_LINK = 6;
export const TRUNCATED_IP = 7;
export const TRUNCATED_TCP = 8;
export const BAD_IP_HEADER = 9;
export const BAD_TCP_HEADER = 10;
export const TOO_DEEP = 11;
export const WIFI_UNREADABLE = 12;
export const ENCRYPTED = 13;
export const UNKNOWN_TUNNEL = 14;
/** An ICMP error that quotes a TCP segment: the packet holds what is quoted of it, and Cursor.icmp the rest. */
export const ICMP_ERROR = 15;

/** Indexed by the constants above. */
export const OUTCOMES: readonly Outcome[] = [
  { id: 'tcp', severity: null, message: 'TCP segments' },
  { id: 'not-tcp', severity: 'info', message: 'IP packets of other protocols than TCP, not analysed' },
  { id: 'not-ip', severity: 'info', message: 'frames without IP (ARP, LLDP, spanning tree …), not analysed' },
  {
    id: 'fragment',
    severity: 'info',
    message: 'fragments of IP packets with TCP before the last, counted with it as one packet',
  },
  {
    id: 'unknown-ethertype',
    severity: 'data-loss',
    message: 'frames of a protocol that is not decoded; TCP within is not seen',
  },
  {
    id: 'unknown-link-type',
    severity: 'data-loss',
    message: 'frames of a link type that is not decoded; TCP within is not seen',
  },
  {
    id: 'truncated-link',
    severity: 'data-loss',
    message: 'frames cut before the end of their link or tunnel header',
  },
  { id: 'truncated-ip', severity: 'data-loss', message: 'packets cut before the end of their IP header' },
  {
    id: 'truncated-tcp',
    severity: 'data-loss',
    message: 'segments cut before the end of their TCP header (snap length too small)',
  },
  { id: 'bad-ip-header', severity: 'data-loss', message: 'packets whose IP header contradicts itself' },
  { id: 'bad-tcp-header', severity: 'data-loss', message: 'segments whose TCP header contradicts itself' },
  {
    id: 'too-deep',
    severity: 'data-loss',
    message: 'frames with more headers inside each other than any real one',
  },
  {
    id: 'wifi-unreadable',
    severity: 'data-loss',
    message: 'Wi-Fi frames that are encrypted, fragmented or aggregated; TCP within is not seen',
  },
  {
    id: 'encrypted',
    severity: 'data-loss',
    message: 'packets that are encrypted (ESP, MACsec, WireGuard); TCP within is not seen',
  },
  {
    id: 'unknown-tunnel',
    severity: 'data-loss',
    message: 'packets in a tunnel or compression that is not decoded; TCP within is not seen',
  },
  { id: 'icmp-error', severity: null, message: 'ICMP errors about TCP segments' },
];
