"""SYNs with a wrong TCP checksum: dropped on input (S-CSUM, InCsumErrors, the tracepoint tcp_bad_csum)."""
import time
from lab import ADDRESS, segment


def server(end):
    listener = end.listen()
    end.hear('done')


def client(end):
    end.hear('listening')
    end.told(f'{ADDRESS["client"]}:41000', 'unanswered', 'none', syn_rule='checksum-drop', note='three SYNs made by the program')
    for _ in range(3):
        segment(ADDRESS['client'], 41000, ADDRESS['server'], end.port, 'S', 1000000, bad_checksum=True)
        time.sleep(0.5)
    end.tell('done')
