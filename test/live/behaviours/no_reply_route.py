"""The client connects from 10.99.0.1; the server has no route back and rp_filter is 0: the SYN reaches TCP and dies there for want of a route
for the answer (S-NOROUTE-REPLY, ListenDrops only).

Seen on 6.18: IpOutNoRoutes and ListenDrops both rise by one for each SYN; no kfree_skb."""
from lab import ADDRESS, inside
import socket

RULE = {'no-reply-route': 'no-reply-route-drop', 'reverse-path': 'reverse-path-drop'}


def setup():
    inside('client', 'ip', 'addr', 'add', '10.99.0.1/32', 'dev', 'lo')


def server(end):
    listener = end.listen()
    end.hear('done')


def client(end):
    end.hear('listening')
    sock = socket.socket()
    sock.bind(('10.99.0.1', 0))
    end.truth(sock, 'unanswered', 'client', syn_rule=RULE[end.behaviour], note='the program gave up after 2.5 s')
    sock.settimeout(2.5)
    try:
        sock.connect((ADDRESS['server'], end.port))
        raise SystemExit('connected')
    except TimeoutError:
        end.tell('done')
