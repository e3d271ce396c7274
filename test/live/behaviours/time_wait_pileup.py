"""Sixty short connections in a row, all closed by the client first: sixty minisocks in TIME_WAIT on its side (F-TW-MANY)."""
from lab import wait_eof
CAPTURE = 'client'

COUNT = 60


def server(end):
    listener = end.listen()
    for _ in range(COUNT):
        sock = listener.accept()[0]
        wait_eof(sock)
        sock.close()
        end.tell('closed')


def client(end):
    end.hear('listening')
    for _ in range(COUNT):
        sock = end.connect()
        end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-with-ack', stuck_rule='time-wait-pileup')
        sock.close()
        end.hear('closed')
    end.snapshot('time-wait')
