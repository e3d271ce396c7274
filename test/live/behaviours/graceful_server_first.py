"""Server closes first, client 300 ms later: TIME_WAIT, and before it FIN_WAIT2 in a minisock, on the server (F-ORPHAN-TW)."""
import time
from lab import wait_eof


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    sock.sendall(b'answer')
    sock.close()
    end.hear('closed')
    end.snapshot('time-wait')


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'fin', 'server', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock')
    sock.sendall(b'question')
    wait_eof(sock)
    time.sleep(0.3)
    sock.close()
    end.tell('closed')
