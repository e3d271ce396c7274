"""Proxies at the router: the client's connection and the one to the server share nothing but time. Needs socat, haproxy, nginx."""
import os, signal, socket, subprocess, tempfile, time
from lab import *
from processes import LATE, UNREAD

BROKEN = [UNREAD, 'linger-zero-reset', 'disconnect-reset']


@contextlib.contextmanager
def proxy(command, port, config=None):
    """A proxy in the router's namespace, listening at `port`. {config}: a file with that text."""
    folder = tempfile.mkdtemp(dir='/dev/shm')
    if config:
        open(f'{folder}/conf', 'w').write(config.replace('FOLDER', folder))
    with within(MID):
        p = subprocess.Popen(command.replace('FOLDER', folder), shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=os.setsid)
    try:
        wait(lambda: states(MID, f'sport = {port}'), 4)
        yield p
    finally:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        sh(f'rm -r {folder}')


def haproxy(port, extra='', server='', mode='http'):
    return proxy('haproxy -db -f FOLDER/conf', port, f'''
defaults
 mode {mode}
 timeout connect 1s
 timeout client 3s
 timeout server 3s
 {extra}
listen x
 bind {C4R}:{port}
 server s {S4}:{port + 1} {server}
''')


def nginx(port, extra=''):
    return proxy('nginx -p FOLDER -c FOLDER/conf', port, f'''
daemon off; master_process off; error_log stderr; pid FOLDER/pid; worker_processes 1;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path FOLDER; proxy_temp_path FOLDER; fastcgi_temp_path FOLDER; uwsgi_temp_path FOLDER; scgi_temp_path FOLDER;
 server {{ listen {C4R}:{port}; location / {{ proxy_pass http://{S4}:{port + 1}; }} {extra} }} }}
''')


GET = b'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
OK = b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'


def behind(l, seconds=5):
    """What the proxy opened to the server."""
    l.settimeout(seconds)
    a = l.accept()[0]
    a.settimeout(5)
    return a


@scenario(at='router')
def socat_idle_timeout(t):
    """socat ends both connections after a second of silence: in order on either side"""
    l = listener(t.port + 1)
    with proxy(f'exec socat -T1 TCP-LISTEN:{t.port},bind={C4R},fork,reuseaddr TCP:{S4}:{t.port + 1}', t.port):
        c = connect(t.port, to=C4R)
        a = behind(l)
        talk(c, a)
        t.say(c, 'close', 'graceful-close')
        t.say(a.getpeername()[1], 'close', 'graceful-close', port=t.port + 1)
        c.recv(1), a.recv(1)
        close(c, a)
        time.sleep(.2)
    l.close()


@scenario(at='router')
def socat_killed_unread(t):
    """the proxy is killed: the client's connection has data that it has not read (it was stopped), the server's has none"""
    l = listener(t.port + 1)
    with proxy(f'exec socat TCP-LISTEN:{t.port},bind={C4R},reuseaddr TCP:{S4}:{t.port + 1}', t.port) as p:
        c = connect(t.port, to=C4R)
        a = behind(l)
        talk(c, a)
        os.killpg(p.pid, signal.SIGSTOP)
        c.sendall(b'never read')
        time.sleep(.2)
        t.say(c, 'close', UNREAD, 'server')
        t.say(a.getpeername()[1], 'close', 'graceful-close', port=t.port + 1)
        os.killpg(p.pid, signal.SIGKILL)
        time.sleep(.2)
        close(c, a, l)
        time.sleep(.1)


@scenario(at='router')
def haproxy_server_closed(t):
    """haproxy, nobody listens at the server: 503 to the client in order, refusals behind"""
    with haproxy(t.port, 'retries 1'):
        c = connect(t.port, to=C4R)
        c.sendall(GET)
        t.say(c, 'close', 'graceful-close')
        t.say(0, 'close', 'connection-refused', 'server', port=t.port + 1)
        while quiet(c.recv, 4000):
            pass
        c.close()
        time.sleep(.2)


@scenario(at='router')
def haproxy_server_slow(t):
    """haproxy's `timeout server` runs out: 504 to the client; what it does to the server's connection the server's program sees"""
    l = listener(t.port + 1)
    with haproxy(t.port, 'timeout server 1s'):
        c = connect(t.port, to=C4R)
        c.sendall(GET)
        a = behind(l)
        cp = a.getpeername()[1]
        a.recv(4000)
        while quiet(c.recv, 4000):
            pass
        got = quiet(a.recv, 1)
        t.say(c, 'close', 'graceful-close')
        t.say(cp, 'close', 'graceful-close' if got == b'' else ['linger-zero-reset', UNREAD, 'disconnect-reset'], None if got == b'' else 'client', port=t.port + 1)
        close(c, a)
        time.sleep(.2)
    l.close()


@scenario(at='router')
def haproxy_checks(t):
    """haproxy's health checks (connect only): each is reset by the checker before anything is sent"""
    l = listener(t.port + 1, backlog=64)
    with haproxy(t.port, server='check inter 300', mode='tcp'):
        time.sleep(1.6)
        l.settimeout(.1)
        rule = 'linger-zero-reset'
        t.say(0, 'close', [rule, 'graceful-close', 'no-socket-reset', 'disconnect-reset'], port=t.port + 1)
        t.say(0, 'syn', ['-', 'connect-abandoned', 'handshake-unfinished'], port=t.port + 1)
        while not isinstance(quiet(l.accept), OSError):
            pass
    l.close()
    time.sleep(.1)


