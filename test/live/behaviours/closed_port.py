"""Nobody listens on the port: the SYN is answered with RST|ACK (R-NOSOCK)."""
import time
from lab import ADDRESS, quiet


def server(end):
    end.hear('done')


def client(end):
    for _ in range(2):
        sock = end.socket()
        end.truth(sock, 'refused', 'server', 'connection-refused')
        error = quiet(sock.connect, (ADDRESS['server'], end.port))
        assert isinstance(error, ConnectionRefusedError), error
        sock.close()
        time.sleep(0.1)
    end.tell('done')
