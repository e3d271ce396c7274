"""The client closes with SO_LINGER {1, 0}: tcp_disconnect, RST, the counter TCPAbortOnData (R-LINGER0)."""
import time
from lab import linger, quiet


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    sock.sendall(b'answer')
    quiet(sock.recv, 100)


def client(end):
    end.hear('listening')
    sock = end.connect([linger(0)])
    end.truth(sock, 'rst', 'client', 'linger-zero-reset')
    sock.sendall(b'question')
    sock.recv(100)
    time.sleep(0.1)
    sock.close()
