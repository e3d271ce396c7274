#!/usr/bin/env bash
# Plays scenarios in a virtual machine with another Debian kernel, where functions can be probed too: vm.sh OUT [run.py's options]
# vm.sh OUT --between [NAME...]: samples/field/between/record.py instead, its captures into OUT; to judge them: BETWEEN=OUT npx vitest run test/explain/field-between.test.ts
# $LAB_VM: the kernel's package; $KERNEL_VM: kernel-vm.sh. Everything is about ten times slower in there: few at once, and mind $VM_SECONDS.
set -euo pipefail
root=$(readlink -f "$(dirname "$(readlink -f "$0")")/../../..")
package=${LAB_VM:-linux-image-6.12-cloud-amd64} out=$1; shift
image=$(apt-cache depends "$package" | awk '/Depends: linux-image/ {print $2; exit}'); image=${image:-$package}
export VM_CACHE=${VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kernel-vm} VM_SECONDS=${VM_SECONDS:-1500}
tree=$VM_CACHE/$image
if [[ ! -d $tree/boot ]]; then
  mkdir -p "$VM_CACHE"
  (cd "$VM_CACHE" && apt-get download "$image" >/dev/null && dpkg -x "$image"_*.deb "$tree.part" && mv "$tree.part" "$tree" && rm -f "$image"_*.deb)
fi
job=$(mktemp -d); trap 'rm -rf "$job"' EXIT
mkdir -p "$job/test/live" "$job/modules"
cp -r "$root/test/live/scenarios" "$job/test/live/"; cp -r "$root/capture" "$root/bpf" "$job/"
mkdir -p "$job/samples/field/between"; cp "$root/samples/field/between/record.py" "$job/samples/field/between/"
modules='inet_diag tcp_diag mptcp_diag nf_nat nft_nat nft_chain_nat nft_masq nf_conntrack_netlink nft_fib nft_compat'
for name in $modules; do
  file=$(find "$tree/lib/modules" -name "$name.ko" -o -name "$name.ko.xz" | head -n 1)
  case $file in *.xz) xz -dc "$file" > "$job/modules/$name.ko" ;; ?*) cp "$file" "$job/modules/" ;; esac
done
{
  echo 'export PATH=/usr/bin:/usr/sbin:/bin:/sbin LAB_TOGETHER=2 PYTHONDONTWRITEBYTECODE=1'
  echo "for m in $modules; do [ ! -e modules/\$m.ko ] || insmod modules/\$m.ko || true; done"
  if [[ ${1:-} = --between ]]; then
    echo "LAB_SAMPLES=\$OUT LAB_SLOW=4 /usr/bin/python3 samples/field/between/record.py ${*:2}"
  else
    echo 'mkdir -p $OUT/batches'
    echo "/usr/bin/python3 test/live/scenarios/run.py -o \$OUT/batches $*"
  fi
} > "$job/run"
bash "${KERNEL_VM:-$root/../shared/lab/kernel-vm.sh}" "$image" "$job" "$out" /usr/bin/timeout /usr/bin/paste /usr/sbin/conntrack /usr/sbin/ethtool /usr/bin/unshare /usr/bin/pgrep /usr/bin/ab /usr/bin/sleep | sed -u 's/\r//g'
