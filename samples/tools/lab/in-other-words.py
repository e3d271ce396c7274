"""Writes what was recorded in samples/live/closed-port in the notations of retis, nettrace and pwru, which do not run here.

    in-other-words.py        (writes ../retis/retis.json, ../retis-text/retis-print.txt, ../nettrace/nettrace-drop.txt, ../pwru/pwru.txt, ../pwru/pwru.json)

Packets, times, reasons, functions and the missing socket are those of the recording; only the layout is another, and
what no recording of ours has (CPU numbers, inodes, addresses of buffers) is filled in.
"""
import base64
import json
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
LIVE = HERE.parent / 'live/closed-port/6.18'
OFFSET = 1795211765_234740000  # CLOCK_REALTIME - CLOCK_MONOTONIC of that recording, from resets.bt and packets.pcap
NETNS = {'server': 4026532741, 'client': 4026532867}
FLAGS = ((2, 'SYN'), (1, 'FIN'), (4, 'RST'), (8, 'PSH'), (16, 'ACK'))


def packets(name):
    data = (LIVE / name).read_bytes()
    at = 24
    while at < len(data):
        sec, ns, captured, length = struct.unpack_from('<IIII', data, at)
        yield sec * 10**9 + ns, data[at + 16 : at + 16 + captured], length
        at += 16 + captured


def ends(raw):
    source, destination = ('.'.join(map(str, raw[i : i + 4])) for i in (26, 30))
    sport, dport, seq, ack = struct.unpack_from('>HHII', raw, 34)
    return f'{source}:{sport}', f'{destination}:{dport}', seq, ack, raw[47]


def retis(time, raw, length, who, symbol, comm, **more):
    probe = {'symbol': symbol, 'probe_type': 'raw_tracepoint'}
    task = {'pid': 3062, 'tgid': 3062, 'comm': comm}
    return {
        'common': {'timestamp': time, 'smp_id': 1, 'task': task},
        'kernel': probe,
        'skb-tracking': {'orig_head': 18446619372617628672, 'timestamp': time, 'skb': 18446619372874141952},
        **more,
        'netns': {'cookie': 3, 'inum': NETNS[who]},
        'packet': {'len': length, 'capture_len': len(raw), 'data': base64.b64encode(raw).decode()},
    }


def recorded():
    """(time on the monotonic clock, packet, kind) in order."""
    rows = []
    for name, who in (('packets.pcap', 'server'), ('client.pcap', 'client')):
        for time, raw, length in packets(name):
            rows.append((time - OFFSET, raw, length, who))
    return sorted(rows, key=lambda r: r[0])


