"""The listener is closed with three children that nobody accepted: each gets a RST in the same instant (R-LISTEN-CLOSE).

Seen on 6.18: the data of the child that had some shows as kfree_skb QUEUE_PURGE (104) at tcp_disconnect: here it is a loss."""
import time
from lab import quiet


def server(end):
    listener = end.listen()
    end.hear('connected')
    end.snapshot('waiting')
    listener.close()
    end.tell('closed')


def client(end):
    end.hear('listening')
    socks = []
    for number in range(3):
        sock = end.connect()
        end.truth(sock, 'rst', 'server', 'listener-closed-reset', note='with data in its queue' if number == 2 else '')
        socks.append(sock)
    socks[2].sendall(b'question')
    time.sleep(0.2)
    end.tell('connected')
    end.hear('closed')
    time.sleep(0.1)
    for sock in socks:
        assert isinstance(quiet(sock.recv, 10), ConnectionResetError)
