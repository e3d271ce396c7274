"""The client closes when the server is unreachable: its FIN is retransmitted as an orphan (tcp_orphan_retries=3) and given up in silence
(F-ACK-NEVER, F-FW1-STUCK). The server still holds the connection."""
import time
from lab import nft, sysctl


def setup():
    sysctl('client', 'tcp_orphan_retries', 3)


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    end.park()


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'timeout', 'client', 'retransmission-timeout', fin_wait2_rule='fin-unacknowledged')
    sock.sendall(b'question')
    time.sleep(0.2)
    nft('server', f'input tcp dport {end.port} drop')
    sock.close()
    time.sleep(0.5)
    end.snapshot('fin-wait-1')
    time.sleep(6)
