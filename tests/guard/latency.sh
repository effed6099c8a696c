#!/bin/sh
# How long the first write to a shared file takes, beside the same to a file that nobody shares, and beside the second
# one. Run by boot.sh; with ICOUNT=0 a microsecond is a thousand instructions, and what the disk takes comes on top:
#   DISK=2G MEMORY=1536 ICOUNT=0 boot.sh PROGRAM latency.sh VMLINUZ MODULES ext4|xfs
# Prints the rows of the table of examples/guide/guardd.md.
# shellcheck source-path=SCRIPTDIR source=words.sh disable=SC2119
. /bin/words.sh
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
guard_is_loaded
quiet unify plan --not-a-root -o /tmp/plan.json $guests/one $guests/two
quiet unify apply --yes /tmp/plan.json
start
ready
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
stop
