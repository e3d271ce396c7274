"""TCP_LINGER2 below zero (R-LINGER2), twice: (b) close() first, and the ACK of the FIN is answered with a RST (counter
TCPAbortOnData); (a) close() while already in FIN_WAIT2: an active RST (counter TCPAbortOnLinger)."""
import socket, time
from lab import TCP_LINGER2, quiet

OPTION = (socket.IPPROTO_TCP, TCP_LINGER2, -1)


def server(end):
    listener = end.listen()
    for _ in range(2):
        sock = listener.accept()[0]
        quiet(sock.recv, 100)
        end.hear('closed')
        sock.close()


def client(end):
    end.hear('listening')
    sock = end.connect([OPTION])
    end.truth(sock, 'rst', 'client', 'linger2-reset', note='close() in ESTABLISHED: the ACK of the FIN is answered with a RST')
    sock.close()
    time.sleep(0.2)
    end.tell('closed')
    sock = end.connect([OPTION])
    end.truth(sock, 'rst', 'client', 'linger2-reset', fin_wait2_rule='half-close', note='shutdown(SHUT_WR), 200 ms of FIN_WAIT2 in the full socket, then close()')
    sock.shutdown(socket.SHUT_WR)
    time.sleep(0.2)
    sock.close()
    time.sleep(0.1)
    end.tell('closed')
