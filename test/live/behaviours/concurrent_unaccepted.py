"""Experiment 1 of document 002: ten clients at once to a server of backlog 5 that never accepts, 20 ms each way; each sends ten bytes and
closes. Six requests fill the SYN queue, so the other four SYNs are answered with cookies; six children fill the accept queue and stay in
CLOSE_WAIT without an owner; the ACKs and data of the cookies find no room, and their FINs fail the cookie check: a bare RST each."""
import subprocess, time
from lab import begin, connected
DELAY_MS = 20


def server(end):
    listener = end.listen(backlog=5)
    end.hear('closed')
    lines = subprocess.run(['ss', '-tanH'], capture_output=True, text=True).stdout.splitlines()
    held = [line.split()[4] for line in lines if line.startswith('CLOSE-WAIT')]
    assert len(held) == 6, lines
    end.tell(' '.join(held))
    end.park()


def client(end):
    end.hear('listening')
    socks = [begin(end) for _ in range(10)]
    names = ['%s:%d' % sock.getsockname() for sock in socks]
    connected(*socks)
    for sock in socks:
        sock.sendall(b'0123456789')
        sock.close()
    time.sleep(1)
    end.tell('closed')
    held = end.heard('the names').split()
    for name in names:
        if name in held:
            end.told(name, 'open', 'client', fin_wait2_rule='fin-wait2-in-minisock', stuck_rule='close-wait-unaccepted', note='in the accept queue')
        else:
            end.told(name, 'rst', 'server', 'cookie-overflow-reset', 'cookie-overflow-reset', 'fin-wait1-aborted', note='a cookie, and no room in the accept queue')
