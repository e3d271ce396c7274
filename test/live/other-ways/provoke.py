# Provokes causes in other ways than behaviours/ does, so that no rule is written for one program: its own namespaces, captures at both ends and
# a tcpstates log into /tmp/other-ways. Run as root: mkdir -p /tmp/other-ways && python3 test/live/other-ways/provoke.py [CASE ...]
import os,sys,socket,struct,subprocess,time,threading
C,S='rvc','rvs'
def sh(x,check=False): return subprocess.run(x,shell=True,check=check,capture_output=True,text=True)
for n in (C,S): sh(f'ip netns del {n}')
sh(f'ip netns add {C}; ip netns add {S}; ip link add rvc0 netns {C} type veth peer name rvs0 netns {S}')
for n,i,a in ((C,'rvc0','10.88.0.1'),(S,'rvs0','10.88.0.2')):
    sh(f'ip -n {n} addr add {a}/24 dev {i}; ip -n {n} link set {i} up; ip -n {n} link set lo up; ip netns exec {n} ethtool -K {i} tx off')
time.sleep(.5)
CLONE=0x40000000
import ctypes; libc=ctypes.CDLL(None,use_errno=True)
def ns(n):
    fd=os.open(f'/var/run/netns/{n}',os.O_RDONLY); assert libc.setns(fd,CLONE)==0; os.close(fd)
def inns(n,f):
    ns(n); return f()
def listener(port,bl=8):
    ns(S); s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('10.88.0.2',port)); s.listen(bl); return s
def client(port,sport=0,wait=True,to=5):
    ns(C); c=socket.socket(); c.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); c.settimeout(to)
    c.bind(('10.88.0.1',sport))
    c.connect(('10.88.0.2',port)) if wait else None
    return c
L0=struct.pack('ii',1,0)
def lin(s): s.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,L0)
def exitmix():
    pid=os.fork()
    if pid==0:
        l=listener(9001); print('l',flush=True)
        a,_=l.accept(); b,_=l.accept(); time.sleep(1.2); os._exit(0)  # a unread, b read nothing sent, 2 waiting
    time.sleep(.3); cs=[client(9001) for _ in range(4)]
    cs[0].send(b'x'*100); cs[2].send(b'hello'); time.sleep(2); os.waitpid(pid,0)
    print('exitmix ports',[c.getsockname()[1] for c in cs],'0=unread accepted,1=accepted idle graceful FIN,2=waiting data,3=waiting no data')
def linger_after_shutdown():
    l=listener(9002); c=client(9002); ns(S); a,_=l.accept(); c.send(b'req'); time.sleep(.05); a.recv(10); c.shutdown(1); time.sleep(.2); lin(c); p=c.getsockname()[1]; c.close(); time.sleep(.2); print('linger0 after shutdown (client, FW2->RST)',p)
    # server: linger0 in CLOSE_WAIT w/ reply read
    c=client(9002); p=c.getsockname()[1]; ns(S); a2,_=l.accept(); c.send(b'req'); time.sleep(.05); a2.recv(10); a2.send(b'resp'); time.sleep(.05); c.recv(10); c.shutdown(1); time.sleep(.1); lin(a2); a2.close(); time.sleep(.2); print('server linger0 in CLOSE_WAIT',p)
    # unread in client's FW2: server sends data, client half closed, client closes unread
    c=client(9002); p=c.getsockname()[1]; ns(S); a3,_=l.accept(); c.send(b'req'); c.shutdown(1); time.sleep(.1); a3.recv(10); a3.send(b'resp'*10); time.sleep(.1); c.close(); time.sleep(.1); print('client unread close in FIN_WAIT2',p)
    # shutdown(RD|WR) fin then data from server quickly before fin ack: data-after-close
def proxy_close():
    l=listener(9003); l2=listener(9004); c=client(9003); ns(S); a,_=l.accept()
    u=socket.socket(); u.connect(('10.88.0.2',9004)); b,_=l2.accept()
    c.send(b'GET'); time.sleep(.05); u.send(a.recv(10)); b.recv(10); b.send(b'r'*20); time.sleep(.05); a.send(u.recv(100)); c.send(b'late'); time.sleep(.1); p=c.getsockname()[1]
    a.close(); u.close(); time.sleep(.2); print('proxy closes with pipelined second request unread (server unread)',p)
