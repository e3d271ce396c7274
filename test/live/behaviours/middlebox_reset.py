"""A device on the path answers a segment of 13 bytes with a RST to both ends in the name of the other (TTL 200, window 0, no timestamps) and loses the
segment: neither host sent a RST. Both captures show one that came in."""
import time
from lab import path, quiet
DELAY_MS = 20


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    sock.sendall(b'answer')
    quiet(sock.recv, 100)


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'rst', 'none', 'middlebox-reset', note='the RSTs are of test/live/delay.py; neither host closed')
    sock.sendall(b'question')
    sock.recv(100)
    time.sleep(0.3)
    path("'reset' if way == 'to-server' and length == 13 else None")
    sock.sendall(b'forbidden! :(')
    assert isinstance(quiet(sock.recv, 100), ConnectionResetError)
