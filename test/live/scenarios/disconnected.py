"""connect(AF_UNSPEC) and SO_LINGER 0 in every state, MPTCP included."""
import os, signal, socket, time
from lab import *

GONE = 'disconnect-reset'
ABORTED = 'linger-zero-reset'


@scenario()
def unspec_client(t):
    """the client disconnects an idle connection"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', GONE, 'client')
    unspec(c)
    time.sleep(.2)
    close(c, a, l)


@scenario()
def unspec_server_unread(t):
    """the server disconnects a connection whose data it has not read"""
    l, c, a = pair(t.port)
    c.sendall(b'never read')
    time.sleep(.1)
    t.say(c, 'close', GONE, 'server')
    unspec(a)
    time.sleep(.2)
    close(c, a, l)


@scenario()
def unspec_syn_sent(t):
    """disconnect while the SYN has no answer: silent"""
    with Firewall(SRV, 'input', to_server(t.port, 'drop')):
        c = client()
        c.setblocking(False)
        c.connect_ex((S4, t.port))
        time.sleep(1.2)
        t.say(c, 'syn', ['netfilter-drop', 'unanswered-syn', 'connect-abandoned'])
        unspec(c)
        c.close()


@scenario()
def unspec_fin_wait1(t):
    """disconnect while the FIN is not acknowledged"""
    l, c, a = pair(t.port)
    talk(c, a)
    with Firewall(MID, 'forward', to_server(t.port, 'tcp flags & fin == fin drop')):
        c.shutdown(socket.SHUT_WR)
        time.sleep(.1)
        t.say(c, 'close', GONE, 'client')
        unspec(c)
        time.sleep(.1)
    close(c, a, l)


@scenario()
def unspec_fin_wait2(t):
    """disconnect of a half-closed connection"""
    l, c, a = pair(t.port)
    talk(c, a)
    c.shutdown(socket.SHUT_WR)
    time.sleep(.2)
    t.say(c, 'close', GONE, 'client')
    unspec(c)
    time.sleep(.2)
    close(c, a, l)


@scenario(quick=True)
def unspec_close_wait(t):
    """disconnect after the peer's FIN was read"""
    l, c, a = pair(t.port)
    talk(c, a)
    c.shutdown(socket.SHUT_WR)
    take(a, 1)
    t.say(c, 'close', GONE, 'server')
    unspec(a)
    time.sleep(.2)
    close(c, a, l)


@scenario()
def unspec_listener(t):
    """disconnect of the listener: its unaccepted children are reset, an accepted one is not"""
    l = listener(t.port)
    c = connect(t.port)
    a = l.accept()[0]
    waiting = [connect(t.port) for _ in range(2)]
    time.sleep(.1)
    for w in waiting:
        t.say(w, 'close', 'listener-closed-reset', 'server')
    unspec(l)
    time.sleep(.2)
    talk(c, a)
    t.say(c, 'close', 'graceful-close')
    close(c, a, l, *waiting)


@scenario()
def unspec_reconnect(t):
    """disconnect, and the same descriptor connects again"""
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', [GONE, 'graceful-close'])
    unspec(c)
    time.sleep(.1)
    c.connect((S4, t.port))
    t.say(c, 'close', [GONE, 'graceful-close'])
    b = l.accept()[0]
    talk(c, b)
    c.close()
    time.sleep(.1)
    close(a, b, l)


@scenario(quick=True)
def linger0_unread(t):
    """SO_LINGER 0 and unread data: unread data come first"""
    l, c, a = pair(t.port, client_options=[LINGER0])
    c.sendall(b'q')
    a.recv(1)
    a.sendall(b'never read')
    time.sleep(.1)
    t.say(c, 'close', 'unread-data-reset', 'client')
    c.close()
    time.sleep(.2)
    close(a, l)


@scenario()
def linger0_close_wait(t):
    """SO_LINGER 0 in CLOSE_WAIT, all read"""
    l, c, a = pair(t.port)
    talk(c, a)
    c.shutdown(socket.SHUT_WR)
    take(a, 1)
    a.setsockopt(*LINGER0)
    t.say(c, 'close', ABORTED, 'server')
    a.close()
    time.sleep(.2)
    close(c, l)


