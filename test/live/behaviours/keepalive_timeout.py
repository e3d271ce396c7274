"""The server becomes unreachable (its nftables drops all that comes); the client's keepalive (idle 1 s, interval 1 s, 2 probes) ends
the connection with a RST (R-KEEPALIVE). The server still holds it.

Seen on 6.18: a keepalive probe that is answered shows at its receiver as kfree_skb TCP_OLD_SEQUENCE (41) at tcp_validate_incoming: not a loss."""
import socket, time
from lab import nft, quiet

TCP = socket.IPPROTO_TCP
OPTIONS = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), (TCP, socket.TCP_KEEPIDLE, 1), (TCP, socket.TCP_KEEPINTVL, 1), (TCP, socket.TCP_KEEPCNT, 2)]


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    sock.sendall(b'answer')
    end.park()


def client(end):
    end.hear('listening')
    sock = end.connect(OPTIONS)
    end.truth(sock, 'rst', 'client', 'keepalive-timeout-reset')
    sock.sendall(b'question')
    sock.recv(100)
    time.sleep(1.5)
    nft('server', f'input tcp dport {end.port} drop')
    time.sleep(1.2)
    end.snapshot('probing')
    assert isinstance(quiet(sock.recv, 10), TimeoutError)
