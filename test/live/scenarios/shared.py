"""Descriptors that several hold, threads that close what others read, and what the programs at the ends read or leave."""
import array, os, signal, socket, subprocess, threading, time
from lab import *
from processes import child, end, LATE, UNREAD


@scenario(alone=True)
def reuseport_migrates(t):
    """tcp_migrate_req: of two listeners of one port one is closed; what waited in it moves to the other and ends in order"""
    reuse = [(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)]
    with sysctl(SRV, net__ipv4__tcp_migrate_req=1):
        one, two = listener(t.port, options=reuse), listener(t.port, options=reuse)
        cs = [connect(t.port) for _ in range(8)]
        time.sleep(.1)
        for c in cs:
            t.say(c, 'close', 'graceful-close')
        one.close()
        time.sleep(.1)
        taken = [two.accept()[0] for _ in cs]
        close(*taken)
        time.sleep(.1)
        close(*cs, two)


@scenario()
def listener_outlives_parent(t):
    """the parent of a listening process dies, the child that inherited the listener goes on: nothing is reset"""
    l = listener(t.port)
    c1, c2 = connect(t.port), connect(t.port)

    def parent():
        if os.fork() == 0:
            c1.close(), c2.close()
            time.sleep(1)
            kept = [l.accept()[0], l.accept()[0]]
            for a in kept:
                take(a, 5)
                a.close()
            time.sleep(.3)
            os._exit(0)
        c1.close(), c2.close()
    pid = child(parent)
    l.close()
    end(pid)
    for c in (c1, c2):
        t.say(c, 'close', 'graceful-close')
        c.sendall(b'hello')
    time.sleep(1)
    for c in (c1, c2):
        c.recv(1)
        c.close()
    time.sleep(.5)


@scenario()
def listener_dies_with_last_holder(t):
    """two processes hold the listener; the first dies: nothing; the second dies: what waits is reset"""
    l = listener(t.port)
    cs = [connect(t.port) for _ in range(3)]
    pids = [child(lambda: [c.close() for c in cs]) for _ in range(2)]
    l.close()
    end(pids[0])
    time.sleep(.3)
    for c in cs:
        t.say(c, 'close', 'listener-closed-reset', 'server')
    end(pids[1])
    close(*cs)


@scenario()
def linger0_in_other_thread(t):
    """one thread waits in recv(), another sets SO_LINGER 0 and closes: the reset comes when recv() lets go, here after the client's next byte; that byte was read"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.settimeout(None)
    fd = a.fileno()
    reader = threading.Thread(target=lambda: quiet(os.read, fd, 10))
    reader.start()
    time.sleep(.1)
    a.setsockopt(*LINGER0)
    t.say(c, 'close', 'linger-zero-reset', 'server')
    a.close()
    time.sleep(.3)
    c.sendall(b'x')
    reader.join(3)
    time.sleep(.2)
    close(c, l)


@scenario()
def passed_and_lost(t):
    """a descriptor is on its way in a unix socket (SCM_RIGHTS) when that is closed unread: all read: in order; unread: reset"""
    l = listener(t.port)
    for rule in ('graceful-close', UNREAD):
        c = connect(t.port)
        a = l.accept()[0]
        talk(c, a)
        one, two = socket.socketpair()
        socket.send_fds(one, [b'x'], [a.fileno()])
        a.close()
        time.sleep(.1)
        if rule == UNREAD:
            c.sendall(b'never read')
            time.sleep(.1)
        t.say(c, 'close', rule, 'server' if rule == UNREAD else None)
        close(two, one)
        time.sleep(.2)
        c.close()
    l.close()


@scenario()
def sendfile_into_dead(t):
    """sendfile() of 4 MB; the client dies with it unread: its RST ends the sender"""
    l = listener(t.port)
    c = connect(t.port, options=[SMALL])

    a = l.accept()[0]
    pid = child(lambda: close(a, l))
    t.say(c, 'close', UNREAD, 'client')
    c.close()
    with open('/dev/shm/lab-%d' % os.getpid(), 'w+b') as file:
        file.write(b'z' * 4000000)
        file.flush()
        os.unlink(file.name)
        threading.Timer(.6, end, [pid]).start()
        a.settimeout(3)
        quiet(a.sendfile, file)
    time.sleep(.5)
    close(a, l)


@scenario()
def splice_into_closed(t):
    """the client has closed in order; the server goes on splicing from a pipe: its data meet the client's closed socket"""
    l, c, a = pair(t.port)
    talk(c, a)
    r, w = os.pipe()
    t.say(c, 'close', LATE, 'client')
    c.close()
    time.sleep(.1)
    for _ in range(3):
        os.write(w, b'spliced')
        quiet(os.splice, r, a.fileno(), 7)
        time.sleep(.1)
    close(a, l)


