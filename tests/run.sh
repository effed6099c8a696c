#!/bin/bash
# Runs all tests. On Debian, as root, it installs what they need, and says so before; elsewhere it says what to install.
#
#   usage: tests/run.sh [ARGUMENTS OF THE TEST RUNNER]
#
# Needs root for most of it: what cannot be done is skipped, and listed at the end.
#
#   env: UNIFY_LONG=1       a night's work: every call, every error, every moment of a power cut, and no namespaces
#        UNIFY_KERNELS=all  the guard in each of Debian's kernels, and not in one
#        UNIFY_RELEASE=P    the program as it is shipped, for the kills from outside
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# COMMAND=PACKAGE: what the tests call and who brings it. On Debian 12 fincore is in util-linux, which is always there.
needs=(mmdebstrap=mmdebstrap mkfs.xfs=xfsprogs mkfs.btrfs=btrfs-progs mkfs.ext4=e2fsprogs chattr=e2fsprogs
  setfattr=attr setfacl=acl jq=jq unshare=util-linux prlimit=util-linux setpriv=util-linux blockdev=util-linux
  mount=mount losetup=mount perl=perl-base dpkg-query=dpkg strace=strace pkill=procps fincore=util-linux-extra
  filefrag=e2fsprogs bsdtar=libarchive-tools zstd=zstd xz=xz-utils xmllint=libxml2-utils rpmbuild=rpm
  pacman=pacman-package-manager makepkg=makepkg mksquashfs=squashfs-tools mkfs.erofs=erofs-utils)
# The same for the kernels that take the guard, where this machine's does not: installed apart, so that the others do
# not wait for it.
boots=(qemu-system-x86_64=qemu-system-x86 busybox=busybox-static cpio=cpio depmod=kmod zstd=zstd xz=xz-utils)
# What brings an Alpine (tests/data/guests/alpine.sh).
nights=(pip3=python3-pip qemu-img=qemu-utils)

# shellcheck source=examples/prepare.bash
. examples/prepare.bash
# The toolchain first: nothing is installed for somebody who cannot build.
prepare_build
prepare_tools "${needs[@]}"
prepare_tools "${boots[@]}"
if [ "${UNIFY_LONG:-}" = 1 ]; then prepare_tools "${nights[@]}"; fi

target=$(cargo metadata --format-version 1 --no-deps | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
skipped=$target/tmp/skipped.txt
figures=$target/tmp/figures.txt
mkdir -p "$target/tmp"
: > "$skipped"
: > "$figures"

# One kernel to boot, and where all are asked for one of each release: with no network there is none, and that is said.
suites=()
if [ "${UNIFY_LONG:-}" = 1 ] || [ "${UNIFY_KERNELS:-}" = all ]; then suites=(bookworm trixie trixie-backports); fi
if may_install && apt_update; then
  tests/guard/kernels.sh "$target/kernels" "${suites[@]}" > "$target/tmp/kernels" ||
    prepare_say "not all kernels to boot"
fi

# Where these tests run in a container, the guests that they make run in it as well.
[ "$(readlink /proc/self/ns/pid)" = "pid:[4026531836]" ] || export UNIFY_ANY_PID_NAMESPACE=1

# nextest PROFILE [ARGUMENT...] : where a filter leaves a profile without tests, the other one has them.
nextest() {
  local code=0
  cargo nextest run --features faults --no-fail-fast --profile "$@" || code=$?
  if [ $code = 4 ]; then without=$((without + 1)); else status=$((status > code ? status : code)); fi
}

status=0 without=0
if cargo nextest --version > "$target/tmp/nextest" 2>&1; then
  # Where no namespace can be made, some tests have to be alone, as by night.
  if [ "${UNIFY_LONG:-}" = 1 ] || ! tests/apart.sh; then
    cargo nextest run --features faults --no-fail-fast "$@" || status=$?
  else
    # Each in a PID namespace of its own, but for those that want the machine's: a night has all of them there.
    host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    export "CARGO_TARGET_${host}_RUNNER=$PWD/tests/apart.sh"
    nextest apart "$@"
    unset "CARGO_TARGET_${host}_RUNNER"
    nextest seen "$@"
    if [ $without = 2 ]; then status=4; fi
  fi
  cargo test --features faults --doc || status=$?
else
  cargo test --features faults --no-fail-fast "$@" || status=$?
fi

if [ -s "$figures" ]; then
  echo
  echo "HOW MUCH WAS TRIED:"
  sort "$figures"
fi
if [ -s "$skipped" ]; then
  echo
  echo "NOT TESTED on this machine:"
  sort -u "$skipped"
fi
exit "$status"
