"""TCP_DEFER_ACCEPT: the third ACK is dropped on purpose (TCPDeferAcceptDrop); the child is born with the first data (S-DEFER)."""
import socket, time
from lab import TCP_DEFER_ACCEPT, wait_eof


def server(end):
    listener = end.listen(options=[(socket.IPPROTO_TCP, TCP_DEFER_ACCEPT, 5)])
    sock = listener.accept()[0]
    sock.recv(100)
    wait_eof(sock)
    time.sleep(0.1)
    sock.close()


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', 'deferred-accept', 'fin-wait2-in-minisock')
    time.sleep(0.5)
    end.snapshot('deferred')
    sock.sendall(b'question')
    time.sleep(0.1)
    sock.close()
