#!/usr/bin/env bash
# Takes the samples of samples/bundle again, with our own capture: one or more behaviours a bundle.
#
#   take-bundles.sh [SAMPLE ...]      on this kernel; without a name every behaviour by itself. SAMPLE is a behaviour or a group (below)
#   take-bundles.sh --readme FOLDER ...   writes only the README.md of such a sample again
#
# $LAB_SAMPLES: another folder for them. With LAB_VM=PACKAGE (linux-image-cloud-amd64, …) in a virtual machine with that Debian kernel, all in one boot ($KERNEL_VM, kernel-vm.sh). Without a name
# all groups. Needs the recorder (npm run build:recorder).
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$here/../..")
samples=${LAB_SAMPLES:-$root/samples/bundle}

# What may run in one pair of namespaces, in this order: the same delay of the path, and sysctls that leave each other alone.
declare -A group=(
  [several]='closed-port unread-data linger-zero listener-closed data-into-minisock half-close accept-queue-syn'
  [ipv6]='closed-port unread-data linger-zero listener-closed data-into-minisock half-close accept-queue-syn graceful-server-first'
  [endings]='graceful-client-first graceful-server-first fin-with-ack half-close client-killed dual-stack deferred-accept long-fin-wait2'
  [resets]='closed-port unread-data killed-unread linger-zero linger2-negative data-after-close data-into-minisock listener-closed connect-unspec ss-kill stray-ack bad-syn-ack'
  [timeouts]='keepalive-timeout user-timeout retransmission-timeout no-socket-after-timeout fin-unacknowledged fin-wait2-expired last-ack-stuck'
  [stuck]='close-wait-leak close-wait-unaccepted fin-wait2-stuck one-request unread-answer'
  [pileup]='time-wait-pileup'
  [syn-drops]='syn-dropped-nft bad-checksum martian no-reply-route syn-ack-lost-locally syn-on-time-wait syn-on-stale-connection'
  [tw-overflow]='time-wait-overflow'
  [syn-queue]='syn-backlog-reserve syn-queue-full-drop reverse-path'
  [cookies]='syn-cookie'
  [overflow]='accept-queue-ack simultaneous-close simultaneous-open fin-wait1-aborted cookie-overflow concurrent-unaccepted syn-cookie accept-queue-syn'
  [expiry]='request-expired'
  [abort]='abort-on-overflow'
  [path]='syn-lost-on-path middlebox-reset closing-stuck'
  [queues]='syn-backlog-reserve syn-queue-full-drop reverse-path one-request unread-answer time-wait-overflow'
  [incident]='accept-queue-incident'
  [clock-set]='clock-set' # in the virtual machine only
)
behaviours_of() { echo "${group[$1]:-$1}"; }
module() { echo "$here/behaviours/${1//-/_}.py"; }
all_behaviours() { (cd "$here/behaviours" && ls *.py | grep -vE '^(lab|run|clock_set)\.py$' | sed 's/\.py$//; s/_/-/g'); }
settings() { # SAMPLE : the environment that its recording takes
  local first delay
  first=$(behaviours_of "$1"); first=${first%% *}
  delay=$(sed -n 's/^DELAY_MS = //p' "$(module "$first")")
  if [[ -n $delay && -n ${LAB_VM:-} ]] && ! grep -qE 'path\(|^PACED' "$(module "$first")"; then
    echo "LAB_DELAY_MS=$((delay * 10))"      # everything takes about ten times as long in there
    echo LAB_DELAY_WITH=netem
  elif [[ -n $delay ]]; then echo "LAB_DELAY_MS=$delay"; fi
  [[ $1 != ipv6 ]] || echo LAB_IPV6=1
}

docstring() { (cd "$here/behaviours" && /usr/bin/python3 -B -c "import sys, importlib; print(importlib.import_module(sys.argv[1].replace('-', '_')).__doc__)" "$1"); }
value() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$2" | head -n 1; } # of a manifest
readme() { # SAMPLE DIR
  local sample=$1 dir=$2 behaviour bundle list
  list=$(behaviours_of "$sample")
  local at=server; ! grep -q "^CAPTURE = 'client'" "$(module "${list%% *}")" || at=client
  bundle=$dir; [[ -e $dir/manifest.json ]] || bundle=$dir/server
  echo "# $sample"; echo
  for behaviour in $list; do
    [[ $behaviour = "$sample" ]] || echo "**$behaviour**: "
    docstring "$behaviour"; echo
  done
  echo "## How it was made"; echo
  echo "\`test/live/take-bundles.sh $sample\` on ${made:-$(date -u +%F)}${LAB_VM:+ with LAB_VM=$LAB_VM}. Kernel $(value kernel "$dir/expected.json") ($(value release "$bundle/manifest.json")); tcpautopsy-record $(value tcpautopsy-record "$bundle/manifest.json"), $(value ss "$bundle/manifest.json")."; echo
  echo "Two namespaces and a veth pair (test/live/lab.sh)$(settings "$sample" | sed 's/LAB_IPV6=1/, over IPv6/; s/LAB_DELAY_MS=\(.*\)/; between the two, each frame takes \1 ms (test\/live\/delay.py)/; s/LAB_DELAY_WITH=netem/, here a router with netem/' | tr -d '\n'). \`test/live/behaviours/run.py\` plays both ends, and writes expected.json from what it did."
  if [[ $bundle = "$dir" ]]; then echo "The bundle is that of the $at's namespace: \`tcpautopsy-capture -o . -i eth0 --port … -- run.py …\`; its events are of both ends, since one kernel runs both."
  else echo "server/ and client/ are bundles of the two namespaces, taken at the same time: \`tcpautopsy-capture -o server -i eth0 --port … -- …\`; the events of each are of both ends, since one kernel runs both."; fi
}

