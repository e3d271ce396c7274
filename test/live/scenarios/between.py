"""What stands between the hosts: a router that forges, translates, forgets and swallows."""
import socket, time
from lab import *

FORGED = ['middlebox-reset', 'unexplained-reset']
ORPHANED = [*FORGED, 'no-socket-reset', 'stray-ack-reset']
GIVEN_UP = ['retransmission-timeout', 'peer-silent', 'idle-mapping-expired']


def forging(t, to, then=None, rules=FORGED, **kw):
    w = Wire(t.port)
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', rules)
    for end in to:
        forged_reset(w, c, t.port, end, **kw)
    time.sleep(.1)
    if then:
        quiet((c if then == 'client' else a).send, b'more')
        time.sleep(.2)
    close(c, a, l)


@scenario()
def forge_to_client(t):
    """a RST to the client that looks as the server's would: TTL, numbers; the server then sends and meets no socket"""
    forging(t, ['client'], 'server', ORPHANED, ttl=64)


@scenario(quick=True)
def forge_to_client_bare(t):
    """a bare RST to the client (as a kernel without a socket sends), in answer to nothing"""
    forging(t, ['client'], 'server', ORPHANED, ttl=64, flags=RST)


@scenario()
def forge_to_server(t):
    """a RST to the server in the client's name; the client then sends and meets no socket"""
    forging(t, ['server'], 'client', ORPHANED, ttl=64)


@scenario()
def forge_both(t):
    """both ends reset at once, with a window and a TTL of its own"""
    forging(t, ['client', 'server'], ttl=200, window=502)


@scenario()
def forge_both_alike(t):
    """both ends reset at once, as like their own as numbers go"""
    forging(t, ['client', 'server'], ttl=64, window=502, flags=RST | ACK)


@scenario()
def forge_answering_data(t):
    """a RST that answers the client's request, while the request goes on to the server"""
    w = Wire(t.port)
    l, c, a = pair(t.port)
    talk(c, a)
    t.say(c, 'close', ORPHANED)
    with Firewall(MID, 'forward', to_client(t.port, 'drop')):
        c.sendall(b'request')
        take(a, 7)
        time.sleep(.1)
        forged_reset(w, c, t.port, 'client', ttl=64, flags=RST)
        time.sleep(.1)
    close(c, a, l)


@scenario()
def forge_syn_ack_refused(t):
    """a RST in the server's name answers the SYN while the server listens and sends its SYN-ACK too late"""
    l = listener(t.port)
    c = client(timeout=1.5)
    t.say(c, 'close', ['middlebox-reset'], maybe=['connection-refused', 'no-socket-reset'])
    t.say(c, 'syn', ['netfilter-drop', 'syn-ack-lost-on-path', 'handshake-unfinished', '-'])
    w = Wire(t.port)
    f = Firewall(MID, 'forward', to_client(t.port, 'drop')).put()
    c.setblocking(False)
    c.connect_ex((S4, t.port))
    cp = c.getsockname()[1]
    seq, _ = w.numbers(cp, t.port)
    forge(MID, (S4, t.port), (C4, cp), 0, seq, RST | ACK, ttl=64)
    time.sleep(.1)
    f.off()
    time.sleep(1.2)
    close(c, l)


@scenario()
def blackhole_both(t):
    """all is swallowed both ways after establishment, both ends send, both give up"""
    l, c, a = pair(t.port)
    talk(c, a)
    for s in (c, a):
        s.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, 1500)
    t.say(c, 'close', GIVEN_UP)
    with Firewall(MID, 'forward', f'tcp dport {t.port} drop', f'tcp sport {t.port} drop'):
        c.sendall(b'lost')
        a.sendall(b'lost too')
        quiet(c.recv, 1)
        quiet(a.recv, 1)
        time.sleep(.1)
        close(c, a, l)


@scenario()
def half_open_path(t):
    """only the way to the client is open after establishment: the server's data arrive, no ACK returns; the server gives up"""
    l, c, a = pair(t.port)
    talk(c, a)
    a.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, 1500)
    t.say(c, 'close', GIVEN_UP, 'server')
    with Firewall(MID, 'forward', to_server(t.port, 'drop')):
        a.sendall(b'arrives')
        take(c, 7)
        quiet(a.recv, 1)
        time.sleep(.1)
        close(a, c, l)
        time.sleep(.1)


@scenario()
def keepalive_path_gone(t):
    """keepalive probes vanish: the kernel resets after them"""
    l, c, a = pair(t.port)
    talk(c, a)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for number, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 2)):
        c.setsockopt(*option(number, value))
    t.say(c, 'close', ['keepalive-timeout-reset', 'idle-mapping-expired', 'peer-silent'], 'client')
    with Firewall(MID, 'forward', to_client(t.port, 'drop')):
        quiet(c.recv, 1)
        time.sleep(.1)
    close(c, a, l)


