"""nftables on the server drops the SYN in INPUT, after the capture's tap (S-NETFILTER). One client gives up; one gets through when the
rule is gone.

Seen on 6.18: kfree_skb NETFILTER_DROP (12) has the location nft_do_chain, not nf_hook_slow."""
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
    nft('server', f'input tcp dport {end.port} drop')
    sock = end.socket()
    end.truth(sock, 'unanswered', 'client', syn_rule='netfilter-drop', note='the program gave up after 2.5 s')
    sock.settimeout(2.5)
    try:
        sock.connect((ADDRESS['server'], end.port))
        raise SystemExit('connected')
    except TimeoutError:
        sock.close()
    end.tell('waiting')
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', 'netfilter-drop', 'fin-wait2-in-minisock', note='a later SYN got through')
    sock.close()
