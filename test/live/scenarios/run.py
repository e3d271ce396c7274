#!/usr/bin/env python3
"""Plays the scenarios and captures them with the product's own capture: run.py [--only a,b] [--quick] -o DIR

One capture for many scenarios (each has ports of its own), so that they take minutes: DIR/<batch>/ gets bundle/ (taken at the server, the
client or the router), client.pcap, router.pcap and server.pcap of the same time, and truth.json. judge.ts reads it. Needs root, the recorder,
tcpdump, nft, conntrack, ss, ab."""
import argparse, json, os, signal, subprocess, sys, time
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import lab
import destroyed, disconnected, filtered, between, processes, limits, relayed, translated, shared, settings, proxied, mirrored, moving  # noqa: F401 (they fill lab.ALL)

FIRST, STEP = 20000, 10
# At once; each waits most of its time.
TOGETHER = int(os.environ.get('LAB_TOGETHER', 5))


def play(names, truth):
    """In a capture's COMMAND: several at once, then those that want to be alone."""
    known = []

    def one(name):
        port = FIRST + STEP * list(lab.ALL).index(name)
        ready, tell = os.pipe()
        pid = os.fork()
        if pid:
            os.close(tell)
            return pid, ready
        t, why = lab.Scenario(name, port), None
        try:
            signal.alarm(60)
            lab.enter(lab.SRV)
            lab.ALL[name](t)
        except BaseException as e:
            why = f'{type(e).__name__}: {e} (line {e.__traceback__.tb_next.tb_lineno if e.__traceback__.tb_next else 0})'
        os.write(tell, json.dumps([t.truth, why]).encode())
        os._exit(0)

    def finish(pid, ready):
        data = b''
        while True:
            got = os.read(ready, 1 << 20)
            if not got:
                break
            data += got
        os.waitpid(pid, 0)
        return json.loads(data or '[[], "ended without a word"]')
    together = [n for n in names if not lab.ALL[n].alone]
    running = {}

    def settle(name):
        got, why = finish(*running.pop(name))
        known.extend(got)
        if why:
            print(f'{name}: {why}', file=sys.stderr)
            known.append(dict(name=name, failed=why))
    for name in together + [n for n in names if lab.ALL[n].alone]:
        while running and (len(running) >= TOGETHER or lab.ALL[name].alone):
            done = [n for n, (pid, ready) in running.items() if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)]
            for n in done:
                settle(n)
            if not done:
                time.sleep(.02)
        running[name] = one(name)
        if lab.ALL[name].alone:
            settle(name)
    for name in list(running):
        settle(name)
    json.dump(known, open(truth, 'w'), indent=0)


def capture(batch, names, out):
    folder = os.path.join(out, batch)
    os.makedirs(folder)
    at = {'server': lab.SRV, 'client': lab.CLI, 'router': lab.MID}[lab.ALL[names[0]].at]
    ports = [p for n in names for p in range(FIRST + STEP * list(lab.ALL).index(n), FIRST + STEP * list(lab.ALL).index(n) + 3)]
    low, high = min(ports), max(ports)
    dumps = []
    for place, ns, iface in (('client', lab.CLI, 'eth0'), ('router', lab.MID, 'any'), ('server', lab.SRV, 'eth0')):
        dumps.append(subprocess.Popen(['ip', 'netns', 'exec', ns, 'tcpdump', '-Z', 'root', '-U', '-q', '-i', iface, '--time-stamp-precision=nano', '-s', '160', '-w', f'{folder}/{place}.pcap',
                                       f'tcp portrange {low}-{high} or icmp or icmp6'], stderr=subprocess.DEVNULL))
    command = ['ip', 'netns', 'exec', at, os.environ.get('TCPAUTOPSY_CAPTURE', f'{HERE}/../../../capture/tcpautopsy-capture'), '-o', f'{folder}/bundle', '--sockets-interval', '1', '--duration', '3600',
               *(x for a in (lab.C4, lab.S4, lab.C6, lab.S6) for x in ('--host', a)), '--', sys.executable, __file__, '--play', ','.join(names), '-o', f'{folder}/truth.json']
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    time.sleep(.3)
    for d in dumps:
        d.send_signal(signal.SIGINT)
        d.wait()
    with lab.within(lab.SRV):
        server = os.stat('/proc/thread-self/ns/net').st_ino
    with lab.within(lab.CLI):
        client = os.stat('/proc/thread-self/ns/net').st_ino
    json.dump(dict(server=server, client=client, at=lab.ALL[names[0]].at), open(f'{folder}/places.json', 'w'))
    print(f'{batch}: {len(names)} scenarios, exit {done.returncode}', '\n' + done.stderr.replace('ready\n', '') if done.returncode else '', done.stderr.replace('ready\n', '').strip())


def main():
    a = argparse.ArgumentParser()
    a.add_argument('--only', default='')
    a.add_argument('--quick', action='store_true')
    a.add_argument('--play')
    a.add_argument('-o', required=True)
    a.add_argument('--batch', type=int, default=24)
    a = a.parse_args()
    if a.play:
        return play(a.play.split(','), a.o)
    names = [n for n in (a.only.split(',') if a.only else lab.ALL) if not a.quick or lab.ALL[n].quick]
    lab.up()
    try:
        for at in ('server', 'client', 'router'):
            own = [n for n in names if lab.ALL[n].at == at]
            for i in range(0, len(own), a.batch):
                capture(f'{at}-{i // a.batch}', own[i:i + a.batch], os.path.abspath(a.o))
    finally:
        lab.down()


if __name__ == '__main__':
    main()