def main():
    lines = [{'common': {'timestamp': 3061_000000000}, 'startup': {
        'retis_version': 'v1.6.0', 'cmdline': 'collect -p generic -o',
        'clock_monotonic_offset': {'sec': OFFSET // 10**9, 'nsec': OFFSET % 10**9}}}]
    drops = []
    for time, raw, length, who in recorded():
        _, destination, _, _, flags = ends(raw)
        out = (who == 'client') == destination.endswith(':8080')
        symbol = 'net:net_dev_start_xmit' if out else 'net:netif_receive_skb'
        dev = {'name': 'eth0', 'ifindex': 2}
        lines.append(retis(time, raw, length, who, symbol, 'client', dev=dev))
        if who == 'server' and flags == 2:
            received = {**dev, 'rx_ifindex': 2}
            lines.append(retis(time + 20000, raw, length, who, 'tcp:tcp_send_reset', 'client', dev=received,
                               sock={'reset_reason': 'NO_SOCKET'}))
            lines.append(retis(time + 40000, raw, length, who, 'skb:kfree_skb', 'client',
                               **{'skb-drop': {'drop_reason': 'NO_SOCKET'}}, dev=received))
            drops.append((time + 40000, raw))
    lines.sort(key=lambda e: e['common']['timestamp'])
    write('retis/retis.json', (json.dumps(e, separators=(',', ':')) for e in lines))
    write('retis-text/retis-print.txt', (row for e in lines for row in retis_text(e)))
    write('nettrace/nettrace-drop.txt', ['begin trace...', *map(nettrace, drops), 'end trace...'])
    write('pwru/pwru.txt', [
        'SKB                CPU PROCESS          NETNS      MARK/x        IFACE       PROTO  MTU   LEN   TUPLE FUNC',
        *(row for drop in drops for row in pwru(drop))])
    write('pwru/pwru.json', (json.dumps(pwru_json(drop), separators=(',', ':')) for drop in drops))


def retis_text(event):
    common = event['common']
    if 'startup' in event:
        yield f"{common['timestamp']} Retis version {event['startup']['retis_version'][1:]}"
        return
    drop = f" drop (reason {event['skb-drop']['drop_reason']})" if 'skb-drop' in event else ''
    tracking = event['skb-tracking']
    yield (f"{common['timestamp']} ({common['smp_id']}) [{common['task']['comm']}] {common['task']['pid']} [tp] "
           f"{event['kernel']['symbol']} #{tracking['timestamp']:x}{tracking['orig_head']:x} (skb {tracking['skb']:x}){drop}")
    dev = event['dev']
    yield f"  ns 0x{event['netns']['cookie']:x}/{event['netns']['inum']} if {dev['ifindex']} ({dev['name']})" + (
        f" rxif {dev['rx_ifindex']}" if 'rx_ifindex' in dev else '')
    raw = base64.b64decode(event['packet']['data'])
    (source, sport), (destination, dport) = (e.split(':') for e in ends(raw)[:2])
    seq, ack, flags = ends(raw)[2:]
    ttl, = raw[22:23]
    length, ident, offset = struct.unpack_from('>HHH', raw, 16)
    letters = ''.join(l for bit, l in ((1, 'F'), (2, 'S'), (4, 'R'), (8, 'P'), (16, '.')) if flags & bit)
    window, = struct.unpack_from('>H', raw, 48)
    yield (f'  {source}.{sport} > {destination}.{dport} tos 0x0 ttl {ttl} id {ident} off 0{" [DF]" if offset & 0x4000 else ""} '
           f'len {length} proto TCP (6) flags [{letters}] seq {seq}{f" ack {ack}" if flags & 16 else ""} win {window}{options(raw)}')
    if 'sock' in event:
        yield f"  (rst reason {event['sock']['reset_reason']})"


def options(raw):
    said, at, end = [], 54, 34 + (raw[46] >> 4) * 4
    while at < end:
        kind = raw[at]
        if kind == 1:
            said.append('nop')
            at += 1
            continue
        value = raw[at + 2 : at + raw[at + 1]]
        said.append({2: lambda: f'mss {int.from_bytes(value, "big")}', 3: lambda: f'wscale {value[0]}', 4: lambda: 'sackOK',
                     8: lambda: f'TS val {int.from_bytes(value[:4], "big")} ecr {int.from_bytes(value[4:], "big")}'}[kind]())
        at += raw[at + 1]
    return f' [{",".join(said)}]' if said else ''


def nettrace(drop):
    time, raw = drop
    source, destination, seq, ack, flags = ends(raw)
    letters = ''.join(l for bit, l in ((2, 'S'), (16, 'A'), (4, 'R'), (8, 'P')) if flags & bit)
    return (f'[{time // 10**9}.{time % 10**9 // 1000:06}] TCP: {source} -> {destination} seq:{seq}, ack:{ack}, '
            f'flags:{letters}, reason: NO_SOCKET, tcp_v4_rcv+0x81')


def pwru(drop):
    source, destination, *_ = ends(drop[1])
    for function in ('ip_rcv_core', 'tcp_v4_rcv', 'tcp_v4_send_reset', 'kfree_skb_reason(SKB_DROP_REASON_NO_SOCKET)'):
        yield (f'{"0xffff8b7f0331f800":18} {1:<3} {"~3/client.py:311":16} {NETNS["server"]:<10} {0:<8} {"eth0:2":^16} '
               f'0x0800 {1500:<5} {60:<5} {source}->{destination}(tcp) {function}')


def pwru_json(drop):
    source, destination, _, _, flags = ends(drop[1])
    names = '|'.join(name for bit, name in FLAGS if flags & bit)
    (saddr, sport), (daddr, dport) = source.split(':'), destination.split(':')
    return {'skb': '0xffff8b7f0331f800', 'cpu': 1, 'process': '~3/client.py:311',
            'func': 'sk_skb_reason_drop(SKB_DROP_REASON_NO_SOCKET)', 'time': '2026-11-21T05:07:07.708',
            'netns': NETNS['server'], 'iface': 'eth0:2', 'proto': 2048, 'mtu': 1500, 'len': 60,
            'tuple': {'saddr': saddr, 'daddr': daddr, 'sport': int(sport), 'dport': int(dport), 'proto': 6, 'flags': names}}


def write(name, lines):
    (HERE / name).write_text('\n'.join(lines) + '\n')


main()