place() { # SAMPLE PART : gives a part its README and puts it in its place
  local sample=$1 part=$2 minor folder
  minor=$(value kernel "$part/expected.json"); minor=${minor%.*}
  folder=$samples/$sample/$minor
  find "$part" -name events.bin -exec gzip -9n {} +
  readme "$sample" "$part" > "$part/README.md"
  rm -rf "$folder"; mkdir -p "$(dirname "$folder")"; mv "$part" "$folder"; chmod 755 "$folder"
  echo "$sample/$minor: $(du -sbk "$folder" | cut -f1) kB"
}

here_and_now() { # SAMPLE ...
  local sample part
  for sample; do
    part=$(mktemp -d)/sample
    if env $(settings "$sample") bash "$here/lab.sh" bash "$here/record-bundle.sh" "$part" $(behaviours_of "$sample") 2> "$part.err"; then place "$sample" "$part"
    else echo "$sample: FAILED, see $part" >&2; cat "$part.err" >&2; failed=1; fi
  done
}

in_vm() { # SAMPLE ... : all of them in one boot
  local job out sample
  job=$(mktemp -d) out=$(mktemp -d)
  mkdir -p "$job/test"
  cp -rL "$here" "$job/test/live"; cp -r "$root/capture" "$root/dist/recorder" "$job/"
  vm_modules "$job/modules"
  {
    echo 'export PATH=/usr/bin:/usr/sbin:/bin:/sbin LAB_SETS_CLOCK=1 LAB_CAPTURE_OPTIONS="--duration 3600"'
    echo 'for m in inet_diag tcp_diag; do [ ! -e modules/$m.ko ] || insmod modules/$m.ko; done'
    for sample; do
      echo "echo \"vm: $sample, \$(cut -d. -f1 /proc/uptime) s after the boot\"; $(settings "$sample" | tr '\n' ' ') bash test/live/lab.sh bash test/live/record-bundle.sh \$OUT/$sample $(behaviours_of "$sample") || touch \$OUT/$sample/FAILED"
    done
    echo 'exit 0'
  } > "$job/run"
  VM_CACHE=$cache VM_SECONDS=${VM_SECONDS:-$((300 + 400 * $#))} bash "${KERNEL_VM:-$root/../shared/lab/kernel-vm.sh}" "$LAB_VM" "$job" "$out" \
    /usr/bin/timeout /usr/bin/paste | sed -u 's/\r//g'
  for sample; do
    if [[ -e $out/$sample/expected.json && ! -e $out/$sample/FAILED ]]; then place "$sample" "$out/$sample"
    else echo "$sample: FAILED, see $out/$sample" >&2; failed=1; fi
  done
  rm -rf "$job"
}
# Modules that kernel-vm.sh does not load, out of the same package: with tcp_diag ss tells all, and `ss -K` works.
cache=${VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kernel-vm}
vm_modules() { # DIR
  local image=$LAB_VM tree name file
  case $image in linux-image-cloud-amd64|linux-image-amd64) image=$(apt-cache depends "$image" | awk '/Depends: linux-image/ {print $2; exit}') ;; esac
  tree=$cache/$image
  if [[ ! -d $tree/boot ]]; then
    mkdir -p "$cache"
    (cd "$cache" && apt-get download "$image" >/dev/null 2>&1 && dpkg -x "$image"_*.deb "$tree.part" && mv "$tree.part" "$tree" && rm -f "$image"_*.deb)
  fi
  mkdir -p "$1"
  for name in inet_diag tcp_diag; do
    file=$(find "$tree/lib/modules" -name "$name.ko" -o -name "$name.ko.xz" | head -n 1)
    case $file in *.xz) xz -dc "$file" > "$1/$name.ko" ;; ?*) cp "$file" "$1/" ;; esac
  done
}

failed=0
if [[ ${1:-} = --readme ]]; then
  shift
  for folder; do
    sample=$(basename "$(dirname "$(readlink -f "$folder")")")
    made=$(grep -o ' on 20[0-9-]*' "$folder/README.md" | head -1 | cut -c5-) || true
    readme "$sample" "$folder" > "$folder/README.md.new"; mv "$folder/README.md.new" "$folder/README.md"
  done
  exit
fi
if [[ -n ${LAB_VM:-} ]]; then
  (( $# )) || set -- "${!group[@]}"
  in_vm "$@"
else
  (( $# )) || set -- ipv6 $(all_behaviours)
  exec 9> /run/lock/tcpautopsy-lab.lock; flock 9      # one lab at a time: both would have the same addresses
  here_and_now "$@"
fi
exit $failed
