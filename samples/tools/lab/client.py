"""Five clients of the stuck listener, three connections to the service, one refused."""
import socket
import threading
import time


def stuck(number):
    connection = socket.socket()
    connection.settimeout(6)
    try:
        connection.connect(("10.9.0.1", 8080))
        connection.send(b"helloworld\0")
        time.sleep(0.05)
        connection.close()
    except OSError as error:
        print(number, error)


threads = [threading.Thread(target=stuck, args=(number,)) for number in range(5)]
for thread in threads:
    thread.start()
    time.sleep(0.02)

kept = socket.create_connection(("10.9.0.1", 9090))
kept.send(b"keep")
kept.recv(100)

closed = socket.create_connection(("fd09::1", 9090))
closed.send(b"close")
closed.recv(100)
time.sleep(0.1)
closed.close()

unread = socket.create_connection(("fd09::1", 9090))
unread.send(b"unread")
time.sleep(0.05)
unread.send(b"x" * 300)
time.sleep(0.3)
try:
    unread.recv(100)
    unread.recv(100)
except OSError as error:
    print("unread", error)

try:
    socket.create_connection(("10.9.0.1", 81))
except OSError as error:
    print("refused", error)
time.sleep(8)
