"""The accept queue fills while handshakes are in flight (20 ms each way): three fillers of backlog 3 wait, four SYNs are answered,
the first ACK takes the last place, and the ACKs of the other three are dropped (S-ACCEPTQ-ACK). Those clients believe they
are connected. The server accepts 2.6 s later, and all complete."""
import time
from lab import begin, connected, drain
DELAY_MS = 20


def server(end):
    listener = end.listen(backlog=3)
    end.hear('overflowed')
    end.snapshot('overflowed')
    time.sleep(2.3)
    drain(listener, 3)


def client(end):
    end.hear('listening')
    fillers = [end.connect() for _ in range(3)]
    socks = [begin(end) for _ in range(4)]
    for sock in [*fillers, socks[0]]:
        end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note='fills the accept queue')
    for sock, note in zip(socks[1:], ('sends data at once', 'sends nothing until its end', 'sends nothing until its end')):
        end.truth(sock, 'fin', 'client', 'graceful-close', 'accept-queue-overflow-ack', 'fin-wait2-in-minisock', note=note)
    connected(*socks)
    socks[1].sendall(b'question')
    time.sleep(0.2)
    end.tell('overflowed')
    time.sleep(4.5)
    for sock in [*fillers, *socks]:
        sock.close()
        time.sleep(0.01)
