"""What is left of a batch when not all of it is at hand: reductions of its evidence, each a list of inputs for `analyze`."""
import gzip, json, os, re, shutil, struct

HEADER = {0xa1b2c3d4: ('<', 1000), 0xa1b23c4d: ('<', 1)}
NUMBER = re.compile(r' (t|ns|devns|lport|rport|sport|dport)=(\d+)')


def read(path):
    for name in (path, path + '.gz'):
        if os.path.exists(name):
            return (gzip.open if name.endswith('.gz') else open)(name, 'rb').read()
    return b''


def frames(data):
    """(time in ns, whole record, (source port, destination port) or None, offset of the first) of a classic pcap of this machine."""
    if len(data) < 24:
        return
    order, scale = HEADER[struct.unpack('<I', data[:4])[0]]
    link, at = struct.unpack(order + 'I', data[20:24])[0], 24
    while at + 16 <= len(data):
        seconds, part, length, _ = struct.unpack(order + 'IIII', data[at:at + 16])
        body = data[at + 16:at + 16 + length]
        yield seconds * 10**9 + part * scale, data[at:at + 16 + length], ports_of(body, link)
        at += 16 + length


def ports_of(body, link):
    skip = {1: 14, 113: 16, 276: 20}[link]
    ip = body[skip:]
    if ip and ip[0] >> 4 == 4 and ip[9] == 6:
        return struct.unpack('>HH', ip[(ip[0] & 15) * 4:][:4])
    if ip and ip[0] >> 4 == 6 and ip[6] == 6:
        return struct.unpack('>HH', ip[40:44])
    return None


def packets(path, target, keep):
    """Copies the records for which keep(time, ports) holds."""
    data = read(path)
    with open(target, 'wb') as out:
        out.write(data[:24])
        for at, record, ports in frames(data):
            if keep(at, ports):
                out.write(record)
    return target


class Events:
    """events.jsonl of a bundle, and the part of it that some hosts, times, or ports have."""

    def __init__(self, folder):
        self.lines = read(f'{folder}/events.jsonl').decode('utf8', 'replace').splitlines()
        self.manifest = json.loads(read(f'{folder}/manifest.json'))
        real = next((a for a in self.manifest['clock']['anchors'] if a['method'] == 'tracer'), None)
        self.offset = int(real['realtime_ns']) - int(real['event_ns'])

    def write(self, folder, keep, begin=None):
        """keep(time in ns of CLOCK_REALTIME, fields); begin: the capture is made to begin then."""
        out, count = [], 0
        for line in self.lines:
            if '"printf"' not in line:
                if '@emitted' not in line:
                    out.append(line)
                continue
            found = dict((k, int(v)) for k, v in NUMBER.findall(line))
            kind = re.search(r'"data": "([a-z-]+)', line).group(1)
            at = found.get('t', 0) + self.offset
            if kind == 'begin' and begin:
                line = re.sub(r't=\d+ real=[\d.]+', f't={begin - self.offset} real={begin / 1e9:.6f}', line)
            if kind in ('begin', 'end', 'tick', 'date-exec', 'date-exit'):
                out.append(line)
            elif keep(at, found, line):
                out.append(line)
                count += 1
        out.append(json.dumps({'type': 'map', 'data': {'@emitted': count}}))
        open(f'{folder}/events.jsonl', 'w').write('\n'.join(out) + '\n')
        self.manifest['events']['emitted'] = count


def belongs(namespace, addresses):
    """Whether the kernel of that host said it: by its namespace, else by the address it speaks for."""
    def keep(_, found, line):
        if found.get('ns', 0) >= 4026531832:
            return found['ns'] == namespace
        if found.get('devns', 0) >= 4026531832:
            return found['devns'] == namespace
        return any(f'{key}={prefix}{a} ' in line for key in (' l', ' dst') for a in addresses for prefix in ('', '::ffff:'))
    return keep


