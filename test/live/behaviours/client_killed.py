"""The client is killed by SIGKILL with nothing unread: an ordinary FIN (R-KILL). The server closes 100 ms later."""
import os, signal, time
from lab import wait_eof


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    wait_eof(sock)
    time.sleep(0.1)
    sock.close()


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note='client killed by SIGKILL')
    sock.sendall(b'question')
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)
