"""The client closes; its FIN_WAIT2 moves to the minisock; data that comes then is answered with a RST (R-TW-DATA)."""
import time
from lab import quiet


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    end.hear('closed')
    end.snapshot('fin-wait-2')
    sock.sendall(b'late answer')
    time.sleep(0.1)
    quiet(sock.recv, 100)
    sock.close()


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'rst', 'client', 'time-wait-data-reset', fin_wait2_rule='fin-wait2-in-minisock')
    sock.sendall(b'question')
    time.sleep(0.05)
    sock.close()
    time.sleep(0.15)
    end.tell('closed')