def bundle(source, target, keep=lambda *_: True, pcap=None, tables=True, begin=None, end=None):
    """A bundle of `source` with fewer events; pcap: the packets in it (a path), or none; tables: counters and sockets."""
    os.makedirs(target, exist_ok=True)
    events = Events(source)
    fits = lambda at, *rest: (not begin or at >= begin) and (not end or at < end) and keep(at, *rest)  # noqa: E731
    events.write(target, fits, begin)
    for name in ('reasons.json', 'sysctl.txt'):
        open(f'{target}/{name}', 'wb').write(read(f'{source}/{name}'))
    if pcap:
        packets(pcap, f'{target}/packets.pcap', lambda at, _: (not begin or at >= begin) and (not end or at < end))
    if tables:
        for name in ('counters.jsonl', 'sockets.jsonl'):
            rows = [r for r in read(f'{source}/{name}').splitlines() if cut(json.loads(r), events.offset, begin, end)]
            open(f'{target}/{name}', 'wb').write(b'\n'.join(rows) + b'\n')
    m = events.manifest
    if begin:
        m['started'] = dict(boottime_ns=str(begin - events.offset), realtime_s=begin // 10**9)
    if end:
        m['ended'] = None
    m['files'] = {f: os.path.getsize(f'{target}/{f}') for f in os.listdir(target)}
    json.dump(m, open(f'{target}/manifest.json', 'w'))
    return target


def cut(row, offset, begin, end):
    at = int(row.get('t') or row.get('boottime_ns') or 0)
    at = at + offset if at else 0
    return not at or ((not begin or at >= begin) and (not end or at < end))


def reductions(folder, work, cuts=4):
    """name → inputs, made in `work`."""
    places = json.load(open(f'{folder}/places.json'))
    whole, pcap = f'{folder}/bundle', {p: f'{folder}/{p}.pcap' for p in ('client', 'router', 'server')}
    own = f'{whole}/packets.pcap'
    lab = dict(server=('10.78.2.2', 'fd78:2::2'), client=('10.78.1.2', 'fd78:1::2'))
    of = {side: belongs(places[side], lab[side]) for side in lab}
    here = lambda name: f'{work}/{name}'  # noqa: E731
    served = lambda port: port is not None and 20000 <= port < 30000  # noqa: E731
    yield 'whole', [whole]
    yield 'whole + both other places', [whole, *(p for n, p in pcap.items() if n != places['at'])]
    for side in ('server', 'client'):
        at_home = places['at'] == side
        yield f"{side}'s half", [bundle(whole, here(side), of[side], own if at_home else pcap[side], at_home)]
        yield f"{side}'s events", [bundle(whole, here(side + '-events'), of[side], None, False)]
    yield 'all events, no packets', [bundle(whole, here('events'), tables=False)]
    for place, path in pcap.items():
        yield f'packets at the {place}', [path]
    yield 'packets of both ends', [pcap['client'], pcap['server']]
    yield 'to the server only', [packets(pcap['server'], here('up.pcap'), lambda _, p: p and served(p[1]))]
    yield 'to the client only', [packets(pcap['server'], here('down.pcap'), lambda _, p: p and served(p[0]))]
    os.makedirs(here('tables'))
    for name in ('sockets.jsonl', 'manifest.json'):
        shutil.copy(f'{whole}/{name}', here('tables'))
    yield 'tables', [here('tables')]
    times = [at for at, _, ports in frames(read(pcap['server'])) if ports]
    for n in range(1, cuts + 1):
        t = times[len(times) * n // (cuts + 1)]
        yield 'begins in the middle', [bundle(whole, here(f'late-{n}'), pcap=own, begin=t)]
        yield 'ends in the middle', [bundle(whole, here(f'early-{n}'), pcap=own, end=t)]
        yield 'packets, begin in the middle', [packets(pcap['server'], here(f'late-{n}.pcap'), lambda at, _, t=t: at >= t)]
        yield 'packets, end in the middle', [packets(pcap['client'], here(f'early-{n}.pcap'), lambda at, _, t=t: at < t)]
