"""The SYN queue is full, so handshakes in flight (20 ms each way) are cookies; the accept queue (backlog 1) fills with the first of their
ACKs. The others' ACKs are dropped without a request that could be retried; data with a later sequence number, or the FIN, then
fails the cookie and gets a bare RST (cookie-overflow-reset).

Seen on 6.18: the ACK or data that finds no room shows as kfree_skb NO_SOCKET (3) at cookie_v4_check, without a RST. SyncookiesRecv counts these
too (7: one child and six overflows)."""
import socket, time
from lab import begin, connected, drain, flood, quiet, tcp_state, until
CLOSE = 7
DELAY_MS = 20


def server(end):
    listener = end.listen(backlog=1)
    end.hear('overflowed')
    end.snapshot('overflowed')
    end.hear('reset')
    drain(listener)


def client(end):
    end.hear('listening')
    filler = end.connect()
    end.truth(filler, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note='one of two places of the accept queue')
    flood(end, 2)
    time.sleep(0.1)
    socks = [begin(end) for _ in range(3)]
    end.truth(socks[0], 'fin', 'client', 'graceful-close', 'syn-cookie-handshake', 'fin-wait2-in-minisock', note='its cookie took the last place of the accept queue')
    end.truth(socks[1], 'rst', 'server', 'cookie-overflow-reset', 'cookie-overflow-reset', note='8 bytes, then 4 more: reset by the second segment')
    end.truth(socks[2], 'rst', 'client', 'cookie-overflow-reset', 'cookie-overflow-reset', 'fin-wait1-aborted', note='8 bytes, then close(): its FIN is reset')
    connected(*socks)
    for sock in socks[1:]:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(b'question')
    end.tell('overflowed')
    time.sleep(0.3)
    socks[1].sendall(b'more')
    socks[2].close()
    until(lambda: tcp_state(socks[1]) == CLOSE)
    assert isinstance(quiet(socks[1].recv, 10), ConnectionResetError)
    end.tell('reset')
    filler.close()
    socks[0].close()
