#!/bin/sh
# guardd.sh [LEVEL] : the daemon of the guard in one kernel, which does no more than this; run by boot.sh as the first
# process. Writers in two guests append to the same files: no line is lost, and none is in the other guest.
# Names of the guests and files here have no blanks.
# shellcheck disable=SC2015,SC2086
fail() { echo "FAILED: $*"; cat /tmp/guardd.log; exit 1; }
guests=/mnt/guests base=/mnt/guests/.unify
files="a b c d"
level=${1:-}
make() {
  mkdir -p $guests/"$1"/etc $guests/"$1"/usr/share/doc $guests/"$1"/bin $guests/"$1"/dev
  echo "ID=plain" > $guests/"$1"/etc/os-release
  for file in $files e f; do
    head -c 9000 /bin/busybox > $guests/"$1"/usr/share/doc/$file
    echo "$file" >> $guests/"$1"/usr/share/doc/$file
    touch -d "2026-01-02 03:04:05" $guests/"$1"/usr/share/doc/$file
  done
  ln $guests/"$1"/usr/share/doc/a $guests/"$1"/usr/share/a2
}
start() {
  unify guardd --base $base ${level:+--level $level} 2>> /tmp/guardd.log &
  daemon=$!
  waited=0
  until [ "$(grep -c ready /tmp/guardd.log)" = "$1" ]; do
    [ $waited -lt 600 ] || fail "the daemon is not ready"
    waited=$((waited + 1))
    usleep 100000
  done
}

make one
make two
mount -t bpf bpf /sys/fs/bpf
unify guard load || fail "not loaded"
if grep -q " /mnt btrfs " /proc/mounts; then
  # Its inodes are not what the kernel tells of them.
  ! unify plan --protect guard --not-a-root -o /tmp/plan.json $guests/one $guests/two > /tmp/said 2>&1 || fail "not refused"
  grep -i btrfs /tmp/said || { cat /tmp/said; fail "it is not said why"; }
  exit 0
fi
unify plan --not-a-root -o /tmp/plan.json $guests/one $guests/two > /tmp/said 2>&1 || { cat /tmp/said; fail plan; }
unify apply --yes /tmp/plan.json > /tmp/said 2>&1 || { cat /tmp/said; fail apply; }
one=$guests/one/usr/share/doc two=$guests/two/usr/share/doc
[ "$(stat -c %i $one/a)" = "$(stat -c %i $two/a)" ] || fail "not shared"
was=$(md5sum < $one/e)
start 1
unify guard --json
cat /tmp/guardd.log

if [ -n "$level" ]; then
  [ "$(unify guard --json | sed 's/.*"level":"\([a-z-]*\)".*/\1/')" = "$level" ] || fail "it is not at $level"
fi
if [ "$level" = deny-first ]; then
  echo "== the first write is denied, and the copy is made meanwhile"
  ! (echo more >> $two/f) 2> /dev/null || fail "the first write went through"
  tries=0
  until (echo more >> $two/f) 2> /dev/null; do
    [ $tries -lt 100 ] || fail "no write goes through"
    tries=$((tries + 1))
    usleep 100000
  done
  ! grep -q more $one/f || fail "one has changed"
fi

echo "== writers in both guests"
for guest in one two; do cp /bin/busybox $guests/$guest/bin/sh; done
# A caller that the kernel cannot begin anew is denied once, and tries again.
cat > /tmp/writer <<'W'
for n in 1 2 3 4; do
  for file in $2; do
    tries=0
    until (echo "$1 $3 $n" >> /usr/share/doc/$file) 2> /dev/null; do
      tries=$((tries + 1))
      [ $tries -lt 500 ] || exit 1
    done
  done
done
W
started=$(cut -d' ' -f1 /proc/uptime)
pids=
for guest in one two; do
  cp /tmp/writer $guests/$guest/writer
  for number in 1 2 3; do
    chroot $guests/$guest /bin/sh /writer $guest "$files" $number &
    pids="$pids $!"
  done
done
for pid in $pids; do wait $pid || fail "a writer gave up"; done
echo "took from $started to $(cut -d' ' -f1 /proc/uptime)"
for file in $files; do
  for guest in one two; do
    lines=$(grep -a -c "^$guest [1-3] [1-4]$" $guests/$guest/usr/share/doc/$file)
    [ "$lines" = 12 ] || fail "$guest:$file has $lines of 12 lines"
  done
  ! grep -a -q "^two " $one/$file || fail "a line of two is in one"
  ! grep -a -q "^one " $two/$file || fail "a line of one is in two"
done
[ "$(stat -c %i $one/a)" = "$(stat -c %i $guests/one/usr/share/a2)" ] || fail "its two names are apart"
[ "$(md5sum < $one/e)" = "$was" ] && [ "$(stat -c %i $one/e)" = "$(stat -c %i $two/e)" ] || fail "e has changed"

echo "== the daemon is killed"
kill -9 $daemon
sleep 6
began=$(cut -d' ' -f1 /proc/uptime)
! (echo more >> $one/e) 2> /dev/null || fail "a write went through"
echo "denied from $began to $(cut -d' ' -f1 /proc/uptime)"
[ "$(md5sum < $two/e)" = "$was" ] || fail "two has changed"
start 2
tries=0
until (echo more >> $one/e) 2> /dev/null; do
  tries=$((tries + 1))
  [ $tries -lt 50 ] || fail "no write goes through"
done
[ "$(md5sum < $two/e)" = "$was" ] || fail "two has changed"
[ "$(md5sum < $one/e)" != "$was" ] || fail "one has not changed"
kill $daemon
wait $daemon || fail "it does not end well"
unify status --base $base
unify verify --base $base || fail "verify"
unify undo --base $base --run all --yes > /tmp/said 2>&1 || { cat /tmp/said; fail undo; }
unify gc --base $base > /tmp/said 2>&1 || { cat /tmp/said; fail gc; }
rm -rf $base
