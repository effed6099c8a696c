#!/bin/sh
# guardd.sh [LEVEL] : the daemon of the guard in one kernel, which does no more than this; run by boot.sh as the first
# process. Writers in two guests append to the same files: no line is lost, and none is in the other guest.
# Names of the guests and files here have no blanks.
# shellcheck source-path=SCRIPTDIR source=words.sh disable=SC2015,SC2086,SC2119,SC2154
. /bin/words.sh
guests=/mnt/guests base=/mnt/guests/.unify
files="a b c d"
most=${1:-}
# Equal files of one guest are files of their own.
equal="0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"
make() {
  mkdir -p $guests/"$1"/etc $guests/"$1"/usr/share/doc $guests/"$1"/bin $guests/"$1"/dev
  echo "ID=plain" > $guests/"$1"/etc/os-release
  for file in $files e f; do
    head -c 9000 /bin/busybox > $guests/"$1"/usr/share/doc/$file
    echo "$file" >> $guests/"$1"/usr/share/doc/$file
    touch -d "2026-01-02 03:04:05" $guests/"$1"/usr/share/doc/$file
  done
  mkdir -p $guests/"$1"/usr/share/equal
  for file in $equal; do cp -p $guests/"$1"/usr/share/doc/f $guests/"$1"/usr/share/equal/$file; done
  ln $guests/"$1"/usr/share/doc/a $guests/"$1"/usr/share/a2
}

make one
make two
guard_is_loaded
if grep -q " /mnt btrfs " /proc/mounts; then
  # Its inodes are not what the kernel tells of them.
  ! unify plan --protect guard --not-a-root -o /tmp/plan.json $guests/one $guests/two > /tmp/said 2>&1 || fail "not refused"
  says btrfs
  exit 0
fi
quiet unify plan --not-a-root -o /tmp/plan.json $guests/one $guests/two
quiet unify apply --yes /tmp/plan.json
one=$guests/one/usr/share/doc two=$guests/two/usr/share/doc
[ "$(stat -c %i $one/a)" = "$(stat -c %i $two/a)" ] || fail "not shared"
was=$(md5sum < $one/e)
start
ready
unify guard --json
cat /tmp/guardd.log

[ -z "$most" ] || [ "$(what_is_done)" = "$most" ] || fail "it is not at $most"
if [ "$most" = deny-first ]; then
  echo "== the first write is denied, and the copy is made meanwhile"
  ! (echo more >> $two/f) 2> /dev/null || fail "the first write went through"
  tries=0
  until (echo more >> $two/f) 2> /dev/null; do
    [ $tries -lt 100 ] || fail "no write goes through"
    tries=$((tries + 1))
    usleep 100000
  done
  ! grep -q more $one/f || fail "one has changed"
else
  echo "== one thread changes all files of a guest that are equal"
  [ "$(stat -c %i $two/../equal/* | sort -u | wc -l)" = 1 ] || fail "they are not shared"
  chmod 600 $two/../equal/* || fail "a chmod was denied"
  [ "$(stat -c %a $two/../equal/* | sort | uniq -c | tr -s ' ')" = " 16 600" ] || fail "not all have got the mode"
  [ "$(stat -c %i $two/../equal/* | sort -u | wc -l)" = 16 ] || fail "they are not files of their own"
  [ "$(stat -c %a $one/../equal/* | sort | uniq -c | tr -s ' ')" = " 16 644" ] || fail "one has changed"
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
start
ready
tries=0
until (echo more >> $one/e) 2> /dev/null; do
  tries=$((tries + 1))
  [ $tries -lt 50 ] || fail "no write goes through"
done
[ "$(md5sum < $two/e)" = "$was" ] || fail "two has changed"
[ "$(md5sum < $one/e)" != "$was" ] || fail "one has not changed"
stop
unify status --base $base
unify verify --base $base || fail "verify"
quiet unify undo --base $base --run all --yes
quiet unify gc --base $base
rm -rf $base
