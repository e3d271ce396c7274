"""What the behaviours share: two processes, `server` and `client`, one in each namespace of lab.sh.

A behaviour is a module with `server(end)` and `client(end)`, optionally `setup(lab)`; its first docstring names the kernel
condition. The ends keep step with `tell` and `hear`. `truth` writes down what the program did, for expected.json.
"""
import ctypes, json, os, signal, socket, struct, subprocess, sys, time

libc = ctypes.CDLL(None, use_errno=True)
NAMESPACE = {'client': os.environ.get('LAB_CLI'), 'server': os.environ.get('LAB_SRV'), 'middle': os.environ.get('LAB_MID')}
IPV6 = bool(os.environ.get('LAB_IPV6'))
FAMILY = socket.AF_INET6 if IPV6 else socket.AF_INET
ADDRESS = {'client': 'fd77::1', 'server': 'fd77::2'} if IPV6 else {'client': os.environ.get('LAB_CLI_IP'), 'server': os.environ.get('LAB_SRV_IP')}
OUT = os.environ.get('LAB_OUT', '.')
SNAPSHOTS = True
TCP_LINGER2, TCP_DEFER_ACCEPT, TCP_USER_TIMEOUT = 8, 9, 18


def enter(name):
    fd = os.open('/run/netns/' + NAMESPACE[name], os.O_RDONLY)
    if libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), 'setns')
    os.close(fd)


def inside(name, *command, **options):
    return subprocess.run(['ip', 'netns', 'exec', NAMESPACE[name], *map(str, command)], check=True, **options)


def sysctl(name, key, value):
    inside(name, 'sysctl', '-qw', f'net.ipv4.{key}={value}')


def nft(name, *lines):
    """Adds rules to a chain of the namespace `name`; `lines` are `input …` or `output …`."""
    rules = 'add table ip lab\n' + ''.join(
        f'add chain ip lab {hook} {{ type filter hook {hook} priority 0; }}\n' for hook in ('input', 'output'))
    inside(name, 'nft', '-f', '-', input=(rules + ''.join(f'add rule ip lab {line}\n' for line in lines)).encode())


def nft_flush(name):
    inside(name, 'nft', 'flush', 'ruleset')


def snapshot(label):
    """ss and netstat of both namespaces, taken now."""
    for name, prefix in (('server', ''), ('client', 'client-')):
        for tool, command in (('ss', ['ss', '-tanpieOm']), ('netstat', ['netstat', '-anp'])):
            with open(f'{OUT}/{prefix}{tool}-{label}.txt', 'w') as file:
                inside(name, *command, stdout=file, stderr=subprocess.DEVNULL)


def bracketed(address):
    return f'[{address}]' if ':' in address else address


class End:
    def __init__(self, name, behaviour, port, channel, done):
        self.name, self.behaviour, self.port, self.channel, self.done = name, behaviour, port, channel, done

    def snapshot(self, label):
        if SNAPSHOTS:
            snapshot(label)

    def tell(self, word):
        self.channel.sendall(word.encode() + b'\n')

    def hear(self, word):
        got = self.heard(word)
        if got != word:
            raise SystemExit(f'{self.name} of {self.behaviour}: heard {got!r}, waited for {word!r}')

    def heard(self, about):
        """What the other end tells, whatever it is."""
        got = b''
        while not got.endswith(b'\n'):
            byte = self.channel.recv(1)
            if not byte:
                raise SystemExit(f'{self.name} of {self.behaviour}: the other end went away before {about!r}')
            got += byte
        return got.decode().strip()

    def park(self):
        """Stays alive, with its sockets, until the lab is taken down after the capture."""
        os.write(self.done, b'p')
        signal.alarm(0)
        while True:
            signal.pause()

    def listen(self, backlog=16, options=(), port=None):
        listener = socket.socket(FAMILY)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in options:
            listener.setsockopt(*option)
        listener.bind((ADDRESS['server'], port or self.port))
        listener.listen(backlog)
        self.tell('listening')
        return listener

    def socket(self, options=(), port=0):
        """A client's socket, bound, so that its tuple is known before it connects."""
        sock = socket.socket(FAMILY)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in options:
            sock.setsockopt(*option)
        sock.bind((ADDRESS['client'], port))
        return sock

    def connect(self, options=(), port=0, timeout=None):
        sock = self.socket(options, port) if port else socket.socket(FAMILY)
        if not port:
            for option in options:
                sock.setsockopt(*option)
        sock.settimeout(timeout)
        sock.connect((ADDRESS['server'], self.port))
        sock.settimeout(None)
        return sock

    def truth(self, sock, *arguments, **fields):
        """One connection, told by its client's socket while it is still bound."""
        local, port = sock.getsockname()[:2]
        self.told(f'{bracketed(local)}:{port}', *arguments, **fields)

    def told(self, client, close_kind, closed_by, close_rule='', syn_rule='', fin_wait2_rule='', stuck_rule='', note='', remote=None):
        row = {'client': client, 'server': f'{remote or bracketed(ADDRESS["server"])}:{self.port}', 'behaviour': self.behaviour,
               'close_rule': close_rule, 'syn_rule': syn_rule, 'fin_wait2_rule': fin_wait2_rule, 'stuck_rule': stuck_rule,
               'closed_by': closed_by, 'close_kind': close_kind, 'note': note}
        with open(OUT + '/expected.jsonl', 'a') as file:
            file.write(json.dumps(row) + '\n')


