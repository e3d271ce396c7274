"""The server reads the end of file and never closes: CLOSE_WAIT, with an owner, for as long as the program lives
(F-CLOSEWAIT-LEAK). One connection that it does close stands beside two that it leaks."""
import time
from lab import wait_eof


def server(end):
    listener = end.listen()
    socks = []
    for number in range(3):
        sock = listener.accept()[0]
        wait_eof(sock)
        time.sleep(0.1)
        if number == 1:
            sock.close()
        socks.append(sock)
    end.tell('leaked')
    end.park()


def client(end):
    end.hear('listening')
    for number in range(3):
        sock = end.connect()
        if number == 1:
            end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock')
        else:
            end.truth(sock, 'open', 'client', fin_wait2_rule='fin-wait2-in-minisock', stuck_rule='close-wait-leak')
        sock.sendall(b'question')
        sock.close()
    end.hear('leaked')
    time.sleep(1)
    end.snapshot('close-wait')
