"""shutdown(SHUT_WR) and the descriptor stays open: FIN_WAIT2 lives in the full socket until the server's FIN (F-HALF).

Seen on 6.18: each pure ACK that a socket in CLOSE_WAIT receives shows as kfree_skb NOT_SPECIFIED at tcp_rcv_state_process: not a loss."""
import time
from lab import wait_eof
import socket


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    wait_eof(sock)
    for _ in range(5):
        sock.sendall(b'x' * 500)
        time.sleep(0.1)
    end.snapshot('fin-wait-2')
    sock.close()


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='half-close')
    sock.sendall(b'question')
    sock.shutdown(socket.SHUT_WR)
    wait_eof(sock)
    sock.close()
