"""The server is killed by SIGKILL with data unread: exit closes the descriptor, the same path as close (R-KILL, R-UNREAD)."""
import os, signal, time
from lab import quiet


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    end.hear('sent')
    sock.recv(10)
    os.kill(os.getpid(), signal.SIGKILL)


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'rst', 'server', 'unread-data-reset', note='server killed by SIGKILL with 290 bytes unread')
    sock.sendall(b'x' * 300)
    time.sleep(0.05)
    end.tell('sent')
    quiet(sock.recv, 100)
