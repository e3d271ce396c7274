"""tcp_max_tw_buckets of the client leaves room for one more: the first connection has its minisock, the others end without one
(F-TW-OVERFLOW, TCPTimeWaitOverflow), and the server's FIN is answered with a RST."""
import re, time
from lab import sysctl, wait_eof
CAPTURE = 'client'


def server(end):
    listener = end.listen()
    for _ in range(3):
        sock = listener.accept()[0]
        wait_eof(sock)
        time.sleep(0.2)
        sock.close()


def client(end):
    end.hear('listening')
    minisocks = int(re.search(r'^TCP:.* tw (\d+)', open('/proc/net/sockstat').read(), re.M)[1])   # of what ran before
    sysctl('client', 'tcp_max_tw_buckets', minisocks + 1)
    for number in range(3):
        sock = end.connect()
        if number == 0:
            end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock')
        else:
            end.truth(sock, 'rst', 'client', 'no-socket-reset', fin_wait2_rule='time-wait-overflow')
        sock.sendall(b'question')
        sock.close()
        time.sleep(0.1)
        if number:
            end.snapshot(f'overflow-{number}')
        time.sleep(0.3)