@scenario()
def closed_before_accept(t):
    """the client sends and closes before it is accepted; the server then reads all and closes"""
    l = listener(t.port)
    c = connect(t.port)
    c.sendall(b'hello')
    t.say(c, 'close', 'graceful-close')
    t.say(c, 'stuck', ['close-wait-unaccepted', '-'])
    c.close()
    time.sleep(.5)
    a = l.accept()[0]
    take(a, 6)
    close(a)
    time.sleep(.1)
    l.close()


@scenario()
def reset_before_accept(t):
    """the client resets (linger 0) before it is accepted; the server accepts a dead socket"""
    l = listener(t.port)
    c = connect(t.port)
    c.sendall(b'hello')
    c.setsockopt(*LINGER0)
    t.say(c, 'close', 'linger-zero-reset', 'client')
    c.close()
    time.sleep(.3)
    a = l.accept()[0]
    quiet(a.recv, 1)
    close(a, l)


@scenario()
def closed_and_listener_too(t):
    """the client sends and closes before it is accepted; the listener closes: the child in CLOSE_WAIT is reset"""
    l = listener(t.port)
    c = connect(t.port)
    c.sendall(b'hello')
    t.say(c, 'close', 'listener-closed-reset', 'server')
    c.close()
    time.sleep(.2)
    l.close()
    time.sleep(.2)


@scenario()
def frozen_then_killed(t):
    """SIGSTOP of a server; the client's keepalive is answered by its kernel; the client closes; the server is killed frozen, all read"""
    l, c, a = pair(t.port)
    talk(c, a)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for number, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 1)):
        c.setsockopt(*option(number, value))
    pid = child(lambda: (c.close(), l.close()))
    close(a, l)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(3.5)
    t.say(c, 'close', 'graceful-close')
    c.close()
    time.sleep(1)
    end(pid)


@scenario()
def closed_by_exec(t):
    """exec of another program closes the socket (O_CLOEXEC) over unread data"""
    l, c, a = pair(t.port)
    c.sendall(b'never read')
    time.sleep(.1)
    t.say(c, 'close', UNREAD, 'server')
    pid = os.fork()
    if not pid:
        c.close(), l.close()
        os.execv('/usr/bin/sleep', ['sleep', '1'])
    a.close()
    os.waitpid(pid, 0)
    time.sleep(.1)
    close(c, l)


@scenario()
def parent_keeps_accepted(t):
    """a forking server: the parent forgets to close its copy; the child answers and ends, no FIN; the client gives up waiting and closes; the parent dies later"""
    l = listener(t.port)
    c = connect(t.port)

    def parent():
        c.close()
        parent.kept = a = l.accept()[0]
        if os.fork() == 0:
            take(a, 8)
            a.sendall(b'answer')
            os._exit(0)
    c.sendall(b'question')
    pid = child(parent)
    l.close()
    take(c, 6)
    time.sleep(.5)
    t.say(c, 'close', 'graceful-close')
    c.close()
    time.sleep(2)
    end(pid)


