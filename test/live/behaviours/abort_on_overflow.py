"""As accept-queue-ack with tcp_abort_on_overflow=1: the ACK that finds no room is answered with a bare RST (S-ABORT-OVERFLOW)."""
from lab import begin, drain, quiet, sysctl, tcp_state, until
CLOSE = 7
DELAY_MS = 20


def setup():
    sysctl('server', 'tcp_abort_on_overflow', 1)


def server(end):
    listener = end.listen(backlog=3)
    end.hear('overflowed')
    end.snapshot('overflowed')
    drain(listener)


def client(end):
    end.hear('listening')
    fillers = [end.connect() for _ in range(3)]
    socks = [begin(end) for _ in range(4)]
    for sock in [*fillers, socks[0]]:
        end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note='fills the accept queue')
    for sock in socks[1:]:
        end.truth(sock, 'rst', 'server', 'abort-on-overflow-reset', 'abort-on-overflow-reset')
    until(lambda: tcp_state(socks[0]) == 1 and all(tcp_state(sock) == CLOSE for sock in socks[1:]))
    end.tell('overflowed')
    for sock in socks[1:]:
        assert isinstance(quiet(sock.recv, 10), ConnectionResetError)
    for sock in [*fillers, socks[0]]:
        sock.close()
