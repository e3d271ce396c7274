"""Clients connect, send 11 bytes and close; the server never accepts them: CLOSE_WAIT without an owner, Recv-Q 12 with the FIN."""
import time


def server(end):
    listener = end.listen(backlog=4)
    end.park()


def client(end):
    end.hear('listening')
    for _ in range(3):
        sock = end.connect()
        end.truth(sock, 'open', 'client', fin_wait2_rule='fin-wait2-in-minisock', stuck_rule='close-wait-unaccepted')
        sock.sendall(b'hello world')
        sock.close()
        time.sleep(0.1)
    time.sleep(1)
    end.snapshot('close-wait')
