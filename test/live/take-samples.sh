#!/usr/bin/env bash
# Takes the samples of samples/live again.
#
#   take-samples.sh [BEHAVIOUR ...]       all of them without a name; `pcap-and-tcpstates` is a sample of several behaviours
#   take-samples.sh --readme FOLDER ...   writes only the README.md of such a sample again
#
# With LAB_VM=PACKAGE (linux-image-cloud-amd64, …) in a virtual machine with that Debian kernel ($KERNEL_VM, kernel-vm.sh); there are
# kprobes there, so LAB_TRACERS="tcptracer tcpdrop tcplife libbpf-tcpstates libbpf-tcptracer" may be asked for too.
#
# Needs root, tcpdump, tshark, nftables, iproute2, net-tools, bpftrace, and bcc's tcpstates, which compiles against any kernel headers:
# where the running kernel has none, Debian's are linked in its place (the tool reads a tracepoint, no kernel structure).
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
samples=$(readlink -f "$here/../../samples/live")
exec 9> /run/lock/tcpautopsy-lab.lock; [[ -n ${LAB_VM:-} ]] || flock 9      # one lab at a time: both would have the same addresses

mountpoint -q /sys/kernel/debug || mount -t debugfs debugfs /sys/kernel/debug
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
build=/lib/modules/$(uname -r)/build
if [[ ! -e $build ]]; then
  headers=$(ls -d /usr/src/linux-headers-*[0-9]-amd64 2>/dev/null | tail -1)
  [[ -n $headers ]] || { echo "apt-get install linux-headers-amd64 first (bcc needs headers to compile)" >&2; exit 1; }
  mkdir -p "$(dirname "$build")"; ln -sfn "$headers" "$build"
  ln -sfn "${headers%-*}-common" "${build%build}source"      # -amd64: the flavour; `source` is what bcc wants in Debian's split
fi

several="graceful-client-first graceful-server-first fin-with-ack half-close unread-data killed-unread client-killed linger-zero linger2-negative
  data-after-close data-into-minisock closed-port listener-closed connect-unspec deferred-accept dual-stack"

