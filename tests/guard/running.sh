#!/bin/sh
# What the guard gives to guests that run: how long a third guest takes to join 1,000 shared files, and to leave them,
# and how long others stand still for it, with the flag and with the guard. Run by boot.sh; with ICOUNT=0 a second is a
# thousand million instructions, and what the disk takes comes on top:
#   ICOUNT=0 LONGEST=1800 boot.sh PROGRAM running.sh VMLINUZ MODULES
# What examples/guide/running.md tells of. Words: how many files.
# shellcheck disable=SC1091,SC2016,SC2034,SC2086
logs=/tmp/said
. /bin/words.sh
guests=/mnt/guests base=/mnt/guests/.unify
files=${1:-1000}
make() {
  mkdir -p $guests/"$1"/etc $guests/"$1"/usr/share/doc
  echo "ID=plain" > $guests/"$1"/etc/os-release
  cp /bin/busybox $guests/"$1"/sleep
  cp /bin/callers $guests/"$1"/callers
  number=0
  while [ $number -lt "$files" ]; do
    { echo "file $number"; head -c 4000 /bin/busybox; } > $guests/"$1"/usr/share/doc/$number
    touch -d "2026-01-02 03:04:05" $guests/"$1"/usr/share/doc/$number
    number=$((number + 1))
  done
}
# A process of this guest, in a cgroup of its own, that may not take flags off.
enter() {
  mkdir -p /sys/fs/cgroup/"$1"
  sh -c 'echo $$ > /sys/fs/cgroup/'"$1"'/cgroup.procs && exec chroot '$guests/"$1"' /callers as 9 /sleep 100000' &
  inside="$inside $!"
  until grep -qs "^Uid:.9" /proc/$!/status; do usleep 10000; done
}
uptime() { cut -d ' ' -f 1 /proc/uptime; }
# row WHAT COMMAND... : a row of the table, from the command's own answer
row() {
  what=$1
  shift
  begun=$(uptime)
  "$@" --json > /tmp/answer 2> /tmp/said || fail "exit code $?: $*"
  ended=$(uptime)
  field() { sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" /tmp/answer | head -n 1; }
  moments=$(field moments) longest=$(field longest_ms) total=$(field total_ms)
  echo "$begun $ended" | awk -v what="$what" -v rest="${moments:-0} | ${longest:-0} | ${total:-0}" \
    '{ printf "row: | %s | %.2f | %s |\n", what, $2 - $1, rest }'
}
plan() { quiet unify plan --protect "$mode" --not-a-root -o /tmp/plan.json "$@"; }
are_one() {
  for number in 0 $((files - 1)); do
    [ "$(stat -c %i $guests/two/usr/share/doc/$number)" = "$(stat -c %i $guests/three/usr/share/doc/$number)" ] || return 1
  done
}
guard_is_loaded
echo "row: | Linux $(uname -r | cut -d. -f-2), $files files | seconds | times frozen | longest, ms | together, ms |"
echo "row: | --- | ---: | ---: | ---: | ---: |"
for mode in immutable guard; do
  inside=
  for guest in one two three; do make $guest; done
  plan $guests/one $guests/two
  row "$mode: two guests share, both stopped" unify apply --yes /tmp/plan.json
  enter two
  plan $guests/one $guests/three
  row "$mode: a third one joins, another one runs" unify apply --yes --allow-running /tmp/plan.json
  are_one || fail "not shared"
  row "$mode: it leaves, another one runs" unify undo --base $base --run last --guest three --yes --allow-running
  ! are_one || fail "shared still"
  enter three
  plan $guests/one $guests/three
  row "$mode: it joins, and runs as well" unify apply --yes --allow-running /tmp/plan.json
  are_one || fail "not shared"
  kill $inside
  wait
  quiet unify undo --base $base --run all --yes
  quiet unify gc --base $base
  rm -rf $guests
done
