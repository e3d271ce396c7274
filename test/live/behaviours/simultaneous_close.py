"""Both ends close within the 20 ms that a segment travels: FIN_WAIT1 -> CLOSING -> CLOSE on both (F-SIMCLOSE).

Seen on 6.18: kfree_skb QUEUE_PURGE (104) at sk_stream_kill_queues on both ends is the FIN that the closed socket still had: not a loss."""
import time
DELAY_MS = 20


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(100)
    sock.sendall(b'answer')
    end.hear('close')
    sock.close()
    time.sleep(0.3)


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'fin', 'both', 'graceful-close', fin_wait2_rule='simultaneous-close')
    sock.sendall(b'question')
    sock.recv(100)
    time.sleep(0.2)
    end.tell('close')
    sock.close()
    time.sleep(0.1)
    end.snapshot('time-wait')