tools() {
  echo "Kernel $1; $(dpkg-query -W -f '${Package} ${Version}, ' bpfcc-tools tcpdump iproute2 net-tools nftables)python $(/usr/bin/python3 -V | cut -d' ' -f2)."
}
docstring() { (cd "$here/behaviours" && /usr/bin/python3 -B -c "import sys, importlib; print(importlib.import_module(sys.argv[1].replace('-', '_')).__doc__)" "$1"); }
readme() { # SAMPLE DIR BEHAVIOUR ...
  local sample=$1 dir=$2 behaviour file delay; shift 2
  echo "# $sample"; echo
  for behaviour; do
    (( $# > 1 )) && echo "**$behaviour**: "
    docstring "$behaviour"; echo
  done
  echo "## How it was made"; echo
  echo "\`test/live/take-samples.sh $sample\` on ${made:-$(date -u +%F)}${LAB_VM:+ with LAB_VM=$LAB_VM${LAB_TRACERS:+ LAB_TRACERS=\"$LAB_TRACERS\"}}. $(tools "$(sed -n 's/.*"kernel": "\([^"]*\).*/\1/p' "$dir/expected.json")")"; echo
  echo "Two namespaces and a veth pair (test/live/lab.sh); \`test/live/behaviours/run.py $*\` plays both ends, and writes expected.json from what it did."
  echo "- packets.pcap: \`tcpdump -i eth0 --time-stamp-precision=nano -s 128 -w packets.pcap tcp\` in the server's namespace; client.pcap: the same in the client's."
  echo "  Checksums are not computed where the sender's kernel leaves them to the device, as on any host with offload."
  delay=$(sed -n 's/^DELAY_MS = //p' "$here/behaviours/${1//-/_}.py" || true)
  if [[ -n $delay && $(settings "$sample") = *netem* ]]; then echo "  Between the two, a router with netem delays each frame by $delay ms."
  elif [[ -n $delay ]]; then echo "  Between the two, test/live/delay.py forwards each frame $delay ms after it came."; fi
  for file in tcpstates.txt:-t tcpstates-T.txt:'-T -t' tcpstates.csv:'-s -t' tcpstates-w.txt:'-w -t'; do
    [[ -e $dir/${file%%:*} ]] && echo "- ${file%%:*}: \`tcpstates-bpfcc ${file#*:}\` in the host's namespace, so it saw both ends; lines of other programs (not 10.77.0.x, fd77::x) were removed."
  done
  echo "- counters-before.txt, counters-after.txt: /proc/net/netstat and /proc/net/snmp of the server's namespace; client-counters-*: of the client's. nstat.json: the difference, by \`nstat --json\`."
  [[ -e $dir/kernel-resets.txt ]] && echo "- kernel-resets.txt: test/live/resets.bt, for people: what the kernel said of each RST sent and each TCP packet dropped."
  for file in 'tcptracer.txt:tcptracer-bpfcc -t' tcpdrop.txt:tcpdrop-bpfcc 'tcplife.csv:tcplife-bpfcc -s' 'libbpf-tcpstates.txt:tcpstates -T (libbpf-tools)' 'libbpf-tcptracer.txt:tcptracer -t (libbpf-tools)'; do
    [[ -e $dir/${file%%:*} ]] && echo "- ${file%%:*}: \`${file#*:}\`, at the same time."
  done
  [[ -e $dir/netstat-s-before.txt ]] && echo "- netstat-s-before.txt, netstat-s-after.txt: \`netstat -s\` of the server's namespace; client-netstat-s-*: of the client's."
  (cd "$dir" && ls ss-*.txt >/dev/null 2>&1) && echo "- ss-*.txt: \`ss -tanpieOm\`, netstat-*.txt: \`netstat -anp\`, while it happened (client-*: in the client's namespace)."
  echo; echo "## What is on the wire"; echo
  if (( $(tcpdump -r "$dir/packets.pcap" 2>/dev/null | wc -l) <= 80 )); then
    echo '```'; tcpdump -nnr "$dir/packets.pcap" 2>/dev/null | sed -E 's/ options \[[^]]*\],//; s/^([0-9:.]+) IP6? /\1 /'; echo '```'
  else echo "\`tcpdump -nnr packets.pcap\`: $(tcpdump -r "$dir/packets.pcap" 2>/dev/null | wc -l) segments."; fi
}

place() { # SAMPLE PART BEHAVIOUR ... : gives a part its README and puts it in its place
  local sample=$1 part=$2 folder; shift 2
  minor=$(sed -n 's/.*"kernel": "\([0-9]*\.[0-9]*\).*/\1/p' "$part/expected.json")
  folder=$samples/$sample/$minor
  [[ $sample = pcap-and-tcpstates ]] && folder=$samples/$sample
  readme "$sample" "$part" "$@" > "$part/README.md"
  rm -rf "$folder"; mkdir -p "$(dirname "$folder")"; mv "$part" "$folder"; chmod 755 "$folder"
  echo "$sample: $(tcpdump -r "$folder/packets.pcap" 2>/dev/null | wc -l) segments, $(du -sk "$folder" | cut -f1) kB"
}
settings() { # SAMPLE : the environment that its recording takes
  local delay
  [[ $1 = pcap-and-tcpstates ]] && { echo "LAB_TCPSTATES='t Tt st wt' LAB_COMM='server,Socket Thread'"; return; }
  delay=$(sed -n 's/^DELAY_MS = //p' "$here/behaviours/${1//-/_}.py")
  [[ -n ${LAB_VM:-} && -n $delay ]] && ! grep -q 'path(' "$here/behaviours/${1//-/_}.py" && echo LAB_DELAY_WITH=netem
  echo "${delay:+LAB_DELAY_MS=$delay} $([[ -n ${LAB_VM:-} ]] || echo LAB_RESETS=1) $([[ $1 != *-incident ]] || echo LAB_NETSTAT_S=1) LAB_TRACERS='${LAB_TRACERS:-}' LAB_TCPSTATES='${LAB_TCPSTATES:-t}'"
}
behaviours() { [[ $1 = pcap-and-tcpstates ]] && echo $several || echo "$1"; }

here_and_now() { # SAMPLE ... : on this kernel
  local sample part
  for sample; do
    part=$(mktemp -d)
    if bash -c "$(settings "$sample" | tr '\n' ' ') exec bash '$here/lab.sh' bash '$here/record.sh' '$part' $(behaviours "$sample")"
    then place "$sample" "$part" $(behaviours "$sample")
    else echo "$sample: FAILED, see $part" >&2; failed=1; fi
  done
}
in_vm() { # SAMPLE ... : all of them in one boot; bcc compiles there, against the headers of that kernel
  local job out sample image headers
  job=$(mktemp -d) out=$(mktemp -d)
  image=$LAB_VM; case $image in linux-image-cloud-amd64|linux-image-amd64) image=$(apt-cache depends "$image" | awk '/Depends: linux-image/ {print $2; exit}') ;; esac
  headers=/usr/src/${image/image/headers}
  [[ -e $headers ]] || { echo "apt-get install ${image/image/headers} first (bcc needs headers to compile)" >&2; exit 1; }
  mkdir -p "$job/src" "$job/dist"
  cp -rL "$here" "$job/live"; cp -r "$headers" "${headers%-cloud-amd64}-common" "$job/src/"; cp -rL /usr/lib/python3/dist-packages/bcc /usr/lib/python3/dist-packages/netaddr "$job/dist/"
  cp /usr/sbin/{tcpstates,tcptracer,tcpdrop,tcplife}-bpfcc "$job/"
  {
    echo 'export PATH=/usr/bin:/usr/sbin:/bin:/sbin PYTHONPATH=/job/dist LAB_WAIT=240'
    echo 'mkdir -p /usr/src /lib/modules/$(uname -r) /run/lock; mv /job/src/* /usr/src/; cp /job/*-bpfcc /usr/sbin/'
    echo "ln -s $headers /lib/modules/\$(uname -r)/build; ln -s ${headers%-cloud-amd64}-common /lib/modules/\$(uname -r)/source"
    for sample; do
      echo "echo 'vm: $sample'; mkdir -p \$OUT/$sample; $(settings "$sample" | tr '\n' ' ') bash /job/live/lab.sh bash /job/live/record.sh \$OUT/$sample $(behaviours "$sample") || touch \$OUT/$sample/FAILED"
    done
    echo 'exit 0'
  } > "$job/run"
  VM_SECONDS=${VM_SECONDS:-$((300 + 120 * $#))} VM_MEMORY=4000 bash "${KERNEL_VM:?the script that runs a job in a virtual machine}" "$LAB_VM" "$job" "$out" \
    /usr/lib/x86_64-linux-gnu/libbcc.so.0 /lib/x86_64-linux-gnu/librt.so.1 /usr/sbin/tcpstates /usr/sbin/tcptracer /usr/bin/netstat /usr/bin/stdbuf /usr/libexec/coreutils/libstdbuf.so | tr -d '\r'
  for sample; do
    if [[ -e $out/$sample/expected.json && ! -e $out/$sample/FAILED ]]; then place "$sample" "$out/$sample" $(behaviours "$sample")
    else echo "$sample: FAILED, see $out/$sample" >&2; failed=1; fi
  done
  rm -rf "$job"
}

if [[ ${1:-} = --readme ]]; then
  shift
  for folder; do
    sample=${folder%/}; sample=${sample%/[0-9].*}; sample=${sample##*/}
    made=$(grep -o ' on 20[0-9-]*' "$folder/README.md" | head -1 | cut -c5-) || true
    readme "$sample" "$folder" $(behaviours "$sample") > "$folder/README.md.new"; mv "$folder/README.md.new" "$folder/README.md"
  done
  exit
fi
failed=0
(( $# )) || set -- pcap-and-tcpstates $(cd "$here/behaviours" && ls *.py | grep -vE '^(lab|run)\.py$' | sed 's/\.py$//; s/_/-/g')
if [[ -n ${LAB_VM:-} ]]; then in_vm "$@"; else here_and_now "$@"; fi
exit $failed
