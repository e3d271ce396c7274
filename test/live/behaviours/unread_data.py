"""The server reads 10 of 300 bytes and closes: RST instead of FIN (R-UNREAD)."""
import time
from lab import quiet


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    end.hear('sent')
    sock.recv(10)
    end.snapshot('unread')
    sock.close()
    end.tell('closed')


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'rst', 'server', 'unread-data-reset', note='290 bytes unread')
    sock.sendall(b'x' * 300)
    time.sleep(0.05)
    end.tell('sent')
    end.hear('closed')
    quiet(sock.recv, 100)
