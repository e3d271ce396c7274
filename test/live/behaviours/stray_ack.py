"""An ACK for a connection that never was meets a listener: a bare RST (R-CHILD-BADACK, TCP_FLAGS, state 10); data to a port without a listener
too (R-NOSOCK, otherwise than by a SYN)."""
import time
from lab import ADDRESS, segment


def server(end):
    listener = end.listen()
    end.hear('done')


def client(end):
    end.hear('listening')
    end.told(f'{ADDRESS["client"]}:41000', 'rst', 'server', 'stray-ack-reset', note='one segment made by the program')
    segment(ADDRESS['client'], 41000, ADDRESS['server'], end.port, 'A', 1000000, 2000000)
    time.sleep(0.2)
    end.port += 50
    end.told(f'{ADDRESS["client"]}:41001', 'rst', 'server', 'no-socket-reset', note='one segment made by the program, to a closed port')
    segment(ADDRESS['client'], 41001, ADDRESS['server'], end.port, 'PA', 1000000, 2000000, b'question')
    time.sleep(0.2)
    end.tell('done')
