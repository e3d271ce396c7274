"""TCP_USER_TIMEOUT of 2 s with data that nobody acknowledges (the server's nftables drops it): the client gives up in silence
(R-TIMEOUT). The server still holds the connection."""
import socket, time
from lab import TCP_USER_TIMEOUT, nft, quiet


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    end.park()


def client(end):
    end.hear('listening')
    sock = end.connect([(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 2000)])
    end.truth(sock, 'timeout', 'client', 'retransmission-timeout', note='TCP_USER_TIMEOUT 2 s')
    sock.sendall(b'question')
    time.sleep(0.2)
    nft('server', f'input tcp dport {end.port} drop')
    sock.sendall(b'another question')
    time.sleep(1)
    end.snapshot('retransmitting')
    assert isinstance(quiet(sock.recv, 10), TimeoutError)
