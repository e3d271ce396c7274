"""The orphan's FIN_WAIT2 minisock ends silently after tcp_fin_timeout (3 s here) while the server is still in CLOSE_WAIT; what the
server sends then finds no socket (R-FW2-EXPIRED, NO_SOCKET). Once with data, once with a FIN only."""
import time
from lab import quiet, sysctl


def setup():
    sysctl('client', 'tcp_fin_timeout', 3)


def server(end):
    listener = end.listen()
    socks = [listener.accept()[0] for _ in range(2)]
    end.hear('closed')
    end.snapshot('fin-wait-2')
    time.sleep(4.5)
    end.snapshot('expired')
    socks[0].sendall(b'late answer')
    time.sleep(0.1)
    socks[1].close()
    time.sleep(0.1)
    quiet(socks[0].recv, 100)


def client(end):
    end.hear('listening')
    for note in 'data 4.5 s after the FIN', 'a FIN 4.6 s after the FIN':
        sock = end.connect()
        end.truth(sock, 'rst', 'client', 'fin-wait2-expired-reset', fin_wait2_rule='fin-wait2-expired', note=note)
        sock.close()
    time.sleep(0.1)
    end.tell('closed')
