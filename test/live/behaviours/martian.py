"""A SYN that comes from outside with the server's own address as its source: dropped on input as a martian (S-MARTIAN, IP_LOCAL_SOURCE)."""
import time
from lab import ADDRESS, segment


def server(end):
    listener = end.listen()
    end.hear('done')


def client(end):
    end.hear('listening')
    end.told(f'{ADDRESS["server"]}:41000', 'unanswered', 'none', syn_rule='martian-drop', note='three SYNs made by the program')
    for _ in range(3):
        segment(ADDRESS['server'], 41000, ADDRESS['server'], end.port, 'S', 1000000)
        time.sleep(0.5)
    end.tell('done')
