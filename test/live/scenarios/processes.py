"""What processes do: crash, are killed, stopped and stopped for good, leak and share descriptors, shut down one way or the other."""
import os, signal, socket, subprocess, time
from lab import *

UNREAD = 'unread-data-reset'
LATE = ['data-after-close-reset', 'time-wait-data-reset', 'keep-alive-race']


def child(work):
    """Runs work() in a process of its own and leaves it waiting; its pid."""
    ready, tell = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            work()
            os.write(tell, b'.')
            while True:
                time.sleep(60)
        finally:
            os._exit(1)
    os.read(ready, 1)
    os.close(ready)
    os.close(tell)
    return pid


def end(pid, number=signal.SIGKILL):
    os.kill(pid, number)
    os.waitpid(pid, 0)
    time.sleep(.2)


@scenario()
def killed_all_read(t):
    """kill -9 of a server that has read everything: FIN"""
    l = listener(t.port)
    c = connect(t.port)

    def serve():
        a = l.accept()[0]
        serve.kept = a
        c.close()
        take(a, 5)
    c.sendall(b'hello')
    pid = child(serve)
    l.close()
    t.say(c, 'close', 'graceful-close')
    end(pid)
    c.close()


@scenario(quick=True)
def killed_mixed(t):
    """kill -9 of a server with one connection read, one unread, one not accepted"""
    l = listener(t.port)
    cs = [connect(t.port) for _ in range(3)]

    def serve():
        serve.kept = [l.accept()[0], l.accept()[0]]
        for c in cs:
            c.close()
        take(serve.kept[0], 5)
    cs[0].sendall(b'hello')
    cs[1].sendall(b'never read')
    time.sleep(.05)
    pid = child(serve)
    l.close()
    t.say(cs[0], 'close', 'graceful-close')
    t.say(cs[1], 'close', UNREAD, 'server')
    t.say(cs[2], 'close', 'listener-closed-reset', 'server')
    end(pid)
    close(*cs)


@scenario()
def crashed(t):
    """SIGSEGV with unread data"""
    l = listener(t.port)
    c = connect(t.port)
    c.sendall(b'never read')
    time.sleep(.05)

    def serve():
        serve.kept = l.accept()[0]
        c.close()
    pid = child(serve)
    l.close()
    t.say(c, 'close', UNREAD, 'server')
    end(pid, signal.SIGSEGV)
    c.close()


@scenario()
def stopped_client_gives_up(t):
    """SIGSTOP of the server: its kernel acknowledges, nobody answers; the client closes with nothing read, later the server goes on"""
    l = listener(t.port)
    c = connect(t.port)

    def serve():
        serve.kept = a = l.accept()[0]
        c.close()
        a.recv(1)
    pid_l = l
    c.sendall(b'q')
    pid = child(serve)
    pid_l.close()
    os.kill(pid, signal.SIGSTOP)
    c.sendall(b'question')
    time.sleep(.5)
    t.say(c, 'close', UNREAD, 'server')
    c.close()
    time.sleep(.2)
    os.kill(pid, signal.SIGCONT)
    end(pid)


@scenario()
def container_stopped(t):
    """a pid namespace is stopped: SIGTERM is ignored, then SIGKILL of its init takes all: read, unread, waiting"""
    l = listener(t.port)
    cs = [connect(t.port) for _ in range(3)]
    cs[0].sendall(b'hello')
    cs[1].sendall(b'never read')
    code = ('import socket,time,signal,os\n'
            f'l=socket.socket(fileno={l.fileno()})\n'
            'a=l.accept()[0];b=l.accept()[0];a.recv(5);signal.signal(15,signal.SIG_IGN);print(1,flush=True)\ntime.sleep(60)')
    p = subprocess.Popen(['unshare', '-p', '-f', '--kill-child', '/usr/bin/python3', '-c', code], pass_fds=[l.fileno()], stdout=subprocess.PIPE)
    p.stdout.readline()
    l.close()
    t.say(cs[0], 'close', 'graceful-close')
    t.say(cs[1], 'close', UNREAD, 'server')
    t.say(cs[2], 'close', 'listener-closed-reset', 'server')
    inner = int(sh(f'pgrep -P {p.pid}', stdout=-1).stdout)
    os.kill(inner, signal.SIGTERM)
    time.sleep(.3)
    os.kill(inner, signal.SIGKILL)
    p.wait()
    time.sleep(.3)
    close(*cs)


