"""The client closes, and before its FIN is acknowledged (20 ms each way) the RST of a server that closed with unread data arrives:
FIN_WAIT1 -> CLOSE (F-FW1-CLOSE)."""
import time
DELAY_MS = 20


def server(end):
    listener = end.listen()
    sock = listener.accept()[0]
    sock.recv(10)
    end.hear('close')
    time.sleep(0.005)
    sock.close()
    time.sleep(0.2)


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'rst', 'client', 'unread-data-reset', fin_wait2_rule='fin-wait1-aborted', note='the RST is the server\'s; the client\'s FIN was under way (the server\'s capture sees the RST first)')
    sock.sendall(b'x' * 300)
    time.sleep(0.2)
    end.tell('close')
    sock.close()
    time.sleep(0.3)
