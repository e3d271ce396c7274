"""The erlang shell of document 003: a client sends a request and closes without reading the answer: RST instead of FIN. The second time it
reads the answer first, and closes with a FIN (R-UNREAD)."""
import time
from lab import quiet, wait_eof


def server(end):
    listener = end.listen()
    for _ in range(2):
        sock = listener.accept()[0]
        sock.recv(100)
        sock.sendall(b'x' * 178)
        sock.sendall(b'x' * 307)
        end.tell('answered')
        quiet(wait_eof, sock)
        sock.close()


def client(end):
    end.hear('listening')
    for read in (False, True):
        sock = end.connect()
        sock.sendall(b'GET / HTTP/1.1\r\n\r\n')
        end.hear('answered')
        time.sleep(0.2)
        if read:
            end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-with-ack', note='after reading the 485 bytes')
            sock.recv(1000)
        else:
            end.truth(sock, 'rst', 'client', 'unread-data-reset', note='485 bytes unread')
        sock.close()
        time.sleep(0.2)