@scenario()
def linger0_fin_wait2(t):
    """SO_LINGER 0, close() after half-closing"""
    l, c, a = pair(t.port, client_options=[LINGER0])
    talk(c, a)
    c.shutdown(socket.SHUT_WR)
    time.sleep(.2)
    t.say(c, 'close', ABORTED, 'client')
    c.close()
    time.sleep(.2)
    close(a, l)


@scenario()
def linger0_fin_wait1(t):
    """SO_LINGER 0, close() while the FIN is on its way and lost"""
    l, c, a = pair(t.port, client_options=[LINGER0])
    talk(c, a)
    with Firewall(MID, 'forward', to_server(t.port, 'tcp flags & fin == fin drop')):
        c.shutdown(socket.SHUT_WR)
        time.sleep(.1)
        t.say(c, 'close', ABORTED, 'client')
        c.close()
        time.sleep(.1)
    close(a, l)


@scenario()
def linger0_killed(t):
    """a process with SO_LINGER 0 is killed: the abort of its option, not of the signal"""
    l = listener(t.port)
    c = client(options=[LINGER0])
    t.say(c, 'close', ABORTED, 'client')
    pid = os.fork()
    if not pid:
        c.connect((S4, t.port))
        time.sleep(60)
    c.close()
    a = l.accept()[0]
    time.sleep(.2)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    time.sleep(.2)
    close(a, l)


@scenario()
def linger0_zero_window(t):
    """SO_LINGER 0 with data that the peer's full buffer keeps back"""
    l, c, a = pair(t.port, client_options=[LINGER0], options=[SMALL])
    c.setblocking(False)
    for _ in range(50):
        quiet(c.send, b'x' * 20000)
    time.sleep(.4)
    t.say(c, 'close', ABORTED, 'client')
    c.close()
    time.sleep(.2)
    close(a, l)


@scenario()
def linger5_unsent(t):
    """a positive SO_LINGER that runs out with data unsent: FIN waits behind them, the peer then closes over what it has not read"""
    l, c, a = pair(t.port, client_options=[(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 1))], options=[SMALL])
    c.setblocking(False)
    for _ in range(50):
        quiet(c.send, b'x' * 20000)
    c.setblocking(True)
    t.say(c, 'close', 'unread-data-reset', 'server')
    c.close()
    a.close()
    time.sleep(.2)
    l.close()


@scenario()
def mptcp_disconnect(t):
    """connect(AF_UNSPEC) on an MPTCP socket"""
    l, c, a = pair(t.port, proto=MPTCP)
    talk(c, a)
    t.say(c, 'close', GONE, 'client')
    unspec(c)
    time.sleep(.3)
    close(c, a, l)


@scenario()
def mptcp_unread(t):
    """MPTCP server closes with unread data"""
    l, c, a = pair(t.port, proto=MPTCP)
    c.sendall(b'never read')
    time.sleep(.2)
    t.say(c, 'close', 'unread-data-reset', 'server')
    a.close()
    time.sleep(.3)
    close(c, l)


@scenario()
def mptcp_linger0_server(t):
    """MPTCP server with SO_LINGER 0, all read"""
    l, c, a = pair(t.port, proto=MPTCP)
    talk(c, a)
    a.setsockopt(*LINGER0)
    t.say(c, 'close', ABORTED, 'server')
    a.close()
    time.sleep(.3)
    close(c, l)


@scenario()
def mptcp_graceful_and_fallback(t):
    """MPTCP closes in order; a plain client of the same listener closes with linger 0"""
    l, c, a = pair(t.port, proto=MPTCP)
    talk(c, a)
    t.say(c, 'close', 'graceful-close')
    c.close()
    time.sleep(.1)
    a.close()
    c = connect(t.port, options=[LINGER0])
    a = l.accept()[0]
    talk(c, a)
    t.say(c, 'close', ABORTED, 'client')
    c.close()
    time.sleep(.2)
    close(a, l)
