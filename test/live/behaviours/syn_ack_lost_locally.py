"""nftables on the server's OUTPUT drops the SYN-ACK: the request exists and is retried, nothing leaves (S-SYNACK-LOST-LOCAL). The
second client gets through when the rule is gone."""
import time
from lab import ADDRESS, drain, nft, nft_flush


def server(end):
    listener = end.listen()
    end.hear('waiting')
    time.sleep(1.5)
    nft_flush('server')
    drain(listener, 3)


def client(end):
    end.hear('listening')
    nft('server', f'output tcp sport {end.port} drop')
    sock = end.socket()
    end.truth(sock, 'unanswered', 'client', syn_rule='syn-ack-lost-locally', note='the program gave up after 2.5 s')
    sock.settimeout(2.5)
    try:
        sock.connect((ADDRESS['server'], end.port))
        raise SystemExit('connected')
    except TimeoutError:
        end.snapshot('syn-recv')
        sock.close()
    end.tell('waiting')
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', 'syn-ack-lost-locally', 'fin-wait2-in-minisock', note='a later SYN-ACK got through')
    sock.close()
