"""Listens with a backlog of 1 on port 8080 and never accepts; serves port 9090 on both families."""
import socket
import sys
import time

stuck = socket.socket()
stuck.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
stuck.bind(("10.9.0.1", 8080))
stuck.listen(1)

service = socket.socket(socket.AF_INET6)
service.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
service.bind(("::", 9090))
service.listen(7)
service.settimeout(0.2)

connections = []
end = time.time() + float(sys.argv[1])
while time.time() < end:
    try:
        connection, _ = service.accept()
    except OSError:
        continue
    connections.append(connection)
    wish = connection.recv(100)
    connection.send(b"answer" * 10)
    if wish == b"unread":
        time.sleep(0.1)
        connection.close()
    elif wish == b"close":
        connection.close()
    else:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