def nft_cases():
    sh(f"ip netns exec {S} nft add table inet f; ip netns exec {S} nft add chain inet f i '{{ type filter hook input priority 0; }}'; ip netns exec {S} nft add rule inet f i tcp dport 9011 reject with tcp reset; ip netns exec {S} nft add rule inet f i tcp dport 9010 drop")
    l=listener(9010); l2=listener(9011)
    for p in (9010,9011,9012):
        try: c=client(p,to=2.5); print('connected?')
        except Exception as e: print(p,e)
    # reject established
    l3=listener(9013); c=client(9013); ns(S); a,_=l3.accept(); c.send(b'one'); time.sleep(.1); a.recv(10)
    sh(f"ip netns exec {S} nft insert rule inet f i tcp dport 9013 reject with tcp reset")
    c.send(b'two'); time.sleep(.3); print('established rejected by nft tcp reset',c.getsockname()[1]); 
    try: c.recv(5)
    except Exception as e: print(e)
    c.close(); a.close(); sh(f'ip netns exec {S} nft delete table inet f')
def tw_reuse():
    l=listener(9020); 
    for k in range(2):
        c=client(9020,sport=45555); ns(S); a,_=l.accept(); c.send(b'x'); a.recv(5); a.close(); time.sleep(.1); c.close(); time.sleep(1.2)
    # client side tw (client closes first), then reuse from the client w/ tcp_tw_reuse
    print('tw reuse: server TW, sport 45555')
def refused_listener_gone():
    l=listener(9030); c=client(9030); ns(S); a,_=l.accept(); l.close(); c.send(b'x'); time.sleep(.05); a.recv(5); a.send(b'y'); time.sleep(.05); c.recv(5)
    # kill server socket silently: TCP_REPAIR close
    a.setsockopt(6,19,1); a.close(); time.sleep(.1); c.send(b'more'); time.sleep(.3); print('silent vanish (TCP_REPAIR), then data -> bare RST nosocket',c.getsockname()[1])
def early_close_client():
    # client connects, sends, closes immediately with unread; before server's reply arrives => data after close
    l=listener(9040); c=client(9040); ns(S); a,_=l.accept(); c.send(b'q'); time.sleep(.05); a.recv(5); p=c.getsockname()[1]; c.close(); time.sleep(.01); a.send(b'reply'); time.sleep(.01)
    try: a.send(b'reply2')
    except Exception as e: print(e)
    time.sleep(.2); print('client close then server data (tw minisock? FW1 within 40ms => data-after-close full orphan)',p)
cases=[exitmix,linger_after_shutdown,proxy_close,nft_cases,tw_reuse,refused_listener_gone,early_close_client]
sel=sys.argv[1:]
for f in cases:
    if sel and f.__name__ not in sel: continue
    n=f.__name__
    d=[subprocess.Popen(['ip','netns','exec',x,'tcpdump','-U','--immediate-mode','-i',i,'--time-stamp-precision=nano','-w',f'/tmp/other-ways/{n}-{x}.pcap','tcp'],stderr=subprocess.DEVNULL) for x,i in ((S,'rvs0'),(C,'rvc0'))]
    st=open(f'/tmp/other-ways/{n}.states','w'); t=subprocess.Popen(['tcpstates-bpfcc','-t'],stdout=st,stderr=subprocess.DEVNULL,env=dict(os.environ,PYTHONUNBUFFERED='1')) if not os.environ.get('NOSTATES') else None
    sh(f'ip netns exec {S} nstat -n; ip netns exec {S} nstat -az > /tmp/other-ways/{n}.nstat-before')
    time.sleep(9 if t else 1); print('##',n); 
    try: f()
    except Exception as e: print('ERR',repr(e))
    time.sleep(.5)
    for q in d+([t] if t else []): q.send_signal(2)
    for q in d+([t] if t else []): q.wait()
