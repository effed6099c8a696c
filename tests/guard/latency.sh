#!/bin/sh
# How long the first write to a shared file takes, beside the same to a file that nobody shares, and beside the second
# one. Run by boot.sh; with ICOUNT=0 a microsecond is a thousand instructions, and what the disk takes comes on top:
#   DISK=2G MEMORY=1536 ICOUNT=0 boot.sh PROGRAM latency.sh VMLINUZ MODULES ext4|xfs
# Prints the rows of the table of examples/guide/guardd.md.
fail() { echo "FAILED: $*"; cat /tmp/guardd.log; exit 1; }
quiet() { "$@" > /tmp/said 2>&1 || { cat /tmp/said; fail "exit code $?: $*"; }; }
guests=/mnt/guests base=/mnt/guests/.unify
# make DIRECTORY COUNT KIB : so many files of this size, each with a content of its own
make() {
  mkdir -p "$1"
  number=0
  while [ $number -lt "$2" ]; do
    { echo "file $number of $3 KiB"; head -c $(($3 * 1024 - 40)) /dev/zero; } > "$1/$number"
    touch -d "2026-01-02 03:04:05" "$1/$number"
    number=$((number + 1))
  done
}
sizes="4:21 1024:11 65536:3"
for guest in one two plain; do
  mkdir -p $guests/$guest/etc
  echo "ID=plain" > $guests/$guest/etc/os-release
  for size in $sizes; do make $guests/$guest/usr/share/"${size%:*}" "${size#*:}" "${size%:*}"; done
done
mount -t bpf bpf /sys/fs/bpf
quiet unify guard load
quiet unify plan --not-a-root -o /tmp/plan.json $guests/one $guests/two
quiet unify apply --yes /tmp/plan.json
unify guardd --base $base > /tmp/guardd.log 2>&1 &
daemon=$!
until grep -qs ready /tmp/guardd.log; do
  kill -0 $daemon || fail "the daemon has ended"
  usleep 100000
done
# The daemon reads what the base shares in the background.
sleep 5
disk=$(awk '$2 == "/mnt" { print $3 }' /proc/mounts)
echo "row: | $disk, Linux $(uname -r | cut -d. -f-2): KiB | files | not shared, us | first write, us | least | most | second write, us |"
echo "row: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
for size in $sizes; do
  kib=${size%:*}
  plain=$(latency plain $guests/plain/usr/share/"$kib"/*) || fail "plain"
  first=$(latency first $guests/one/usr/share/"$kib"/*) || fail "first"
  second=$(latency second $guests/one/usr/share/"$kib"/*) || fail "second"
  echo "$kib $plain $first $second" | awk '{ printf "row: | %s | %s | %s | %s | %s | %s | %s |\n", $1, $3, $4, $9, $10, $11, $14 }'
done
kill $daemon
wait $daemon || fail "it does not end well"
