"""Simultaneous close (20 ms each way), and the path loses the ACKs of the FINs and all that comes after: both ends stay in CLOSING and
retransmit their FINs until the end of the capture (F-CLOSING-STUCK). (A FIN sent again would itself carry the missing ACK.)"""
import time
from lab import path
DELAY_MS = 20


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    sock.sendall(b'answer')
    end.hear('close')
    sock.close()
    time.sleep(3)
    end.snapshot('closing')


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'open', 'both', fin_wait2_rule='simultaneous-close', stuck_rule='closing-stuck')
    sock.sendall(b'question')
    sock.recv(100)
    time.sleep(0.2)
    path("'drop' if flags == 0x10 and not length else None")
    end.tell('close')
    sock.close()
    time.sleep(0.1)
    path("'drop'")
