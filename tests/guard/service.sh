#!/bin/bash
# service.sh PROGRAM VMLINUZ MODULES [SCRATCH] : the units of examples/systemd in a Debian host with systemd, in an
# emulated kernel. At its first start guests are unified and the units enabled, as the guide says; at the second one
# guests start after them, the daemon is killed and hangs, and writers see nothing of it.
#
# Prints what was found. SCRATCH keeps the host for the next time. Needs root and mmdebstrap.
# shellcheck source-path=SCRIPTDIR source=host.sh
. "$(dirname "${BASH_SOURCE[0]}")/host.sh"
debian host minbase systemd-sysv,udev,kmod,dbus
host=$work/host
mkdir -p "$host"
tar -xf "$scratch/host.tar" -C "$host" --exclude='./dev/*'
rm -rf "$host"/var/cache/apt/* "$host"/var/lib/apt/lists/*
install -s "$program" "$host/usr/local/bin/unify"
cp "$here"/../../examples/systemd/*.service "$here"/service/*.service "$host/etc/systemd/system"
mkdir -p "$host/etc/systemd/system/multi-user.target.wants"
ln -s ../scene.service "$host/etc/systemd/system/multi-user.target.wants/scene.service"
# The console is the test's alone.
ln -s /dev/null "$host/etc/systemd/system/serial-getty@.service"
for guest in one two; do
  root=$host/srv/guests/$guest
  mkdir -p "$root"/{bin,etc,usr/share/doc,proc}
  echo "ID=plain" > "$root/etc/os-release"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for file in $(seq 0 99); do { seq 1 1500; echo "file $file"; } > "$root/usr/share/doc/$file"; done
  find "$root" -exec touch -h -d "2026-01-02 03:04:05" {} +
done
for start in first second; do
  DISK=${DISK:-1G} CONTENT=$host FROM=$([ $start = first ] || echo "$work/kept") KEEP=$work/kept INIT=/sbin/init MEMORY=1024 LONGEST=${LONGEST:-900} \
    boot service/scene.sh
done
