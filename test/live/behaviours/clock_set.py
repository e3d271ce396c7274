"""CLOCK_REALTIME is set four times while connections stand: by +1 h, by -2 s in a quiet while, by -1 h, by -50 ms; and slewed in between.

For each step one connection ends before it, three stand across it and end in three ways, and one comes a second after it. It sets the
clock of the host: in a virtual machine only."""
import ctypes, os, time
from lab import libc, linger, quiet, wait_eof

STEPS = (3600, -2, -3600, -0.05)
KINDS = ('before', 'graceful', 'linger', 'unread', 'after')
QUIET = 2.6


def server(end):
    listener = end.listen()
    for _ in STEPS:
        socks = {}
        for kind in KINDS[:-1]:
            socks[kind] = listener.accept()[0]
            if kind == 'before':
                close_after(end, socks['before'])
        for kind in ('graceful', 'linger'):
            socks[kind].recv(100)
            socks[kind].sendall(b'answer')
        end.hear('set')
        quiet(socks['linger'].recv, 100)
        socks['unread'].recv(10)
        socks['unread'].close()
        close_after(end, socks['graceful'])
        close_after(end, listener.accept()[0])
        end.tell('next')


def close_after(end, sock):
    wait_eof(sock)
    end.hear('closed')
    sock.close()


def client(end):
    if not os.environ.get('LAB_SETS_CLOCK'):
        raise SystemExit('clock-set sets the clock of the host: in a virtual machine only')
    end.hear('listening')
    for step in STEPS:
        graceful(end, step)
        socks = {kind: end.connect([linger(0)] if kind == 'linger' else []) for kind in KINDS[1:-1]}
        end.truth(socks['graceful'], 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note=f'stands while the clock is set by {step} s')
        end.truth(socks['linger'], 'rst', 'client', 'linger-zero-reset', note=f'stands while the clock is set by {step} s')
        end.truth(socks['unread'], 'rst', 'server', 'unread-data-reset', note=f'290 bytes unread; stands while the clock is set by {step} s')
        for kind in ('graceful', 'linger'):
            socks[kind].sendall(b'question')
            socks[kind].recv(100)
        socks['unread'].sendall(b'x' * 300)
        time.sleep(QUIET if step == -2 else 0.3)
        time.clock_settime(time.CLOCK_REALTIME, time.time() + step)
        time.sleep(1)
        socks['linger'].close()
        end.tell('set')
        quiet(socks['unread'].recv, 100)
        close(end, socks['graceful'])
        graceful(end, step)
        end.hear('next')
        slew()
        time.sleep(QUIET)


def graceful(end, step):
    sock = end.connect()
    end.truth(sock, 'fin', 'client', 'graceful-close', fin_wait2_rule='fin-wait2-in-minisock', note=f'stands while nothing is set; the next step is, or was, {step} s')
    close(end, sock)


def close(end, sock):
    sock.close()
    time.sleep(0.06)
    end.tell('closed')


def slew():
    """adjtime(3) by 10 ms: both clocks go faster for 20 s."""
    words = (ctypes.c_long * 32)()
    words[0], words[1] = 0x8001, 10_000  # modes, offset of struct timex
    if libc.adjtimex(words) < 0:
        raise OSError(ctypes.get_errno(), 'adjtimex')
