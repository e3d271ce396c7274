"""The client's first connection ends without the server knowing (its RST is lost: nftables on the client's OUTPUT drops it); it connects
again from the same port and its SYN hits the ESTABLISHED socket (S-STALE-ESTAB): challenge ACK, RST, and the next SYN succeeds.

Seen on 6.18: the RST that netfilter drops on its way out still makes a tcp_send_reset event and counts in OutRsts; TCPAbortFailed counts it."""
import time
from lab import linger, nft, nft_flush, quiet


def server(end):
    listener = end.listen()
    first = listener.accept()[0]
    first.recv(100)
    second = listener.accept()[0]
    quiet(first.recv, 100)
    second.recv(100)
    second.recv(100)
    time.sleep(0.1)
    second.close()


def client(end):
    end.hear('listening')
    sock = end.connect([linger(0)], port=45000)
    end.truth(sock, 'rst', 'client', 'linger-zero-reset', note='life 1; this RST never left the client; the server\'s end is reset by the answer to its challenge ACK')
    sock.sendall(b'question')
    time.sleep(0.2)
    nft('client', f'output tcp dport {end.port} drop')
    quiet(sock.close)
    time.sleep(0.2)
    nft_flush('client')
    end.snapshot('stale')
    sock = end.connect(port=45000)
    end.truth(sock, 'fin', 'client', 'graceful-close', 'syn-on-stale-connection', 'fin-wait2-in-minisock', note='life 2')
    sock.sendall(b'question')
    sock.close()
