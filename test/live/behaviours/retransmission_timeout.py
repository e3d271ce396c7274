"""The server becomes unreachable with data in flight; tcp_retries2 is 4, so the client gives up after some retransmissions, in silence
(R-TIMEOUT). The server still holds the connection."""
import time
from lab import nft, quiet, sysctl


def setup():
    sysctl('client', 'tcp_retries2', 4)


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    end.park()


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'timeout', 'client', 'retransmission-timeout', note='tcp_retries2 is 4')
    sock.sendall(b'question')
    time.sleep(0.2)
    nft('server', f'input tcp dport {end.port} drop')
    sock.sendall(b'another question')
    time.sleep(1)
    end.snapshot('retransmitting')
    assert isinstance(quiet(sock.recv, 10), TimeoutError)
