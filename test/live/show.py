"""show.py SAMPLE_DIR ... : each connection of expected.json beside its packets (at the server) and its kernel states, to look at."""
import json, subprocess, sys

FIELDS = ['ip.src', 'ipv6.src', 'tcp.srcport', 'ip.dst', 'ipv6.dst', 'tcp.dstport', 'tcp.flags.str', 'tcp.len', 'frame.time_relative']


def packets(folder):
    command = ['tshark', '-r', folder + '/packets.pcap', '-T', 'fields', *[x for field in FIELDS for x in ('-e', field)]]
    for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines():
        source, source6, port, target, target6, target_port, flags, length, when = line.split('\t')
        yield (f'{source}:{port}' if source else f'[{source6}]:{port}', f'{target}:{target_port}' if target else f'[{target6}]:{target_port}',
               flags.replace('·', '').replace('A', '.') + ('' if length == '0' else length) + f'@{float(when):.3f}')


def states(folder):
    """(local port, remote port, new state, time) of each line of `tcpstates -t`"""
    try:
        lines = [line.split() for line in open(folder + '/tcpstates.txt')]
    except OSError:
        return []
    return [(f[-7], f[-5], f[-2], f[0]) for f in lines if len(f) > 9 and f[-3] == '->']


for folder in sys.argv[1:]:
    wire, kernel = list(packets(folder)), states(folder)
    print('#', folder)
    for row in json.load(open(folder + '/expected.json'))['connections']:
        client, server = row['client'], row['server']
        rules = [row[key] for key in ('syn_rule', 'fin_wait2_rule', 'stuck_rule', 'close_rule') if row[key]]
        print(client, '>', server, row['behaviour'], '|', row['close_kind'], 'by', row['closed_by'], *rules, '|', row['note'])
        print('    ', *['>' + what if source == client else '<' + what for source, target, what in wire if (source, target) in ((client, server), (server, client))])
        port, server_port = client.rsplit(':', 1)[1], server.rsplit(':', 1)[1]
        for side, local, remote in ('client', port, server_port), ('server', server_port, port):
            moves = [f'{state}@{when}' for l, r, state, when in kernel if (l, r) == (local, remote)]
            if moves:
                print('    ', side, *moves)