@scenario()
def leaked_to_exec(t):
    """the server's descriptor leaks into a program it starts: close() closes nothing; the FIN comes when that program ends"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.set_inheritable(True)
    p = subprocess.Popen(['sleep', '1'], close_fds=False)
    a.close()
    time.sleep(.2)
    t.say(c, 'close', 'graceful-close')
    p.wait()
    time.sleep(.2)
    close(c, l)


@scenario()
def leaked_unread(t):
    """leaked likewise; meanwhile the client sends: the end of the other program is a close with unread data"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.set_inheritable(True)
    p = subprocess.Popen(['sleep', '1'], close_fds=False)
    a.close()
    time.sleep(.1)
    c.sendall(b'never read')
    t.say(c, 'close', UNREAD, 'server')
    p.wait()
    time.sleep(.2)
    close(c, l)


@scenario()
def shared_by_fork(t):
    """parent shuts the connection down while its child still holds it; the client's later data are nobody's"""
    l, c, a = pair(t.port)
    talk(c, a)
    pid = child(lambda: (c.close(), l.close()))
    a.shutdown(socket.SHUT_RDWR)
    a.close()
    time.sleep(.1)
    t.say(c, 'close', LATE, 'server')
    quiet(c.send, b'late')
    time.sleep(.2)
    end(pid)
    close(c, l)


@scenario()
def listener_closed_full(t):
    """the listener is closed with its queue full, and connections besides that never got into it"""
    l = listener(t.port, backlog=1)
    cs = [connect(t.port) for _ in range(2)]
    late = client()
    late.setblocking(False)
    late.connect_ex((S4, t.port))
    time.sleep(.3)
    for c in cs:
        t.say(c, 'close', 'listener-closed-reset', 'server')
    t.say(late, 'syn', ['accept-queue-overflow-syn', 'unanswered-syn', '-'])
    t.say(late, 'close', 'connection-refused', 'server')
    l.close()
    time.sleep(1.2)
    close(*cs, late)


@scenario(quick=True)
def listener_shut_down(t):
    """shutdown(SHUT_RD) of the listener; the accepted connection is closed over unread data at the same moment"""
    l = listener(t.port)
    c1 = connect(t.port)
    a1 = l.accept()[0]
    c1.sendall(b'never read')
    c2 = connect(t.port)
    time.sleep(.1)
    t.say(c1, 'close', UNREAD, 'server')
    t.say(c2, 'close', 'listener-closed-reset', 'server')
    l.shutdown(socket.SHUT_RD)
    a1.close()
    time.sleep(.2)
    close(c1, c2, l)


@scenario()
def accepted_closed_with_listener(t):
    """one process closes listener, an accepted linger-0 connection and an accepted ordinary one together"""
    l = listener(t.port)
    cs, kept = [], []
    for n in range(2):
        cs.append(connect(t.port))
        kept.append(l.accept()[0])
    kept[0].setsockopt(*LINGER0)
    t.say(cs[0], 'close', 'linger-zero-reset', 'server')
    t.say(cs[1], 'close', 'graceful-close')
    close(l, *kept)
    time.sleep(.2)
    close(*cs)


@scenario()
def reuseport_one_closed(t):
    """two listeners of one port (SO_REUSEPORT); one is closed: what waited in it is reset, the other goes on"""
    reuse = [(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)]
    one, two = listener(t.port, options=reuse), listener(t.port, options=reuse)
    cs = [connect(t.port) for _ in range(8)]
    time.sleep(.1)
    two.settimeout(.2)
    taken = {}
    while True:
        a = quiet(two.accept)
        if isinstance(a, OSError):
            break
        taken[a[1][1]] = a[0]
    for c in cs:
        if c.getsockname()[1] in taken:
            t.say(c, 'close', 'graceful-close')
        else:
            t.say(c, 'close', 'listener-closed-reset', 'server')
    one.close()
    time.sleep(.1)
    close(*taken.values())
    time.sleep(.1)
    close(*cs, two)


