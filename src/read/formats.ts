/** The formats that can be read, in the order in which they are asked. Adding one: its file and a line here. */
import { pcap } from './capture/pcap.ts';
import { pcapng } from './capture/pcapng.ts';
import type { CaptureFormat, LineFormat } from './importer.ts';
import { bpftraceWalk } from './lines/bpftrace-walk.ts';
import { conntrack } from './lines/conntrack.ts';
import { conntrackStats } from './lines/conntrack-stats.ts';
import { dropwatch } from './lines/dropwatch.ts';
import { hubble } from './lines/hubble.ts';
import { kernelLog } from './lines/kernel-log.ts';
import { kernelTrace } from './lines/kernel-trace.ts';
import { libbpfStates } from './lines/libbpf-states.ts';
import { lsof } from './lines/lsof.ts';
import { netfilterLog } from './lines/netfilter-log.ts';
import { netstat } from './lines/netstat.ts';
import { netstatBsd } from './lines/netstat-bsd.ts';
import { netstatS } from './lines/netstat-s.ts';
import { netstatWindows } from './lines/netstat-windows.ts';
import { nettrace } from './lines/nettrace.ts';
import { nstat } from './lines/nstat.ts';
import { procNet } from './lines/proc-net.ts';
import { procNetTcp } from './lines/proc-net-tcp.ts';
import { pwru } from './lines/pwru.ts';
import { retis } from './lines/retis.ts';
import { retisText } from './lines/retis-text.ts';
import { ss } from './lines/ss.ts';
import { stateCounts } from './lines/state-counts.ts';
import { sysctl } from './lines/sysctl.ts';
import { tcpCalls } from './lines/tcp-calls.ts';
import { tcpdrop } from './lines/tcpdrop.ts';
import { tcpdropBt } from './lines/tcpdrop-bt.ts';
import { tcpdump } from './lines/tcpdump.ts';
import { tcpdumpQuiet } from './lines/tcpdump-quiet.ts';
import { tcplife } from './lines/tcplife.ts';
import { tcpretrans } from './lines/tcpretrans.ts';
import { tcpstates } from './lines/tcpstates.ts';
import { tcpsynbl } from './lines/tcpsynbl.ts';
import { tcptracer } from './lines/tcptracer.ts';
import { tsharkFields } from './lines/tshark-fields.ts';
import { wiresharkList } from './lines/wireshark-list.ts';

export const captureFormats: readonly CaptureFormat[] = [pcapng, pcap];

export const lineFormats: readonly LineFormat[] = [
  tcpstates,
  tcpdrop,
  tcpdropBt,
  netfilterLog,
  kernelLog,
  dropwatch,
  conntrack,
  conntrackStats,
  hubble,
  tcptracer,
  tcpCalls,
  tcplife,
  tcpretrans,
  tcpsynbl,
  tcpdumpQuiet,
  tcpdump,
  wiresharkList,
  tsharkFields,
  lsof,
  netstatBsd,
  netstat,
  netstatWindows,
  netstatS,
  procNetTcp,
  stateCounts,
  ss,
  nstat,
  procNet,
  sysctl,
  bpftraceWalk,
  libbpfStates,
  kernelTrace,
  retis,
  retisText,
  nettrace,
  pwru,
];
