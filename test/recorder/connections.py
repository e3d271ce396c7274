"""connections.py PORT N: so many connections over loopback, one after the other, a byte each."""
import socket, sys
port, n = int(sys.argv[1]), int(sys.argv[2])
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(('127.0.0.1', port))
listener.listen(100)
for _ in range(n):
    client = socket.create_connection(('127.0.0.1', port))
    server = listener.accept()[0]
    client.sendall(b'x')
    server.recv(1)
    client.close()
    server.close()
