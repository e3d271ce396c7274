"""Takes the captures and tables of this folder, as root on Linux with nmap, tcpdump and ss: python3 record.py [NAME...]
Three network namespaces on a bridge: client 10.80.0.1, server 10.80.0.2, other 10.80.0.3."""
import os, signal, socket, struct, subprocess, sys, time
HERE = os.path.dirname(os.path.abspath(__file__))
ADDRESS = {'client': '10.80.0.1', 'server': '10.80.0.2', 'other': '10.80.0.3'}
children = []


def run(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True).stdout


def inside(where, *words, **more):
    return run('ip', 'netns', 'exec', f'st_{where}', *words, **more)


def program(where, code):
    child = subprocess.Popen(['ip', 'netns', 'exec', f'st_{where}', sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
    children.append(child)
    return child


def listening(where, port, body, backlog=16):
    """A server; `body` is what it does, with `l` its listening socket."""
    child = program(where, f"""
import socket, time, threading
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); l.bind(('0.0.0.0', {port})); l.listen({backlog})
print('ready', flush=True)
{body}
""")
    child.stdout.readline()
    return child


ECHO = """
def serve(a):
    try:
        while (d := a.recv(1000)): a.sendall(d)
    except OSError: pass
    a.close()
while True: threading.Thread(target=serve, args=(l.accept()[0],), daemon=True).start()
"""


def clear():
    for child in children: child.kill(); child.wait()
    children.clear()
    for name in ADDRESS:
        run('ip', 'netns', 'del', f'st_{name}', check=False)
        run('ip', 'link', 'del', f'st_{name}', check=False)
    run('ip', 'link', 'del', 'st_bridge', check=False)


def lab():
    clear()
    run('ip', 'link', 'add', 'st_bridge', 'type', 'bridge')
    run('ip', 'link', 'set', 'st_bridge', 'up')
    for name, address in ADDRESS.items():
        run('ip', 'netns', 'add', f'st_{name}')
        run('ip', 'link', 'add', f'st_{name}', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', f'st_{name}')
        run('ip', 'link', 'set', f'st_{name}', 'master', 'st_bridge', 'up')
        inside(name, 'ip', 'addr', 'add', f'{address}/24', 'dev', 'eth0')
        for link in ('lo', 'eth0'): inside(name, 'ip', 'link', 'set', link, 'up')


def capture(name, where, snap='96'):
    child = subprocess.Popen(['ip', 'netns', 'exec', f'st_{where}', 'tcpdump', '-U', '--immediate-mode', '-Z', 'root', '-s', snap, '-i', 'eth0', '-w', f'{HERE}/{name}.pcap', 'tcp or icmp'],
                             stderr=subprocess.PIPE, text=True)
    child.stderr.readline()
    time.sleep(.3)
    return child


def stop(child):
    time.sleep(.4)
    child.send_signal(signal.SIGINT)
    child.wait()


def segment(source, source_port, target, target_port, flags, seq, ack=0):
    bits = sum(1 << 'FSRPA'.index(f) for f in flags)
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    head = lambda sum_: struct.pack('>HHIIBBHHH', source_port, target_port, seq, ack, 5 << 4, bits, 64240, sum_, 0)
    words = ends + struct.pack('>HH', 6, 20) + head(0)
    total = sum(struct.unpack(f'>{len(words) // 2}H', words))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return struct.pack('>BBHHHBBH', 0x45, 0, 40, 1, 0, 64, 6, 0) + ends + head(~total & 0xffff)


def scan_half():
    """nmap -sS of 40 ports, of which 2 are open"""
    scan('scan_half', '-sS', '-p', '1-38,8001,8002')


def scan_connect():
    """nmap -sT of the same"""
    scan('scan_connect', '-sT', '-p', '1-38,8001,8002')


def scan_xmas():
    """nmap -sX: FIN, PSH and URG without a connection"""
    scan('scan_xmas', '-sX', '-p', '1-28,8001,8002')


def scan(name, *options):
    for port in (8001, 8002): listening('server', port, ECHO)
    pcap = capture(name, 'server')
    inside('client', 'nmap', '-n', '-Pn', *options, ADDRESS['server'])
    stop(pcap)


def listener_restarted():
    """A server is killed with two connections open, and started again after 1.5 s; a client tries every 0.25 s."""
    server = listening('server', 8001, ECHO)
    pcap = capture('listener_restarted', 'client')
    client = program('client', """
import socket, time
held = [socket.create_connection(('10.80.0.2', 8001)) for _ in range(2)]
for h in held: h.sendall(b'hello')
for n in range(16):
    try:
        c = socket.create_connection(('10.80.0.2', 8001), 2); c.sendall(b'hi'); c.recv(10); c.close()
    except OSError: pass
    time.sleep(.25)
""")
    time.sleep(1.1)
    server.kill()
    time.sleep(1.5)
    listening('server', 8001, ECHO)
    client.wait()
    stop(pcap)


def host_gone():
    """Of two servers one vanishes: 3 connections to it are in use, 1 to the other; then 3 new attempts."""
    for where in ('server', 'other'): listening(where, 8001, ECHO)
    pcap = capture('host_gone', 'client')
    client = program('client', """
import socket, time
def to(a): return socket.create_connection((a, 8001), 3)
gone = [to('10.80.0.2') for _ in range(3)]; here = to('10.80.0.3')
for n in range(24):
    for s in [*gone, here]:
        try: s.sendall(b'x' * 20)
        except OSError: pass
    here.recv(100)
    if n in (14, 15, 16):
        s = socket.socket(); s.setblocking(False); s.connect_ex(('10.80.0.2', 8001)); gone.append(s)
    time.sleep(.4)
time.sleep(3)
""")
    time.sleep(2)
    run('ip', 'link', 'set', 'st_server', 'down')
    client.wait()
    stop(pcap)
    run('ip', 'link', 'set', 'st_server', 'up')


def backscatter():
    """Somebody forges SYNs from addresses of 10.80.0.128/25 to two servers; captured where these addresses are: nobody there asked."""
    listening('server', 8001, ECHO)
    inside('server', 'sysctl', '-qw', 'net.ipv4.tcp_synack_retries=1')
    for number in range(128, 188): inside('client', 'ip', 'addr', 'add', f'10.80.0.{number}/24', 'dev', 'eth0')
    pcap = capture('backscatter', 'client')
    code = f"import socket\nraw=socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)\nfor p, to in {[(segment(f'10.80.0.{128 + n}', 20000 + n * 7, ADDRESS['server'], 8001 if n % 3 else 8009, 'S', 1000 * n), ADDRESS['server']) for n in range(60)]!r}: raw.sendto(p, (to, 0))\n"
    program('other', code).wait()
    time.sleep(2)
    stop(pcap)


def port_reuse():
    """20 ephemeral ports, tcp_tw_reuse=1 and a client that closes first, as fast as it can: EADDRNOTAVAIL, then ports reused after 1 s"""
    for key, value in (('ip_local_port_range', '40000 40019'), ('tcp_tw_reuse', '1')): inside('client', 'sysctl', '-qw', f'net.ipv4.{key}={value}')
    listening('server', 8001, ECHO)
    pcap = capture('port_reuse', 'client')
    client = program('client', """
import socket, time
failed = 0
end = time.time() + 4
while time.time() < end:
    try:
        c = socket.create_connection(('10.80.0.2', 8001)); c.close()
    except OSError as e:
        failed += 1; time.sleep(.05)
print(failed)
""")
    time.sleep(2)
    with open(f'{HERE}/port_reuse.txt', 'w') as out:
        out.write('[root@client ~]# sysctl net.ipv4.ip_local_port_range net.ipv4.tcp_tw_reuse\n' + inside('client', 'sysctl', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_tw_reuse'))
        out.write('[root@client ~]# ss -tano\n' + inside('client', 'ss', '-tano'))
    print('EADDRNOTAVAIL', client.communicate()[0])
    stop(pcap)


def close_wait_leak():
    """A worker that forgets one of three connections whose client has closed: ss -tanp as root, three times, 2 s apart"""
    listening('server', 8001, """
held = []
n = 0
while True:
    a = l.accept()[0]; a.recv(10); n += 1
    if n % 3 == 0: held.append(a)
    else: a.close()
""", backlog=64)
    client = program('client', """
import socket, time
for n in range(54):
    c = socket.create_connection(('10.80.0.2', 8001)); c.sendall(b'GET'); time.sleep(.02); c.close(); time.sleep(.1)
""")
    with open(f'{HERE}/close_wait_leak.txt', 'w') as out:
        for _ in range(3):
            time.sleep(2)
            out.write('[root@server ~]# ss -tanp\n' + inside('server', 'ss', '-tanp'))
    client.wait()


ALL = [scan_half, scan_connect, scan_xmas, listener_restarted, host_gone, backscatter, port_reuse, close_wait_leak]
if __name__ == '__main__':
    for take in ALL:
        if sys.argv[1:] and take.__name__ not in sys.argv[1:]: continue
        lab()
        take()
    clear()
