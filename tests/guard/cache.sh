#!/bin/sh
# How much of the page cache ten guests take that read the same programs and libraries: copies of their own, reflinks,
# and names on a guarded base. Run by boot.sh on xfs, which has all three:
#   DISK=2G MEMORY=2048 boot.sh PROGRAM cache.sh VMLINUZ MODULES xfs
# Prints the table of examples/guide/guard.md. What they read is what there is: this program, busybox and their libraries.
# shellcheck source-path=SCRIPTDIR source=words.sh disable=SC2119
. /bin/words.sh
guests=/mnt/guests
all=$(for guest in 0 1 2 3 4 5 6 7 8 9; do echo $guests/$guest; done)
make() {
  for guest in $all; do
    mkdir -p "$guest/etc" "$guest/usr/bin" "$guest/usr/lib"
    echo "ID=plain" > "$guest/etc/os-release"
    for file in unify busybox costs ways setfattr; do cp /bin/$file "$guest/usr/bin"; done
    find /lib /lib64 -type f -exec cp {} "$guest/usr/lib" \;
    find "$guest" -exec touch -d "2026-01-02 03:04:05" {} +
  done
}
kib() { awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo; }
used() { sync; df -k /mnt | awk 'END { print $3 }'; }
# line TEXT : every guest reads all of its files
line() {
  sync
  echo 3 > /proc/sys/vm/drop_caches
  cached=$(kib Cached)
  for guest in $all; do find "$guest/usr" -type f -exec cat {} + > /dev/null; done
  cached=$(($(kib Cached) - cached))
  echo "$1" $(($(used) - empty)) $cached | awk '{ printf "row: | %s", $1; for (n = 2; n < NF - 1; n++) printf " %s", $n
    printf " | %.1f | %.1f |\n", $(NF - 1) / 1024, $NF / 1024 }'
}
share() {
  quiet unify plan --not-a-root -o /tmp/plan.json "$@"
  quiet unify apply --yes /tmp/plan.json
}

guard_is_loaded
empty=$(used)
make
echo "row: | ten guests, $(du -sk $guests/0/usr | cut -f 1) KiB in each | MiB on the disk | MiB of page cache |"
echo "row: | --- | ---: | ---: |"
line "copies"
# shellcheck disable=SC2086  # they have no blanks
share --method reflink $all
line "reflinks"
rm -rf $guests
make
# shellcheck disable=SC2086
share --protect guard $all
line "a guarded base"
base=$guests/.unify
start
ready
echo more >> $guests/3/usr/bin/busybox || fail "not written to"
line "the same, when one of them has written to busybox, $(stat -c %s /bin/busybox) bytes"
stop
