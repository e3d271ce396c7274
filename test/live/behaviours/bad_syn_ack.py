"""The client in SYN_SENT gets a SYN-ACK for a wrong sequence number: it answers with a bare RST and stays in SYN_SENT (R-SYNSENT-BADACK). The real
SYNs are dropped by nftables on the server for 1.5 s; then one gets through."""
import time
from lab import ADDRESS, begin, drain, nft, nft_flush, segment


def server(end):
    listener = end.listen()
    end.hear('connecting')
    time.sleep(0.3)
    segment(ADDRESS['server'], end.port, ADDRESS['client'], 45000, 'SA', 5000000, 7000000)
    time.sleep(1.2)
    nft_flush('server')
    drain(listener, 3)


def client(end):
    end.hear('listening')
    nft('server', f'input tcp dport {end.port} drop')
    sock = begin(end, port=45000)
    end.truth(sock, 'fin', 'client', 'graceful-close', 'netfilter-drop', 'fin-wait2-in-minisock', note='the RST in SYN_SENT (bad-syn-ack-reset) did not end it')
    end.tell('connecting')
    time.sleep(2.5)
    sock.setblocking(True)
    sock.sendall(b'question')
    sock.close()
