"""provoke.py PORT [COMM]: one connection over IPv4 and one over IPv6 on loopback, each closed with 90 bytes unread; then a refused one."""
import ctypes, socket, sys, time
port = int(sys.argv[1])
if len(sys.argv) > 2:
    ctypes.CDLL(None).prctl(15, sys.argv[2].encode().decode('unicode_escape').encode('latin1'))
for family, host in ((socket.AF_INET, '127.0.0.1'), (socket.AF_INET6, '::1')):
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(3)
    client = socket.create_connection((host, port))
    server = listener.accept()[0]
    server.sendall(b'x' * 100)
    time.sleep(0.05)
    client.recv(10)
    client.close()
    time.sleep(0.05)
    server.close()
    listener.close()
    try:
        socket.create_connection((host, port))
    except ConnectionRefusedError:
        pass
