"""The server closed first, so TIME_WAIT is on its side; the client connects again from the same port, and the SYN takes over the
TIME_WAIT minisock (S-SYN-TW; the server's new ISN is the old snd_nxt + 65537)."""
import time
from lab import wait_eof


def server(end):
    listener = end.listen()
    for number in range(2):
        sock = listener.accept()[0]
        sock.recv(100)
        sock.close()
    end.hear('done')


def client(end):
    end.hear('listening')
    for number in range(2):
        sock = end.connect(port=45000)
        end.truth(sock, 'fin', 'server', 'graceful-close', 'syn-on-time-wait' if number else '', 'fin-wait2-in-minisock', note=f'life {number + 1} of the 4-tuple')
        sock.sendall(b'question')
        wait_eof(sock)
        time.sleep(0.2)
        sock.close()
        time.sleep(0.1)
        if not number:
            end.snapshot('time-wait')
            time.sleep(1.2)
    end.tell('done')
