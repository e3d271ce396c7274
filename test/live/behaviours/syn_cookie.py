"""The SYN queue is full (three half-open requests, backlog 2) and tcp_syncookies=1: SYN-ACKs are cookies (S-SYNQ-COOKIE). Two clients
connect before the flood, two during it; all send, get an answer and close. tcp_rmem is Debian's, so that the window scale is 7.

Seen on 6.18: children of a normal handshake advertise win 509 (65160 >> 7), cookie children 502 (64256 >> 7) from their first ACK on, as
document 002 has them; their SYN-ACKs do not differ (window 65160, MSS, SACK, wscale 7: the timestamp carries the options).
SyncookiesSent 2, SyncookiesRecv 2, TCPReqQFullDoCookies 2."""
import time
from lab import flood, inside, wait_eof


def setup():
    for name in 'client', 'server':
        inside(name, 'sysctl', '-qw', 'net.ipv4.tcp_rmem=4096 131072 6291456', 'net.ipv4.tcp_syncookies=1')


def server(end):
    listener = end.listen(backlog=2)
    for _ in range(4):
        sock = listener.accept()[0]
        sock.recv(100)
        sock.sendall(b'answer')
        wait_eof(sock)
        time.sleep(0.1)
        sock.close()
        end.tell('closed')


def client(end):
    end.hear('listening')
    for number in range(4):
        if number == 2:
            flood(end, 3, syn_rule='')
            time.sleep(0.1)
            end.snapshot('syn-queue-full')
        sock = end.connect()
        end.truth(sock, 'fin', 'client', 'graceful-close', 'syn-cookie-handshake' if number > 1 else '', 'fin-wait2-in-minisock')
        sock.sendall(b'question')
        sock.recv(100)
        sock.close()
        end.hear('closed')
