"""The accept queue is full (backlog 1 admits two) when the SYN comes: the SYN is dropped without a trace but ListenOverflows and
ListenDrops (S-ACCEPTQ-SYN). One client gives up, one gets through when the server accepts at last."""
import time
from lab import ADDRESS, drain


def server(end):
    listener = end.listen(backlog=1)
    end.hear('full')
    end.snapshot('full')
    end.hear('waiting')
    time.sleep(1.5)
    end.snapshot('waiting')
    drain(listener, 2)


def client(end):
    end.hear('listening')
    socks = [end.connect() for _ in range(2)]
    for sock in socks:
        end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note='fills the accept queue')
    end.tell('full')
    sock = end.socket()
    end.truth(sock, 'unanswered', 'client', syn_rule='accept-queue-overflow-syn', note='the program gave up after 2.5 s')
    sock.settimeout(2.5)
    try:
        sock.connect((ADDRESS['server'], end.port))
        raise SystemExit('connected through a full accept queue')
    except TimeoutError:
        sock.close()
    end.tell('waiting')
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', 'accept-queue-overflow-syn', 'fin-wait2-in-minisock', note='a later SYN got through')
    time.sleep(0.3)
    for sock in [*socks, sock]:
        sock.close()
