"""As user-timeout, and then the path works again and the server sends: its data finds no socket (R-NOSOCK on a known connection)."""
import socket, time
from lab import TCP_USER_TIMEOUT, nft, nft_flush, quiet


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    end.hear('gave up')
    sock.sendall(b'late answer')
    time.sleep(0.1)
    assert isinstance(quiet(sock.recv, 100), ConnectionResetError)


def client(end):
    end.hear('listening')
    sock = end.connect([(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 1000)])
    end.truth(sock, 'timeout', 'client', 'retransmission-timeout', note='the client gave up in silence (TCP_USER_TIMEOUT 1 s); the server learned of it by the RST')
    sock.sendall(b'question')
    time.sleep(0.2)
    nft('server', f'input tcp dport {end.port} drop')
    sock.sendall(b'another question')
    assert isinstance(quiet(sock.recv, 10), TimeoutError)
    sock.close()
    nft_flush('server')
    end.tell('gave up')
