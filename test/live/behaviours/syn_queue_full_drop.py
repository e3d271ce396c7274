"""The SYN queue is full and tcp_syncookies=0: the SYN is dropped (S-SYNQ-FULL-DROP, TCPReqQFullDrop). One client gives up; one gets
through when the half-open requests have expired (tcp_synack_retries=1: 3 s)."""
from lab import ADDRESS, drain, flood, sysctl


def setup():
    sysctl('server', 'tcp_syncookies', 0)
    sysctl('server', 'tcp_synack_retries', 1)


def server(end):
    listener = end.listen(backlog=1)
    drain(listener, 8)


def client(end):
    end.hear('listening')
    flood(end, 2)
    sock = end.socket()
    end.truth(sock, 'unanswered', 'client', syn_rule='syn-queue-full-drop', note='the program gave up after 1.5 s')
    sock.settimeout(1.5)
    try:
        sock.connect((ADDRESS['server'], end.port))
        raise SystemExit('connected through a full SYN queue')
    except TimeoutError:
        end.snapshot('syn-queue-full')
        sock.close()
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', 'syn-queue-full-drop', 'fin-wait2-in-minisock', note='a later SYN got through')
    sock.close()
