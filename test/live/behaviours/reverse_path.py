"""As no-reply-route, with rp_filter=1 on the server: the SYN is dropped on input, before TCP (S-RPF, IPReversePathFilter)."""
from lab import inside
from no_reply_route import client, server


def setup():
    inside('client', 'ip', 'addr', 'add', '10.99.0.1/32', 'dev', 'lo')
    inside('server', 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1', 'net.ipv4.conf.eth0.rp_filter=1')
