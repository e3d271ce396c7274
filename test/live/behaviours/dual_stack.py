"""An AF_INET6 listener that also serves IPv4: the kernel reports family 10 and ::ffff:10.77.0.x (trap G18); one client of each kind."""
import socket, time
from lab import wait_eof


def server(end):
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('::', end.port))
    listener.listen(16)
    end.tell('listening')
    for _ in range(2):
        sock = listener.accept()[0]
        wait_eof(sock)
        time.sleep(0.1)
        sock.close()


def client(end):
    end.hear('listening')
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note='IPv4 to an AF_INET6 listener')
    sock.sendall(b'question')
    sock.close()
    time.sleep(0.3)
    sock = socket.create_connection(('fd77::2', end.port))
    end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', remote='[fd77::2]')
    sock.sendall(b'question')
    sock.close()
