"""An operator destroys the server's socket with `ss -K` (SOCK_DESTROY, R-ABORT): a RST from a socket in ESTABLISHED."""
import time
from lab import inside, quiet


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    sock.sendall(b'answer')
    end.hear('answered')
    inside('server', 'ss', '-tK', 'state', 'established', 'sport', '=', end.port, stdout=-3)
    end.tell('killed')


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'rst', 'server', 'socket-destroy-reset')
    sock.sendall(b'question')
    sock.recv(100)
    time.sleep(0.1)
    end.snapshot('before')
    end.tell('answered')
    end.hear('killed')
    sock.settimeout(2)
    assert isinstance(quiet(sock.recv, 10), ConnectionResetError)
