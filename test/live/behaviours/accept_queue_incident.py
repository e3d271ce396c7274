"""An incident from beginning to end, 20 ms each way. A server of backlog 5 (`app`) answers one request after the other; 2 s on it hangs
and accepts no more; bursts of four clients keep coming: the accept queue fills, one burst overflows at the third ACK, later SYNs are
dropped. At 8 s somebody kills the server: the children that nobody accepted are reset, and so is what comes for requests that are gone;
for 1 s connections are refused; then a new server answers again.

Which connection of the bursts had a child and which only a request is taken from the server's ss at the moment before the kill.

Seen on 6.18: the two clients that closed while their data was still being retransmitted were in FIN_WAIT1, but no FIN ever left: the RST
came first. tcpstates has lines out of order (per-CPU buffers)."""
import json, os, signal, socket, subprocess, threading, time
from lab import ADDRESS, OUT, libc, quiet
DELAY_MS = 20
PACED = True  # its clients come by the clock: with ten times the delay, as in a virtual machine, it would be another incident
SECONDS = 120
START = OUT + '/.start'


def app(end, until):
    """Answers requests one after the other until the time `until`, then hangs."""
    libc.prctl(15, b'app')
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((ADDRESS['server'], end.port))
    listener.listen(5)
    listener.settimeout(0.1)
    while time.monotonic() < until:
        try:
            sock = listener.accept()[0]
        except TimeoutError:
            continue
        sock.settimeout(10)
        quiet(sock.recv, 100)
        quiet(sock.sendall, b'answer')
        quiet(sock.recv, 100)
        sock.close()
    time.sleep(100)


def start(end, until):
    pid = os.fork()
    if not pid:
        try:
            app(end, until)
        finally:
            os._exit(0)
    return pid


def server(end):
    zero = time.monotonic() + 1
    pid = start(end, zero + 2)
    time.sleep(1)
    end.tell('go')
    at = lambda seconds: time.sleep(max(0, zero + seconds - time.monotonic()))
    for second in (1, 3, 5, 7):
        at(second)
        end.snapshot(f'{second}s')
    at(7.9)
    text = subprocess.run(['ss', '-tanH'], capture_output=True, text=True).stdout
    with open(START, 'w') as file:
        json.dump({line.split()[4]: line.split()[0] for line in text.splitlines()}, file)
    at(8)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    end.tell('killed')
    at(8.5)
    end.snapshot('8.5s')
    at(9)
    pid = start(end, zero + 100)
    end.hear('done')
    os.kill(pid, signal.SIGKILL)


def request(end, rows, born):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((ADDRESS['client'], 0))
    row = {'client': '%s:%d' % sock.getsockname(), 'born': born, 'step': 'connect', 'error': ''}
    rows.append(row)
    try:
        sock.settimeout(3.6)
        sock.connect((ADDRESS['server'], end.port))
        row['step'] = 'answer'
        sock.settimeout(5.5)
        sock.sendall(b'question')
        sock.recv(100)
    except OSError as error:
        row['error'] = type(error).__name__
    row['died'] = time.monotonic()
    sock.close()


def verdict(row, before_kill, killed):
    """What this connection's life was, from what its program got and what the server held of it before the kill."""
    held = before_kill.get(row['client'])
    if held == 'ESTAB' and row['error'] == 'TimeoutError' and row['died'] < killed - 0.1:
        held = 'CLOSE-WAIT'  # the client closed between the look and the kill
    if row['step'] == 'connect':
        if row['error'] == 'ConnectionRefusedError':
            late = row['born'] < killed - 0.05
            return dict(close_kind='refused', closed_by='server', close_rule='connection-refused',
                        syn_rule='accept-queue-overflow-syn' if late else '', note='its SYNs were dropped until the server was gone' if late else 'no server')
        return dict(close_kind='unanswered', closed_by='client', syn_rule='accept-queue-overflow-syn', note='the program gave up after 3.6 s')
    if not row['error'] and row['died'] < killed or row['born'] > killed or not held and not row['error']:
        late = row['born'] < killed - 0.05 and row['died'] > killed
        return dict(close_kind='fin', closed_by='client', close_rule='graceful-close', fin_wait2_rule='fin-with-ack',
                    syn_rule='accept-queue-overflow-syn' if late else '', note='its SYNs were dropped until another server listened' if late else '')
    if held == 'SYN-RECV':
        return dict(close_kind='rst', closed_by='client' if row['error'] == 'TimeoutError' else 'server', close_rule='no-socket-reset', syn_rule='accept-queue-overflow-ack',
                    fin_wait2_rule='fin-wait1-aborted' if row['error'] == 'TimeoutError' else '', note=f'a request without room in the accept queue; then the listener was gone ({row["error"]})')
    return dict(close_kind='rst', closed_by='client' if row['error'] == 'TimeoutError' else 'server', close_rule='listener-closed-reset',
                fin_wait2_rule='fin-wait2-in-minisock' if held == 'CLOSE-WAIT' else '',
                stuck_rule='close-wait-unaccepted' if held == 'CLOSE-WAIT' else '', note=f'in the accept queue ({held}) when the server was killed ({row["error"]})')


def client(end):
    end.hear('go')
    rows, threads, zero = [], [], time.monotonic()
    for moment in range(24):
        time.sleep(max(0, zero + moment * 0.5 - time.monotonic()))
        for _ in range(4 if 2 <= moment * 0.5 < 8 else 1):
            threads.append(threading.Thread(target=request, args=(end, rows, time.monotonic())))
            threads[-1].start()
        if moment == 16:
            end.hear('killed')
            killed = time.monotonic()
    for thread in threads:
        thread.join()
    time.sleep(0.5)
    end.tell('done')
    before_kill = json.load(open(START))
    os.unlink(START)
    for row in rows:
        end.told(row['client'], **verdict(row, before_kill, killed))
