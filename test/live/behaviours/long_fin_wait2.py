"""TCP_LINGER2 of 63 s, above the 60 s of TIME_WAIT: the orphan stays in FIN_WAIT2 as a full socket under the keepalive timer for 3 s before
the minisock takes over (F-LONG-FW2). The first connection gets the server's FIN while the full socket is there, the second after.

Seen on 6.18: the minisock that takes over counts as TWKilled, its time being under 4 s; FIN_WAIT2 -> CLOSE comes from the timer 3.2 s after
FIN_WAIT2 began."""
import socket, time
from lab import TCP_LINGER2, wait_eof


def server(end):
    listener = end.listen()
    socks = [listener.accept()[0] for _ in range(2)]
    for sock in socks:
        wait_eof(sock)
    time.sleep(1.5)
    end.snapshot('full-socket')
    socks[0].close()
    time.sleep(3)
    end.snapshot('minisock')
    socks[1].close()


def client(end):
    end.hear('listening')
    for _ in range(2):
        sock = end.connect([(socket.IPPROTO_TCP, TCP_LINGER2, 63)])
        end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='long-fin-wait2')
        sock.sendall(b'question')
        sock.close()
