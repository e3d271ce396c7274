/**
 * Causes provoked by other programs than behaviours/: Node, bash, curl, perl and a stopped process, on loopback, each on a port of its own.
 * Writes what it did as JSON: { port: { close_rule, … } }. For the namespace it is started in, which must be empty of these ports; `nft`
 * drops what comes to 9109 there.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';

const SELF = process.argv[1];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const bash = (script) => once(spawn('bash', ['-c', script], { stdio: 'ignore' }), 'close');
const curl = (...args) =>
  once(spawn('curl', ['-s', '-o', '/dev/null', ...args], { stdio: 'ignore' }), 'close');
const listen = async (server, port, ...rest) => {
  server.listen(port, ...rest);
  await once(server, 'listening');
};

// A server in a process of its own, for what happens when it hangs, is killed, or outlives the capture.
if (process.argv[2] === 'serve') {
  const [port, backlog] = process.argv.slice(3).map(Number);
  const server = net.createServer({ allowHalfOpen: true }, (s) => s.resume());
  await listen(server, port, '127.0.0.1', backlog);
  process.send('listening');
  process.on('disconnect', () => {});
  await pause(20_000);
  process.exit();
}

async function serverProcess(port, backlog) {
  const child = spawn(process.execPath, [SELF, 'serve', String(port), String(backlog)], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    detached: true,
  });
  await once(child, 'message');
  return child;
}

const truth = {};

// refused, over IPv4 and IPv6
await curl('http://127.0.0.1:9101/');
await curl('-g', 'http://[::1]:9102/');
truth[9101] = truth[9102] = { close_rule: 'connection-refused' };

// libuv resets with SO_LINGER 0; the listener is dual-stack
await listen(
  net.createServer((s) => s.once('data', () => s.resetAndDestroy())),
  9103,
);
await curl('http://127.0.0.1:9103/');
truth[9103] = { close_rule: 'linger-zero-reset' };

// destroyed before anything was read
await listen(
  net.createServer({ pauseOnConnect: true }, (s) => setTimeout(() => s.destroy(), 200)),
  9104,
);
await curl('-g', 'http://[::1]:9104/');
truth[9104] = { close_rule: 'unread-data-reset' };

// a client killed with the answer unread
await listen(
  net.createServer((s) => s.on('error', () => {}).end('answer')),
  9105,
  '127.0.0.1',
);
await bash('exec 3<>/dev/tcp/127.0.0.1/9105; echo question >&3; sleep 0.3; kill -9 $$');
truth[9105] = { close_rule: 'unread-data-reset' };

// a response that nobody wants to the end: the first byte is read, and the rest lies there when the client ends
const endless = http.createServer((_, response) => {
  response.on('error', () => {}).write('x'.repeat(20_000_000));
});
await listen(endless, 9106, '127.0.0.1');
await bash(
  'exec 3<>/dev/tcp/127.0.0.1/9106; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; head -c 1 <&3; sleep 0.3',
);
truth[9106] = { close_rule: 'unread-data-reset' };

// in good order
await listen(
  http.createServer((_, response) => response.setHeader('connection', 'close').end('well')),
  9107,
  '127.0.0.1',
);
await curl('http://127.0.0.1:9107/');
truth[9107] = { close_rule: 'graceful-close' };

// a server that never closes, as long as the capture lasts
await serverProcess(9108, 8);
await bash('exec 3<>/dev/tcp/127.0.0.1/9108; echo question >&3; sleep 0.2');
truth[9108] = { fin_wait2_rule: 'fin-wait2-in-minisock', stuck_rule: 'close-wait-leak' };

// dropped by nft
execFileSync('nft', ['-f', '-'], {
  input: 'table inet ways { chain input { type filter hook input priority 0; tcp dport 9109 drop; }; }',
});
await curl('-m', '1.5', 'http://127.0.0.1:9109/');
truth[9109] = { syn_rule: 'netfilter-drop' };

// perl lingers for 0 s
await listen(
  net.createServer((s) => s.on('error', () => {}).resume()),
  9110,
  '127.0.0.1',
);
await bash(
  `perl -MIO::Socket::INET -MSocket -e '$s = IO::Socket::INET->new("127.0.0.1:9110"); print $s "hello\\n"; $s->flush; select undef, undef, undef, 0.2; setsockopt $s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0); close $s'`,
);
truth[9110] = { close_rule: 'linger-zero-reset' };

// a server that hangs, with a queue of its own, and is killed
const killed = await serverProcess(9111, 8);
killed.kill('SIGSTOP');
const waiting = bash('exec 3<>/dev/tcp/127.0.0.1/9111; echo question >&3; read -t 5 -u 3');
await pause(500);
killed.kill('SIGKILL');
await waiting;
truth[9111] = { close_rule: 'listener-closed-reset' };

// a server that hangs with a full queue: of backlog 1, two fill it
const full = await serverProcess(9112, 1);
full.kill('SIGSTOP');
const fillers = [1, 2].map(() => net.connect(9112, '127.0.0.1').on('error', () => {}));
await Promise.all(fillers.map((s) => once(s, 'connect')));
await curl('-m', '1.5', 'http://127.0.0.1:9112/');
truth[9112] = { syn_rule: 'accept-queue-overflow-syn' };

await pause(300);
writeFileSync(process.argv[2], JSON.stringify(truth));
full.kill('SIGKILL');
process.exit(0);
