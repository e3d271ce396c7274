/** Every layer there is. Adding one: a file under layers/ and a line here. The first that answers to a number has it. */
import type { Layer } from './cursor.ts';
import { ayiya } from './layers/ayiya.ts';
import { backbone } from './layers/backbone.ts';
import { ciscoHdlc } from './layers/cisco-hdlc.ts';
import { ciscoMetadata } from './layers/cisco-metadata.ts';
import { eTag } from './layers/e-tag.ts';
import { erspan } from './layers/erspan.ts';
import { esp } from './layers/esp.ts';
import { etherIp } from './layers/ether-ip.ts';
import { ethernet } from './layers/ethernet.ts';
import { exportedPdu } from './layers/exported-pdu.ts';
import { fabricPath } from './layers/fabric-path.ts';
import { geneve } from './layers/geneve.ts';
import { gre } from './layers/gre.ts';
import { gtpU } from './layers/gtp-u.ts';
import { icmp } from './layers/icmp.ts';
import { ipAuthentication } from './layers/ip-authentication.ts';
import { ipv4 } from './layers/ipv4.ts';
import { ipv6 } from './layers/ipv6.ts';
import { ipv6Extension } from './layers/ipv6-extension.ts';
import { ipv6Fragment } from './layers/ipv6-fragment.ts';
import { l2tp } from './layers/l2tp.ts';
import { linuxCooked } from './layers/linux-cooked.ts';
import { linuxCooked2 } from './layers/linux-cooked2.ts';
import { llc } from './layers/llc.ts';
import { loopback } from './layers/loopback.ts';
import { macsec } from './layers/macsec.ts';
import { mpls } from './layers/mpls.ts';
import { nonIp } from './layers/non-ip.ts';
import { nsh } from './layers/nsh.ts';
import { opaque } from './layers/opaque.ts';
import { ppp } from './layers/ppp.ts';
import { pppoe } from './layers/pppoe.ts';
import { radiotap } from './layers/radiotap.ts';
import { rawIp } from './layers/raw-ip.ts';
import { redundancyTag } from './layers/redundancy-tag.ts';
import { tcp } from './layers/tcp.ts';
import { teredo } from './layers/teredo.ts';
import { trill } from './layers/trill.ts';
import { udp } from './layers/udp.ts';
import { vlan } from './layers/vlan.ts';
import { vnTag } from './layers/vn-tag.ts';
import { vxlan } from './layers/vxlan.ts';
import { wifi } from './layers/wifi.ts';
import { wireguard } from './layers/wireguard.ts';

export const layers: readonly Layer[] = [
  ethernet,
  ipv4,
  tcp,
  ipv6,
  linuxCooked,
  linuxCooked2,
  vlan,
  llc,
  nonIp,
  loopback,
  rawIp,
  ipv6Extension,
  ipv6Fragment,
  ipAuthentication,
  icmp,
  udp,
  mpls,
  pppoe,
  ppp,
  gre,
  erspan,
  vxlan,
  geneve,
  gtpU,
  teredo,
  ayiya,
  vnTag,
  backbone,
  ciscoMetadata,
  eTag,
  esp,
  etherIp,
  l2tp,
  macsec,
  nsh,
  opaque,
  exportedPdu,
  redundancyTag,
  trill,
  wireguard,
  fabricPath,
  ciscoHdlc,
  radiotap,
  wifi,
];
