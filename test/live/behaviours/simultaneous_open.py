"""Both ends connect to each other's port within the 20 ms that a segment travels (S-SIMOPEN): SYN_SENT -> SYN_RECV -> ESTABLISHED on
one socket, no listener.

Seen on 6.18: each end shows the other's SYN-ACK as kfree_skb TCP_OLD_DATA (33) at tcp_rcv_state_process: not a loss."""
import time
from lab import ADDRESS, wait_eof
import socket
DELAY_MS = 20


def server(end):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((ADDRESS['server'], end.port))
    end.tell('bound')
    end.hear('connect')
    sock.connect((ADDRESS['client'], 45000))
    wait_eof(sock)
    time.sleep(0.3)      # longer than a delayed ACK
    sock.close()


def client(end):
    end.hear('bound')
    sock = end.socket(port=45000)
    end.tell('connect')
    sock.connect((ADDRESS['server'], end.port))
    end.truth(sock, 'fin', 'client', 'graceful-close', 'simultaneous-open', 'fin-wait2-in-minisock',
              note='neither end is more of a client than the other; each capture sees its own SYN first')
    sock.sendall(b'question')
    time.sleep(0.2)
    sock.close()
    time.sleep(0.6)
