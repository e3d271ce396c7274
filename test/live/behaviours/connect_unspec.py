"""connect(AF_UNSPEC) on an established socket: a RST, and the descriptor can connect again (R-DISCONNECT).

Seen on 6.18: CLOSE -> SYN_SENT of the second connect() still shows the local port of the first connection, not 0; the new port
stands in the next line (SYN_SENT -> ESTABLISHED) of the same socket. So trap G8 has a second form: a wrong port instead of none."""
import time
from lab import ADDRESS, disconnect, quiet, wait_eof


def server(end):
    listener = end.listen()
    first = listener.accept()[0]
    quiet(first.recv, 100)
    second = listener.accept()[0]
    quiet(wait_eof, second)
    time.sleep(0.1)
    second.close()


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'rst', 'client', 'disconnect-reset')
    time.sleep(0.1)
    disconnect(sock)
    time.sleep(0.2)
    sock.connect((ADDRESS['server'], end.port))
    end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note='the same descriptor, connected again')
    sock.sendall(b'question')
    sock.close()
