#!/bin/sh
# The life of sealed files (fs-verity) in one kernel; run by boot.sh as the first process.
# shellcheck source-path=SCRIPTDIR source=words.sh
. /bin/words.sh
closed() { ! (echo more >> "$1") 2> /dev/null || fail "$1 can be written to"; }
open() { echo more >> "$1" || fail "$1 cannot be written to"; }

guests=/mnt/guests base=/mnt/guests/.unify
make() {
  mkdir -p $guests/"$1"/etc $guests/"$1"/usr/share/doc
  echo "ID=plain" > $guests/"$1"/etc/os-release
  for file in a b c d; do
    head -c 9000 /bin/busybox > $guests/"$1"/usr/share/doc/$file
    echo "$file" >> $guests/"$1"/usr/share/doc/$file
    touch -d "2026-01-02 03:04:05" $guests/"$1"/usr/share/doc/$file
  done
}
plan() { unify plan --not-a-root -o /tmp/plan.json "$@" && unify apply --yes /tmp/plan.json; }
one=$guests/one/usr/share/doc two=$guests/two/usr/share/doc three=$guests/three/usr/share/doc

echo "== auto takes it, and two guests share"
make one
make two
make three
quiet plan $guests/one $guests/two
grep -q '"mode":"verity"' /tmp/plan.json || fail "auto took another"
[ "$(cat $base/protection)" = verity ] || fail "no paper"
[ "$(stat -c %i $one/a)" = "$(stat -c %i $two/a)" ] || fail "not shared"
! grep -q '"makes":"adopt"' /tmp/plan.json || fail "an inode of a guest was sealed"
for file in a b c d; do closed $one/$file; done
quiet unify verify /tmp/plan.json
quiet unify status --exit-code --base $base

echo "== a guest that runs holds what a third one joins, and what is undone"
cp /bin/busybox $guests/two/sleep
chroot $guests/two /sleep 600 &
holder=$!
quiet plan $guests/one $guests/three
[ "$(stat -c %i $three/a)" = "$(stat -c %i $two/a)" ] || fail "three did not join"
quiet unify undo --base $base --run all --guest three --yes
open $three/a
closed $two/a
kill $holder

echo "== names are its guest's own"
echo new > $one/new
mv $one/new $one/a
rm $one/b
ln $one/c $one/e
closed $one/e
quiet unify status --base $base

echo "== metadata that a guest changes for all are found"
chmod 600 $two/d
ends 10 unify status --exit-code --base $base
says UNPROTECTED
says "without its seal, or its metadata were changed"
ends 12 unify recover --base $base
quiet unify undo --base $base --run all --path /usr/share/doc/d --yes
[ "$(stat -c %i $one/d)" != "$(stat -c %i $two/d)" ] || fail "d is shared still"
open $one/d
quiet unify status --base $base
! grep -q UNPROTECTED /tmp/said || fail "an alarm is left"
ends 8 unify protect --base $base immutable
says "does not come off"

echo "== a guest that seals its own file keeps it"
rm -rf $guests/*/usr
quiet unify gc --base $base
make one
make two
quiet plan --protect verity $guests/one $guests/two

echo "== the way back"
quiet unify undo --base $base --run all --yes
for file in a b c d; do open $two/$file; open $one/$file; done
quiet unify gc --base $base
[ -z "$(find $base/objects -type f)" ] || fail "objects are left"

echo "== cut short at every link, exchange and seal"
rm -rf $guests/*/usr $base
make one
make two
unify plan --not-a-root -o /tmp/plan.json $guests/one $guests/two > /tmp/said 2>&1
rm -f /tmp/trace
UNIFY_FAULT_TRACE=/tmp/trace UNIFY_FAULT=999999=EIO unify apply --yes /tmp/plan.json > /tmp/said 2>&1 || true
cut=$(grep -nxE 'verity|link|exchange' /tmp/trace | cut -d: -f1)
if [ ! -e /long ]; then cut=$(echo "$cut" | awk 'NR % 7 == 3'); fi
killed=0
for at in $cut; do
  rm -rf $guests/*/usr $base
  make one
  make two
  whole=$(md5sum < $two/d)
  unify plan --not-a-root -o /tmp/plan.json $guests/one $guests/two > /tmp/said 2>&1
  UNIFY_FAULT=$at=kill unify apply --yes /tmp/plan.json > /tmp/said 2>&1 && fail "not killed at $at"
  killed=$((killed + 1))
  if [ -e $base ]; then quiet unify recover --base $base; fi
  for file in $one/a $two/a $one/d $two/d; do
    case $(stat -c %h "$file") in 1) ;; *) closed "$file" ;; esac
  done
  [ "$whole" = "$(md5sum < $one/d)" ] || fail "one has changed, killed at $at"
  if [ -e $base ]; then
    quiet unify undo --base $base --run all --yes
    quiet unify gc --base $base
  fi
  for file in a b c d; do open $one/$file; done
done
echo "sealed files: killed $killed times, 0 wrong"
