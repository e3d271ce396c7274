"""The accept queue is full at the third ACK (as in accept-queue-ack), and nobody accepts until the request expires: tcp_synack_retries
is 1, so at 3 s. Data then meets the listener: a bare RST (S-REQ-EXPIRED). A client that sends nothing never learns of it."""
import time
from lab import begin, connected, drain, quiet, sysctl
DELAY_MS = 20


def setup():
    sysctl('server', 'tcp_synack_retries', 1)


def server(end):
    listener = end.listen(backlog=3)
    end.hear('overflowed')
    end.snapshot('overflowed')
    end.hear('reset')
    end.snapshot('expired')
    drain(listener)
    end.tell('drained')


def client(end):
    end.hear('listening')
    fillers = [end.connect() for _ in range(3)]
    socks = [begin(end) for _ in range(4)]
    for sock in [*fillers, socks[0]]:
        end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note='fills the accept queue')
    end.truth(socks[1], 'rst', 'server', 'request-expired-reset', 'request-expired-reset', note='sends data at once, and again until the request has expired')
    end.truth(socks[2], 'rst', 'server', 'request-expired-reset', 'request-expired-reset', note='sends its first data at 4.2 s, after the request expired')
    end.truth(socks[3], 'open', 'none', syn_rule='accept-queue-overflow-ack', note='sends nothing: half-open at the end of the capture')
    connected(*socks)
    socks[1].sendall(b'question')
    time.sleep(0.1)
    end.tell('overflowed')
    time.sleep(4)
    socks[2].sendall(b'question')
    for sock in socks[1:3]:
        sock.settimeout(5)
        assert isinstance(quiet(sock.recv, 10), ConnectionResetError)
    end.tell('reset')
    for sock in [*fillers, socks[0]]:
        sock.close()
    end.hear('drained')
    end.park()