@scenario(at='router')
def haproxy_client_resets(t):
    """the client resets (linger 0) while the server answers: haproxy ends the other connection its own way, as the server's program sees"""
    l = listener(t.port + 1)
    with haproxy(t.port, mode='tcp'):
        c = connect(t.port, to=C4R)
        c.sendall(GET)
        a = behind(l)
        cp = a.getpeername()[1]
        a.recv(4000)
        c.setsockopt(*LINGER0)
        t.say(c, 'close', 'linger-zero-reset', 'client')
        c.close()
        got = quiet(a.recv, 1)
        t.say(cp, 'close', ['graceful-close', *LATE] if got == b'' else ['linger-zero-reset', 'disconnect-reset', UNREAD], port=t.port + 1)
        quiet(a.sendall, OK)
        time.sleep(.2)
        a.close()
        time.sleep(.1)
    l.close()


@scenario(at='router')
def nginx_upstream_slow(t):
    """nginx's proxy_read_timeout of 1 s: 504 to the client, the upstream connection is closed in order while the server thinks; its late answer is reset"""
    l = listener(t.port + 1)
    with nginx(t.port, 'proxy_read_timeout 1s; keepalive_timeout 0;'):
        c = connect(t.port, to=C4R)
        c.sendall(GET)
        a = behind(l)
        cp = a.getpeername()[1]
        a.recv(4000)
        while quiet(c.recv, 4000):
            pass
        t.say(c, 'close', 'graceful-close')
        t.say(cp, 'close', LATE, 'client', port=t.port + 1)
        c.close()
        quiet(a.sendall, OK)
        time.sleep(.3)
        a.close()
        time.sleep(.1)
    l.close()


@scenario(at='router')
def nginx_client_impatient(t):
    """the client gives up (closes) before the answer; nginx closes upstream in order (499); the server's answer comes later and is reset"""
    l = listener(t.port + 1)
    with nginx(t.port):
        c = connect(t.port, to=C4R)
        c.sendall(GET)
        a = behind(l)
        cp = a.getpeername()[1]
        a.recv(4000)
        t.say(c, 'close', 'graceful-close')
        t.say(cp, 'close', LATE, 'client', port=t.port + 1)
        c.close()
        time.sleep(.3)
        quiet(a.sendall, OK)
        time.sleep(.3)
        a.close()
        time.sleep(.1)
    l.close()


@scenario(at='router')
def nginx_body_too_large(t):
    """a body beyond client_max_body_size: 413 at once, nginx lingers, reads and closes; the client sends all the while"""
    l = listener(t.port + 1)
    with nginx(t.port, 'client_max_body_size 1k; lingering_timeout 300ms; lingering_time 600ms; keepalive_timeout 0;'):
        c = connect(t.port, to=C4R)
        c.sendall(b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n')
        for _ in range(12):
            if isinstance(quiet(c.send, b'z' * 2000), OSError):
                break
            time.sleep(.1)
        t.say(c, 'close', [*LATE, UNREAD, 'no-socket-reset'], 'server')
        time.sleep(.2)
        c.close()
    l.close()


@scenario(at='router')
def nginx_resets_timed_out(t):
    """reset_timedout_connection: a client that sends half a request is reset after client_header_timeout"""
    l = listener(t.port + 1)
    with nginx(t.port, 'client_header_timeout 1s; reset_timedout_connection on;'):
        c = connect(t.port, to=C4R)
        c.sendall(GET[:10])
        got = quiet(c.recv, 1)
        t.say(c, 'close', 'linger-zero-reset' if isinstance(got, OSError) else 'graceful-close', 'server' if isinstance(got, OSError) else None)
        time.sleep(.1)
        c.close()
    l.close()


@scenario(at='router')
def nginx_keepalive_ends(t):
    """keepalive_timeout of 1 s at nginx, the client sends its next request at that moment: FIN or answer, as the client sees"""
    l = listener(t.port + 1)
    with nginx(t.port, 'keepalive_timeout 1s;'):
        c = connect(t.port, to=C4R)
        c.sendall(GET)
        a = behind(l)
        a.recv(4000)
        a.sendall(OK)
        cp = a.getpeername()[1]
        c.recv(4000)
        with Firewall(MID, 'output', to_client(t.port, 'tcp flags & fin == fin drop')):
            time.sleep(1.2)
            quiet(c.send, GET)
            time.sleep(.2)
        t.say(c, 'close', LATE, 'server')
        t.say(cp, 'close', 'graceful-close', port=t.port + 1)
        time.sleep(.3)
        close(c, a)
        time.sleep(.1)
    l.close()


@scenario(at='router')
def server_resets_proxy_answers(t):
    """the server resets (linger 0) after half an answer: haproxy in tcp mode passes it on its own way"""
    l = listener(t.port + 1)
    with haproxy(t.port, mode='tcp'):
        c = connect(t.port, to=C4R)
        c.sendall(GET)
        a = behind(l)
        cp = a.getpeername()[1]
        a.recv(4000)
        a.sendall(OK[:10])
        time.sleep(.1)
        a.setsockopt(*LINGER0)
        t.say(cp, 'close', 'linger-zero-reset', 'server', port=t.port + 1)
        a.close()
        take(c, 10)
        got = quiet(c.recv, 1)
        t.say(c, 'close', 'graceful-close' if got == b'' else ['linger-zero-reset', UNREAD, 'disconnect-reset'], None if got == b'' else 'server')
        c.close()
        time.sleep(.2)
    l.close()
