"""Experiments 2 and 3 of document 002. First nc serves one request and curl closes: the server's socket goes by CLOSE_WAIT and LAST_ACK, its
listener is closed with it. Then Python's web server answers, calls shutdown(SHUT_WR) and closes at once, FIN_WAIT1 -> FIN_WAIT1, before
curl closes: its FIN_WAIT2 moves to a minisock (F-ORPHAN-TW)."""
import socket, time
from lab import wait_eof


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    sock.sendall(b'answer')
    wait_eof(sock)
    sock.close()
    listener.close()
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    sock.sendall(b'answer')
    sock.shutdown(socket.SHUT_WR)
    sock.close()
    end.hear('closed')


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-with-ack', note='experiment 2: the client closes')
    sock.sendall(b'GET / HTTP/1.1\r\n\r\n')
    sock.recv(100)
    sock.close()
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'fin', 'server', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note='experiment 3: the server closes')
    sock.sendall(b'GET / HTTP/1.1\r\n\r\n')
    wait_eof(sock)
    time.sleep(0.3)
    sock.close()
    end.tell('closed')
