"""The server closes as soon as it reads the end of file: its FIN carries the ACK of the client's FIN, so there is no FIN_WAIT2
at all (F-PIGGY): FIN_WAIT1 -> FIN_WAIT2 -> CLOSE in one packet."""
from lab import wait_eof


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    wait_eof(sock)
    sock.close()
    end.tell('closed')


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-with-ack')
    sock.sendall(b'question')
    sock.close()
    end.hear('closed')
    end.snapshot('time-wait')
