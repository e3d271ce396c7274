"""tcp_syncookies=0 and three quarters of tcp_max_syn_backlog (8) taken: SYNs of unproven peers are dropped although the listener's
SYN queue (backlog 16) has room (S-SYNBACKLOG-34, ListenDrops only)."""
from lab import ADDRESS, flood, sysctl


def setup():
    sysctl('server', 'tcp_syncookies', 0)
    sysctl('server', 'tcp_max_syn_backlog', 8)


def server(end):
    listener = end.listen(backlog=16)
    end.hear('done')


def client(end):
    end.hear('listening')
    flood(end, 7)
    sock = end.socket()
    end.truth(sock, 'unanswered', 'client', syn_rule='syn-backlog-reserve-drop', note='the program gave up after 2.5 s')
    sock.settimeout(2.5)
    try:
        sock.connect((ADDRESS['server'], end.port))
        raise SystemExit('connected')
    except TimeoutError:
        end.snapshot('reserve')
    end.tell('done')
