"""The client closed and then became unreachable; the server's FIN is not acknowledged: LAST_ACK, retransmitted as an orphan, still there
at the end of the capture (F-LASTACK)."""
import time
from lab import nft, wait_eof


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    wait_eof(sock)
    end.hear('gone')
    sock.close()
    time.sleep(4)
    end.snapshot('last-ack')


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'open', 'client', fin_wait2_rule='fin-wait2-in-minisock', stuck_rule='last-ack-stuck')
    sock.sendall(b'question')
    sock.close()
    time.sleep(0.2)
    nft('client', f'input tcp sport {end.port} drop')
    end.tell('gone')
