"""The client calls shutdown(SHUT_RDWR) and keeps the descriptor: data that comes then is answered with a RST by the full
socket (R-DATA-AFTER-CLOSE, TCP_ABORT_ON_DATA; the client also logs a tcp_receive_reset of its own, trap G2)."""
import socket, time
from lab import quiet


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    end.hear('shut')
    end.snapshot('fin-wait-2')
    sock.sendall(b'late answer')
    time.sleep(0.1)
    quiet(sock.recv, 100)
    sock.close()
    end.tell('done')


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'rst', 'client', 'data-after-close-reset', note='FIN_WAIT2 in the full socket: the descriptor is open')
    sock.sendall(b'question')
    sock.shutdown(socket.SHUT_RDWR)
    time.sleep(0.1)
    end.tell('shut')
    end.hear('done')
    sock.close()