def path(rule):
    """What delay.py does with a frame: an expression of way ('to-server', 'to-client'), flags, length, source, target
    that gives None (forward), 'drop' or 'reset'."""
    with open(os.environ['LAB_PATH'], 'w') as file:
        file.write(rule)


def segment(source, source_port, target, target_port, flags, seq, ack=0, data=b'', bad_checksum=False):
    """Sends one TCP segment of our own making through a raw socket; flags is a string of FSRPA."""
    bits = sum(1 << 'FSRPA'.index(flag) for flag in flags)
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    options = struct.pack('>BBH', 2, 4, 1460) if 'S' in flags else b''
    def header(checksum):
        return struct.pack('>HHIIBBHHH', source_port, target_port, seq, ack, (5 + len(options) // 4) << 4, bits, 64240, checksum, 0) + options + data
    words = ends + struct.pack('>HH', 6, len(header(0))) + header(0)
    words += b'\0' * (len(words) % 2)
    total = sum(struct.unpack(f'>{len(words) // 2}H', words))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    packet = struct.pack('>BBHHHBBH', 0x45, 0, 20 + len(header(0)), 1, 0, 64, 6, 0) + ends + header((~total & 0xffff) ^ (0x5555 if bad_checksum else 0))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(packet, (target, 0))


def flood(end, count, syn_rule='handshake-unfinished'):
    """Half-open requests: SYNs from 10.77.0.99, which answers nothing. From the client's namespace. Empty rule: the capture ends
    before a SYN-ACK is sent again."""
    inside('server', 'ip', 'neigh', 'replace', '10.77.0.99', 'lladdr', '02:00:00:00:00:99', 'dev', 'eth0')
    for number in range(count):
        segment('10.77.0.99', 30000 + number, ADDRESS['server'], end.port, 'S', 1000000 * (number + 1))
        end.told(f'10.77.0.99:{30000 + number}', 'unanswered', 'none', syn_rule=syn_rule, note='a SYN from an address that answers nothing; it fills the SYN queue')


def drain(listener, seconds=1.0, pause=0.1):
    """Accepts all there is and all that comes within `seconds`; reads each to its end and closes it a while later."""
    socks = []
    listener.settimeout(seconds)
    try:
        while True:
            socks.append(listener.accept()[0])
    except TimeoutError:
        pass
    for sock in socks:
        sock.settimeout(10)
        quiet(wait_eof, sock)
        time.sleep(pause)
        sock.close()


def begin(end, port=0):
    """A client's connect that does not wait for the handshake."""
    sock = end.socket(port=port)
    sock.setblocking(False)
    quiet(sock.connect, (ADDRESS['server'], end.port))
    return sock


def tcp_state(sock):
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


def connected(*socks):
    """Waits until each is ESTABLISHED, and a moment longer, so that its last ACK has arrived."""
    until(lambda: all(tcp_state(sock) == 1 for sock in socks))
    time.sleep(0.1 + 2e-3 * int(os.environ.get('LAB_DELAY_MS', 0)))


def linger(seconds):
    return (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, seconds))


def disconnect(sock):
    """connect(AF_UNSPEC)"""
    if libc.connect(sock.fileno(), struct.pack('H14x', 0), 16):
        raise OSError(ctypes.get_errno(), 'connect AF_UNSPEC')


def wait_eof(sock):
    while sock.recv(65536):
        pass


def quiet(function, *arguments):
    """Calls, and gives back the error instead of raising it: many behaviours end in one."""
    try:
        return function(*arguments)
    except OSError as error:
        return error


def until(test, seconds=10):
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise SystemExit('a condition did not come true')
        time.sleep(0.01)


def play(module, name, end, comm):
    """The life of one end, in its own process."""
    enter(name)
    libc.prctl(15, comm.encode())
    signal.alarm(getattr(module, 'SECONDS', 60))
    try:
        getattr(module, name)(end)
        os._exit(0)
    except SystemExit as error:
        print(error, file=sys.stderr)
    except BaseException:
        import traceback
        traceback.print_exc()
    os._exit(1)


def set_up(module):
    if hasattr(module, 'setup'):
        module.setup()


def run(module, behaviour, port, names=('server', 'client')):
    """Runs both ends of one behaviour, and waits until each is done or parked."""
    if not os.environ.get('LAB_SET_UP'):
        set_up(module)
    channels = socket.socketpair()
    ends = []
    for number, name in enumerate(('server', 'client')):
        done, finished = os.pipe()
        pid = os.fork()
        if not pid:
            channels[1 - number].close()
            play(module, name, End(name, behaviour, port, channels[number], finished), names[number])
        os.close(finished)
        ends.append((name, pid, done))
    for channel in channels:
        channel.close()
    failed = 0
    for name, pid, done in ends:
        if os.read(done, 1) == b'p':
            continue
        status = os.waitpid(pid, 0)[1]
        if status and not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            print(f'{behaviour}: {name} ended with {status}', file=sys.stderr)
            failed += 1
    return failed
