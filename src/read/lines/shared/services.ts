import type { SectionSource } from './section.ts';

/** TCP service names that tools print instead of port numbers (IANA registry, with the old spellings of /etc/services). */
const NAMES = `
tcpmux 1 echo 7 discard 9 systat 11 daytime 13 qotd 17 chargen 19 ftp-data 20 ftp 21 ssh 22 telnet 23 smtp 25
mail 25 time 37 whois 43 nicname 43 tacacs 49 domain 53 gopher 70 finger 79 http 80 www 80 www-http 80
kerberos 88 kerberos-sec 88 iso-tsap 102 pop3 110 pop-3 110 sunrpc 111 rpcbind 111 portmapper 111 auth 113
ident 113 nntp 119 ntp 123 epmap 135 loc-srv 135 netbios-ns 137 netbios-dgm 138 netbios-ssn 139 imap 143
imap2 143 snmp 161 snmptrap 162 xdmcp 177 bgp 179 irc 194 smux 199 z3950 210 imap3 220 ldap 389 svrloc 427
https 443 snpp 444 microsoft-ds 445 kpasswd 464 submissions 465 smtps 465 ssmtp 465 urd 465 exec 512 login 513
shell 514 syslog 514 printer 515 uucp 540 klogin 543 kshell 544 rtsp 554 nntps 563 snntp 563 submission 587 ipp 631
ldaps 636 ldp 646 kerberos-adm 749 domain-s 853 iscsi 860 rsync 873 ftps-data 989 ftps 990 telnets 992 imaps 993
pop3s 995 socks 1080 openvpn 1194 rmiregistry 1099 ms-sql-s 1433 ms-sql-m 1434 ingreslock 1524 ncube-lm 1521
oracle 1521 datametrics 1645 sa-msg-port 1646 pptp 1723 radius 1812 radius-acct 1813 mqtt 1883 ibm-mqisdp 1883 ibm-mqseries 1414
msnp 1863
cisco-sccp 2000 nfs 2049 zookeeper 2181 cvspserver 2401 docker 2375 docker-s 2376 etcd-client 2379
etcd-server 2380 mon 2583 isns 3205 squid 3128 ndl-aas 3128 iscsi-target 3260 mysql 3306 ms-wbt-server 3389 nut 3493
distcc 3632 svn 3690 subversion 3690 sieve 4190 epmd 4369 f5-iquery 4353 commplex-main 5000 upnp 5000
commplex-link 5001 rfe 5002 sip 5060 sip-tls 5061 sips 5061 pcanywheredata 5631 aol 5190 xmpp-client 5222
jabber-client 5222 xmpp-server 5269 postgresql 5432 postgres 5432 personal-agent 5555 freeciv 5556 amqps 5671
amqp 5672 wsman 5985 wsmans 5986 x11 6000 x11-1 6001 x11-ssh-offset 6010 redis 6379 ircu 6667 ircd 6667 ircs-u 6697
afs3-fileserver 7000 bbs 7000 font-service 7100 irdmi 8000 http-alt 8080 webcache 8080 tproxy 8081
us-cli 8082 us-srv 8083 simplifymedia 8087 radan-http 8088 omniorb 8088 xprint-server 8100 puppet 8140
pcsync-https 8443 vcom-tunnel 8001 teradataordbms 8002 mcreport 8003 ddi-tcp-1 8888 cslistener 9000
etlservicemgr 9001 websm 9090 jetdirect 9100 hp-pdl-datastr 9100 pdl-datastream 9100 bacula-dir 9101 bacula-fd 9102
bacula-sd 9103 wap-wsp 9200 git 9418 ndmp 10000 webmin 10000 zabbix-agent 10050 zabbix-trapper 10051 amanda 10080
memcache 11211 hkp 11371 mongodb 27017 nbd 10809 traceroute 33434`;

const PORTS = new Map<string, number>();
const words = NAMES.trim().split(/\s+/);
for (let i = 0; i < words.length; i += 2) PORTS.set(words[i]!, Number(words[i + 1]));

/** A port as a number or a service name; `*` is 0; -1 when it is neither. */
export function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text)) {
    const port = Number(text);
    return port > 65535 ? -1 : port;
  }
  return text === '*' ? 0 : (PORTS.get(text) ?? -1);
}

export function diagnoseService(source: SectionSource, line: number, name: string): void {
  source.diagnose(
    'service-unknown',
    'data-loss',
    line,
    'ports printed as service names that are in no table here, taken as 0 (tcpdump -n, tshark -n print numbers); the first',
    name,
  );
}
