"""The client has half-closed with shutdown(SHUT_WR) and keeps waiting; the server never closes: FIN_WAIT2 in a full socket with an owner,
CLOSE_WAIT on the other side (F-FW2-STUCK)."""
import socket, time
from lab import wait_eof


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    wait_eof(sock)
    end.park()


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'open', 'client', fin_wait2_rule='half-close', stuck_rule='fin-wait2-stuck')
    sock.sendall(b'question')
    sock.shutdown(socket.SHUT_WR)
    time.sleep(2)
    end.snapshot('fin-wait-2')
    end.park()
