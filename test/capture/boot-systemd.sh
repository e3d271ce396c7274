#!/usr/bin/env bash
# Boots this machine's systemd as process 1 of namespaces of its own, over a copy of the root folder in memory, with the kit in /opt/tcpautopsy and its unit enabled.
#
#   unshare --pid --fork --mount --uts --ipc --net --cgroup --kill-child --propagation private bash boot-systemd.sh FOLDER ROOT
#
# FOLDER is empty, ROOT the folder that has capture/ and dist/recorder/. It goes on until process 1 is killed. Needs root, systemd, overlayfs.
set -euo pipefail
folder=$1 kit=$2
mount -t tmpfs tmpfs "$folder"
root=$folder/root
mkdir "$folder/upper" "$folder/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do cp -a "/dev/$name" "$root/dev/"; done
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root/opt/tcpautopsy/recorder"
cp -r "$kit/capture" "$root/opt/tcpautopsy/"
cp -r "$kit"/dist/recorder/* "$root/opt/tcpautopsy/recorder/"
# of what is installed here nothing but that unit starts
units=$root/etc/systemd/system
rm -rf "${units:?}"/*
mkdir "$units/multi-user.target.wants"
cp "$kit/capture/tcpautopsy-flight.service" "$units/"
ln -s ../tcpautopsy-flight.service "$units/multi-user.target.wants/"
ip link set lo up
exec env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" /lib/systemd/systemd --system --unit=multi-user.target