@scenario()
def peeked_only(t):
    """the server only peeks at the request (MSG_PEEK) and closes: unread"""
    l, c, a = pair(t.port)
    c.sendall(b'request')
    time.sleep(.1)
    a.recv(7, socket.MSG_PEEK)
    t.say(c, 'close', UNREAD, 'server')
    a.close()
    time.sleep(.2)
    close(c, l)


@scenario()
def truncated_read(t):
    """the server discards the request (MSG_TRUNC): read; in order"""
    l, c, a = pair(t.port)
    c.sendall(b'request' * 100)
    time.sleep(.1)
    a.recv(700, socket.MSG_TRUNC)
    t.say(c, 'close', 'graceful-close')
    a.close()
    time.sleep(.1)
    close(c, l)


@scenario()
def urgent_unread(t):
    """all but the urgent byte was read: what close() does then is seen by the client (end of file, or reset)"""
    l, c, a = pair(t.port)
    talk(c, a)
    c.send(b'!', socket.MSG_OOB)
    time.sleep(.1)
    a.close()
    time.sleep(.2)
    reset = isinstance(quiet(c.recv, 1), ConnectionResetError)
    t.say(c, 'close', UNREAD if reset else 'graceful-close', 'server' if reset else None)
    close(c, l)


@scenario()
def one_byte_unread_of_many(t):
    """30 connections of one process that exits: every third has one byte unread, every third was half-closed by its client"""
    l = listener(t.port)
    cs = [connect(t.port) for _ in range(30)]
    kept = [l.accept()[0] for _ in cs]
    by_port = {a.getpeername()[1]: a for a in kept}
    for n, c in enumerate(cs):
        c.sendall(b'question')
        take(by_port[c.getsockname()[1]], 7 if n % 3 == 0 else 8)
        if n % 3 == 1:
            c.shutdown(socket.SHUT_WR)
    time.sleep(.2)
    for n, c in enumerate(cs):
        t.say(c, 'close', UNREAD if n % 3 == 0 else 'graceful-close', 'server' if n % 3 == 0 else None)
    pid = child(lambda: close(*cs))
    close(l, *kept)
    end(pid)
    close(*cs)
    time.sleep(.1)


@scenario()
def linger_runs_out(t):
    """SO_LINGER of 1 s: the path swallows the last data, close() returns, the orphan retries and dies without a RST; the client is never told"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 1))
    a.setsockopt(*option(USER_TIMEOUT, 2500))
    t.say(c, 'close', ['fin-unacknowledged', 'retransmission-timeout', 'peer-silent', 'no-socket-reset', 'stray-ack-reset', 'idle-mapping-expired'])
    with Firewall(MID, 'forward', to_client(t.port, 'drop')):
        a.sendall(b'last words')
        a.close()
        time.sleep(3.5)
    quiet(c.send, b'hello?')
    time.sleep(.3)
    close(c, l)


@scenario()
def window_opens_late(t):
    """the client does not read for 2 s (window 0, probes), then reads all; in order"""
    l = listener(t.port)
    c = connect(t.port, options=[SMALL])
    a = l.accept()[0]
    a.setblocking(False)
    sent = 0
    while True:
        got = quiet(a.send, b'z' * 4000)
        if isinstance(got, OSError):
            break
        sent += got
    time.sleep(2)
    t.say(c, 'stuck', ['peer-window-closed', '-'])
    t.say(c, 'close', 'graceful-close')
    a.setblocking(True)
    a.shutdown(socket.SHUT_WR)
    take(c, sent)
    c.recv(1)
    close(c, a)
    time.sleep(.1)
    l.close()


@scenario()
def orphan_behind_zero_window(t):
    """the server closes with unsent data behind a closed window: an orphan that probes; after 2 s the client dies with its data unread"""
    l = listener(t.port)
    c = connect(t.port, options=[SMALL])
    a = l.accept()[0]
    a.setblocking(False)
    while not isinstance(quiet(a.send, b'z' * 4000), OSError):
        pass
    a.close()
    time.sleep(2)
    t.say(c, 'close', UNREAD, 'client')
    c.close()
    time.sleep(.3)
    l.close()
