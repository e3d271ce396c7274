"""Client closes first, server 150 ms later: FIN_WAIT2 lives in the client's timewait minisock (F-ORPHAN-TW).

The server has received data, so its ACK of the FIN is a delayed one (kernel-notes 4.2)."""
import time
from lab import wait_eof


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    sock.sendall(b'answer')
    wait_eof(sock)
    end.hear('closed')
    time.sleep(0.15)
    sock.close()


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock')
    sock.sendall(b'question')
    sock.recv(100)
    sock.close()
    time.sleep(0.08)
    end.snapshot('fin-wait-2')
    end.tell('closed')