@scenario()
def shutdown_read_then_data(t):
    """SHUT_RD, then the client's data come: Linux takes them; closed unread it is a reset"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.shutdown(socket.SHUT_RD)
    c.sendall(b'after shut_rd')
    time.sleep(.1)
    t.say(c, 'close', UNREAD, 'server')
    a.close()
    time.sleep(.2)
    close(c, l)


@scenario()
def shutdown_read_and_drained(t):
    """SHUT_RD, data come and are read all the same: in order"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.shutdown(socket.SHUT_RD)
    c.sendall(b'after')
    time.sleep(.1)
    take(a, 5)
    t.say(c, 'close', 'graceful-close')
    a.close()
    time.sleep(.1)
    close(c, l)


@scenario()
def shutdown_both_held(t):
    """SHUT_RDWR with the descriptor kept: the client's data after it are answered with a RST"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.shutdown(socket.SHUT_RDWR)
    time.sleep(.1)
    t.say(c, 'close', LATE, 'server')
    quiet(c.send, b'late')
    time.sleep(.2)
    close(c, a, l)


@scenario()
def shutdown_write_then_unread(t):
    """the server half-closes, the client sends on, the server closes over it"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.shutdown(socket.SHUT_WR)
    time.sleep(.1)
    c.sendall(b'more, never read')
    time.sleep(.1)
    t.say(c, 'close', UNREAD, 'server')
    a.close()
    time.sleep(.2)
    close(c, l)


@scenario()
def shutdown_write_then_data_read(t):
    """the client half-closes and reads the long answer to its end"""
    l, c, a = pair(t.port)
    c.sendall(b'question')
    c.shutdown(socket.SHUT_WR)
    take(a, 8)
    for _ in range(5):
        a.sendall(b'x' * 3000)
        time.sleep(.05)
    take(c, 15000)
    t.say(c, 'close', 'graceful-close')
    t.say(c, 'fin-wait2', ['half-close', '-'], 'client')
    a.close()
    time.sleep(.1)
    close(c, l)


@scenario()
def late_data_crossing_fin(t):
    """the idle server closes at the moment the client sends: request and FIN cross on a slow path"""
    l, c, a = pair(t.port)
    talk(c, a)
    time.sleep(.5)
    t.say(c, 'close', LATE, 'server')
    f = Firewall(MID, 'forward', to_client(t.port, 'tcp flags & fin == fin drop')).put()
    a.close()
    quiet(c.send, b'request')
    time.sleep(.1)
    f.off()
    time.sleep(.5)
    close(c, l)


@scenario()
def fin_then_unread_by_client(t):
    """the server answers and closes in order; the client closes without reading it: RST in CLOSE_WAIT"""
    l, c, a = pair(t.port)
    c.sendall(b'q')
    take(a, 1)
    a.sendall(b'answer')
    a.close()
    time.sleep(.1)
    t.say(c, 'close', UNREAD, 'client')
    c.close()
    time.sleep(.2)
    l.close()


@scenario()
def client_abandons(t):
    """the client's process is killed in SYN_SENT"""
    c = client()
    t.say(c, 'syn', ['connect-abandoned', 'unanswered-syn', 'netfilter-drop'])
    with Firewall(SRV, 'input', to_server(t.port, 'drop')):
        def dial():
            c.setblocking(False)
            c.connect_ex((S4, t.port))
        pid = child(dial)
        c.close()
        time.sleep(1.2)
        end(pid)


@scenario()
def unread_then_process_of_peer_ends(t):
    """both ends close over unread data in the same moment"""
    l, c, a = pair(t.port)
    c.sendall(b'for the server')
    a.sendall(b'for the client')
    time.sleep(.1)
    t.say(c, 'close', UNREAD)
    close(a, c)
    time.sleep(.2)
    l.close()