@scenario()
def keepalive_meets_nothing(t):
    """the server's socket vanished without a word (its RST was eaten): a keepalive probe finds no socket"""
    l, c, a = pair(t.port)
    talk(c, a)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    c.setsockopt(*option(socket.TCP_KEEPIDLE, 1))
    t.say(c, 'close', ['no-socket-reset', 'disconnect-reset'], 'server')
    l.close()
    with Firewall(MID, 'forward', to_client(t.port, 'drop')):
        unspec(a)
        a.close()
        time.sleep(.1)
    quiet(c.recv, 1)
    time.sleep(.1)
    c.close()


TRACKED = 'ct state invalid drop', 'ct state established,related accept', 'tcp flags & (fin|syn|rst|ack) == syn accept'


def masquerade(port):
    return Firewall(MID, 'postrouting', f'oifname "server" tcp dport {port} masquerade', kind='nat', priority=100)


@scenario(at='router')
def nat_graceful(t):
    """masquerade: three ends, one in order, one over unread data, one with linger 0"""
    with masquerade(t.port):
        l = listener(t.port)
        three_ends(t, l)
        l.close()


@scenario(at='router')
def nat_entry_deleted(t):
    """the entry of a masqueraded connection is deleted (conntrack -D): the client's next data leave untranslated or under a new port"""
    with masquerade(t.port):
        l, c, a = pair(t.port)
        talk(c, a)
        t.say(c, 'close', [*GIVEN_UP, 'no-socket-reset', 'stray-ack-reset', 'untranslated-packet-reset', 'unexplained-reset', 'middlebox-reset', '-'])
        time.sleep(.3)
        sh(f'conntrack -D -p tcp --dport {t.port}', MID)
        c.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, 1500)
        quiet(c.send, b'who am I')
        quiet(c.recv, 1)
        time.sleep(.2)
        close(c, a, l)
        time.sleep(.1)


@scenario()
def entry_expired_then_dropped(t):
    """a stateful router forgets an idle connection, then drops what it does not know"""
    with Firewall(MID, 'forward', f'tcp dport {t.port} ct state invalid,new tcp flags & (syn|ack) != syn drop'):
        l, c, a = pair(t.port)
        talk(c, a)
        time.sleep(1.2)
        sh(f'conntrack -D -p tcp --dport {t.port}', MID)
        c.setsockopt(socket.IPPROTO_TCP, USER_TIMEOUT, 1500)
        t.say(c, 'close', GIVEN_UP, 'client')
        c.sendall(b'forgotten')
        quiet(c.recv, 1)
        time.sleep(.1)
        close(c, a, l)


@scenario(quick=True)
def entry_expired_then_rejected(t):
    """the same, but the router answers with a RST in the server's name: idle, then data, then RST"""
    with Firewall(MID, 'forward', f'tcp dport {t.port} ct state invalid,new tcp flags & (syn|ack) != syn reject with tcp reset'):
        l, c, a = pair(t.port)
        talk(c, a)
        time.sleep(1.2)
        sh(f'conntrack -D -p tcp --dport {t.port}', MID)
        t.say(c, 'close', [*ORPHANED, 'idle-mapping-expired'])
        quiet(c.send, b'forgotten')
        time.sleep(.2)
        quiet(a.send, b'still here')
        time.sleep(.2)
        close(c, a, l)


@scenario(at='router')
def dnat_to_closed_port(t):
    """the published port is translated to one where nobody listens"""
    with Firewall(MID, 'prerouting', f'tcp dport {t.port} dnat ip to {S4}:{t.port + 1}', kind='nat', priority=-100):
        c = client()
        for port in (t.port, t.port + 1):
            t.say(c, 'close', 'connection-refused', 'server', port=port)
        quiet(c.connect, (C4R, t.port))
        time.sleep(.1)
        c.close()


@scenario(at='router')
def dnat_unread(t):
    """the published port is translated; the server closes over unread data"""
    with Firewall(MID, 'prerouting', f'tcp dport {t.port} dnat ip to {S4}:{t.port + 1}', kind='nat', priority=-100):
        l = listener(t.port + 1)
        c = connect(t.port, to=C4R)
        a = l.accept()[0]
        c.sendall(b'never read')
        for port in (t.port, t.port + 1):
            t.say(c, 'close', 'unread-data-reset', 'server', port=port)
        time.sleep(.1)
        a.close()
        time.sleep(.2)
        close(c, l)


@scenario(at='router')
def dnat_reply_not_translated(t):
    """the reply leaves the router untranslated (its entry is gone at once): the client resets what it does not know, and sends its SYN again"""
    with Firewall(MID, 'prerouting', f'tcp dport {t.port} dnat ip to {S4}:{t.port + 1}', kind='nat', priority=-100), \
         Firewall(MID, 'prerouting', f'tcp sport {t.port + 1} notrack', priority=-300):
        l = listener(t.port + 1)
        c = client(timeout=1.6)
        for port in (t.port, t.port + 1):
            t.say(c, 'syn', ['untranslated-reply', 'unanswered-syn', 'handshake-unfinished', 'syn-ack-lost-on-path', 'connect-abandoned', '-'], port=port)
            t.say(c, 'close', ['untranslated-reply', 'no-socket-reset', 'unexplained-reset', 'untranslated-packet-reset', '-'], port=port)
        quiet(c.connect, (C4R, t.port))
        close(c, l)
