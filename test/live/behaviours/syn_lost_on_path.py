"""The path loses the first two SYNs of the first connection, and the first two SYN-ACKs of the second: seen at one end only.
The SYN-ACKs are sent again 1 s and 3 s after, or with the client's SYN that is repeated meanwhile."""
import time
from lab import path, wait_eof
DELAY_MS = 20


def server(end):
    listener = end.listen()
    for _ in range(2):
        sock = listener.accept()[0]
        wait_eof(sock)
        time.sleep(0.2)
        sock.close()


def client(end):
    end.hear('listening')
    for way, flags, rule in (('to-server', 0x02, 'syn-lost-on-path'), ('to-client', 0x12, 'syn-ack-lost-on-path')):
        sock = end.socket()
        sock.setblocking(False)
        path(f"'drop' if way == {way!r} and flags & 0x3f == {flags} else None")
        try:
            sock.connect(('10.77.0.2', end.port))
        except BlockingIOError:
            pass
        time.sleep(1.5)
        path('')
        sock.setblocking(True)
        sock.settimeout(10)
        while True:
            try:
                sock.getpeername()
                break
            except OSError:
                time.sleep(0.05)
        end.truth(sock, 'fin', 'client', 'graceful-close', rule, 'fin-wait2-in-minisock')
        sock.sendall(b'question')
        time.sleep(0.1)
        sock.close()
        time.sleep(0.5)
