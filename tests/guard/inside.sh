#!/bin/sh
# inside.sh [WITHOUT...] : the life of guarded files in one kernel; run by boot.sh as the first process. Where /long is,
# runs are killed too. Where several kernels are tried, one of them shows what is not the kernel's doing: the others go
# without `program` (runs that are killed, and the way from guard to flag), or without `crowds` of writers.
# Names of the guests and files here have no blanks.
# shellcheck source-path=SCRIPTDIR source=words.sh disable=SC2012,SC2046,SC2086
. /bin/words.sh
without=" $* "
with() { case $without in *" $1 "*) return 1 ;; esac; }
marks() { unify guard --json | sed 's/.*"marks":\([0-9a-z]*\).*/\1/'; }
# Is every way of changing FILE closed that a shell has?
closed() {
  ! (echo more >> "$1") 2> /dev/null || fail "$1 can be written to"
  ! chmod 600 "$1" 2> /dev/null || fail "the mode of $1 can be changed"
}
open() { echo more >> "$1" || fail "$1 cannot be written to"; }
sum() {
  (cd "$1" && set -- $(find . -type f ! -name '*.*' | sort) && {
    md5sum "$@"
    stat -c '%n %a %u %g %s %Y' "$@"
    getfattr -d -m - "$@"
  }) | md5sum
}
plan() { unify plan --not-a-root -o /tmp/plan.json "$@" && unify apply --yes /tmp/plan.json; }

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

echo "== what is missing is said"
make one
make two
make three
ends 8 unify plan --protect guard --not-a-root -o /tmp/plan.json $guests/one $guests/two
says "unify guard load"
ends 8 unify guard load
says "mount -t bpf"
mount -t bpf bpf /sys/fs/bpf
quiet unify guard load
quiet unify guard load --json
says '"act":"nothing"'

if with program; then
  echo "== newer programs take the place of older ones, and a load that is killed leaves one whole set or two"
  home=/sys/fs/bpf/unify
  load_over_older() {
    mv $home/programs-*-* $home/programs-0-$(ls $home/programs-*-* | wc -l)
    UNIFY_FAULT="$1" unify guard load > /tmp/said 2>&1 || true
  }
  rm -f /tmp/trace
  mkdir -p /mnt/plain
  export UNIFY_FAULT_TRACE=/tmp/trace
  load_over_older 999999=EIO
  unset UNIFY_FAULT_TRACE
  renamed=$(grep -nx rename /tmp/trace | cut -d: -f1)
  [ "$renamed" -gt 5 ] || fail "no rename among $(wc -l < /tmp/trace) calls"
  cuts="$renamed $((renamed + 1))"
  if [ -e /long ]; then cuts="$((renamed - 1)) $cuts $((renamed + 3))"; fi
  for at in $cuts; do
    load_over_older $at=kill
    [ "$(unify guard --json | grep -c '"loaded":true')" = 1 ] || fail "not loaded, killed at $at"
    quiet unify guard load
    [ "$(ls -d $home/programs-* $home/loading 2> /dev/null | wc -l)" = 1 ] || fail "sets are left, killed at $at"
  done
fi

level() { unify guard --json | sed 's/.*"level":"\([a-z-]*\)".*/\1/'; }
best=$(level)
[ "$best" != immutable ] || fail "nothing was found at first"
if with program; then
  echo "== what a load that was killed had no time to try is tried by the next one"
  quiet unify guard unload
  UNIFY_FAULT=heart#1=kill unify guard load > /tmp/said 2>&1 && fail "not killed in its trial"
  [ "$(level)" = immutable ] || fail "it knows $(level)"
  quiet unify guard load
  [ "$(level)" = "$best" ] || fail "$(level) was found, and $best before"
fi

echo "== two guests share, and neither can change it"
quiet plan $guests/one $guests/two
[ "$(cat $base/protection)" = guard ] || fail "no paper"
[ "$(marks)" = 4 ] || fail "$(marks) marks"
one=$guests/one/usr/share/doc two=$guests/two/usr/share/doc three=$guests/three/usr/share/doc
[ "$(stat -c %i $one/a)" = "$(stat -c %i $two/a)" ] || fail "not shared"
for file in a b c d; do closed $one/$file; done
before=$(sum $two)
grep -q 'a scratch file; with a daemon' /tmp/plan.json || fail "no level in the plan: $(grep why /tmp/plan.json | cut -c 1-900)"
[ "$(unify status --json --base $base | sed 's/.*"guard":{"level":"\([a-z-]*\)","daemon":false}.*/\1/')" = "$best" ] || fail "no level in the status"
unify status --base $base | grep -q 'A write to a shared file is denied: no daemon answers' || fail "no word of writers"
quiet unify verify /tmp/plan.json
ends 0 unify status --exit-code --base $base

if with program; then
  echo "== a guest that runs holds what a third one joins, and what is undone"
  cp /bin/busybox $guests/two/sleep
  chroot $guests/two /sleep 600 &
  holder=$!
  quiet plan $guests/one $guests/three
  [ "$(stat -c %i $three/a)" = "$(stat -c %i $two/a)" ] || fail "three did not join"
  closed $three/a
  quiet unify undo --base $base --run all --guest three --yes
  open $three/a
  closed $two/a
  kill $holder
fi

echo "== names are its guest's own"
echo new > $one/new
mv $one/new $one/a
rm $one/b
ln $one/c $one/e
mv $one/c $one/f
closed $one/f
[ "$before" = "$(sum $two)" ] || fail "the other guest has changed"

if with program; then
  echo "== moved to the flag, and back"
  flagless() {
    for file in $two/a $two/c $one/f; do
      ln $file $file.x 2> /dev/null || fail "$file has a flag still"
      rm $file.x
    done
  }
  quiet unify protect --base $base immutable
  says "from guard to immutable"
  [ "$(marks)" = 0 ] || fail "$(marks) marks are left"
  [ ! -e $base/protection ] || fail "a paper is left"
  for file in $two/a $two/c $one/f; do closed $file; done
  ! ln $two/a $two/x 2> /dev/null || fail "no flag is on"
  quiet unify protect --base $base guard
  flagless
  [ "$(cat $base/protection)" = guard ] || fail "no paper"
  for file in $two/a $two/c $one/f; do closed $file; done
  # Cut short on either way it is finished, and what was bare is protected and proven. The first calls are of trials.
  cuts="mark#3 setflags#1"
  if [ -e /long ]; then cuts="$cuts mark#4 setflags#2"; fi
  for cut in $cuts; do
    quiet unify protect --base $base immutable
    UNIFY_FAULT=$cut=kill unify protect --base $base guard > /tmp/said 2>&1 && fail "not killed at $cut"
    [ -e $base/moving ] || fail "no paper, killed at $cut"
    quiet unify recover --base $base
    [ ! -e $base/moving ] || fail "it is not finished, killed at $cut"
    [ ! -e $base/lifted ] || fail "not all is proven, killed at $cut"
    flagless
    for file in $two/a $two/c $one/f; do closed $file; done
  done
  cuts="setflags#5 unmark#1"
  if [ -e /long ]; then cuts="$cuts setflags#6 unmark#2"; fi
  for cut in $cuts; do
    UNIFY_FAULT=$cut=kill unify protect --base $base immutable > /tmp/said 2>&1 && fail "not killed at $cut"
    quiet unify recover --base $base
    [ "$(marks)" = 0 ] || fail "$(marks) marks are left, killed at $cut"
    for file in $two/a $two/c $one/f; do closed $file; done
    quiet unify protect --base $base guard
  done
fi

echo "== the machine was restarted"
ends 8 unify guard unload
says "a write in all"
quiet unify guard unload --leave-unprotected
[ ! -e /sys/fs/bpf/unify ] || fail "something is pinned"
ends 10 unify status --exit-code --base $base
says UNPROTECTED
ends 8 unify plan --not-a-root -o /tmp/none.json $guests/one $guests/two
quiet unify guard load
ends 10 unify status --exit-code --base $base
quiet unify recover --base $base
closed $two/c
closed $one/f
quiet unify status --base $base
! grep -q UNPROTECTED /tmp/said || fail "not all are marked again"

if with program; then
  echo "== what was written in between is found"
  quiet unify guard unload --leave-unprotected
  # The kernel lets go of programs a moment after their last name.
  waited=0
  until (echo more >> $one/d) 2> /dev/null; do
    [ $waited -lt 60 ] || fail "the guard is still there"
    waited=$((waited + 1))
    sleep 1
  done
  quiet unify guard load
  ends 12 unify recover --base $base
  says "/usr/share/doc/d"
fi

echo "== the way back"
if with program; then
  # Guest one has moved and removed names, and nobody has what d was.
  ends 4 unify undo --base $base --run all --yes
  for file in $two/a $two/c; do open "$file"; done
  closed $one/f
fi
rm -rf $guests/*/usr
quiet unify gc --base $base
[ "$(marks)" = 0 ] || fail "$(marks) marks are left"
rm -rf $base

echo "== what nobody shares any more is denied to who has it open, until that ends"
make one
make two
quiet plan $guests/one $guests/two
whole=$(md5sum < $one/a)
exec 8< $one/a 9< $two/a
rm $one/a $two/a
quiet unify gc --base $base
says "until a later .unify gc.: 1,"
[ "$(find $base/objects -type f | wc -l)" = 3 ] || fail "it is an object still: $(find $base/objects -type f)"
[ "$(marks)" = 4 ] || fail "$(marks) marks"
closed /proc/self/fd/8
[ "$(md5sum <&9)" = "$whole" ] || fail "it was written to"
exec 8<&- 9<&-
quiet unify gc --base $base
[ "$(marks)" = 3 ] || fail "$(marks) marks, and one file is gone"
ends 4 unify undo --base $base --run all --yes
[ "$(marks)" = 3 ] || fail "$(marks) marks of what lies in the base alone"
unify status --base $base > /tmp/said
says "takes off the guard's marks"
! grep -q UNPROTECTED /tmp/said || fail "what nobody shares is called unprotected"
quiet plan $guests/one $guests/two
closed $one/b
[ "$(marks)" = 3 ] || fail "$(marks) marks, and three files are shared again"

echo "== where no more can be marked it is said what to do"
ends 4 unify undo --base $base --run all --yes
quiet unify gc --base $base
[ "$(marks)" = 0 ] || fail "$(marks) marks are left"
rm -rf $base $guests/*/usr
make one
make two
quiet unify plan --protect guard --not-a-root -o /tmp/plan.json $guests/one $guests/two
ends 8 env UNIFY_FAULT=mark#1=E2BIG unify apply --yes /tmp/plan.json
says "no more can be: .unify gc. of each base"
ends 4 env UNIFY_FAULT=mark#2=E2BIG unify apply --yes /tmp/plan.json
says "no more can be: .unify gc. of each base"
# The other guest may make the object, once there is room.
case $(stat -c %h $one/* $two/* | sort | tr -d '\n') in
  1?333333) ;;
  *) fail "what is not marked is shared: $(stat -c '%h %n' $one/* $two/*)" ;;
esac
quiet plan $guests/one $guests/two
[ "$(marks)" = 4 ] || fail "$(marks) marks, and there is room"
for file in a b c d; do closed $one/$file; done
quiet unify undo --base $base --run all --yes
quiet unify gc --base $base
[ "$(marks)" = 0 ] || fail "$(marks) marks are left"
rm -rf $guests/*/usr $base

echo "== cut short at every mark"
kills() {
  make one
  make two
  whole=$(sum $one)
  unify plan --not-a-root "$@" -o /tmp/plan.json $guests/one $guests/two > /dev/null 2>&1
  rm -f /tmp/trace
  UNIFY_FAULT_TRACE=/tmp/trace UNIFY_FAULT=999999=EIO unify apply --yes /tmp/plan.json > /tmp/said 2>&1 || true
  cut=$(grep -nxE 'mark|link|exchange' /tmp/trace | cut -d: -f1)
  quiet unify undo --base $base --run all --yes
  quiet unify gc --base $base
  for at in $cut; do
    rm -rf $guests/*/usr $base
    make one
    make two
    unify plan --not-a-root "$@" -o /tmp/plan.json $guests/one $guests/two > /dev/null 2>&1
    UNIFY_FAULT=$at=kill unify apply --yes /tmp/plan.json > /tmp/said 2>&1 && fail "not killed at $at"
    if [ -e $base ]; then quiet unify recover --base $base; fi
    [ "$whole" = "$(sum $one)" ] || fail "one has changed, killed at $at"
    [ "$whole" = "$(sum $two)" ] || fail "two has changed, killed at $at"
    for file in $one/a $two/a; do
      case $(stat -c %h "$file") in 1) open "$file" ;; *) closed "$file" ;; esac
    done
    if [ -e $base ]; then
      quiet unify undo --base $base --run all --yes
      quiet unify gc --base $base
    fi
    [ "$(marks)" = 0 ] || fail "$(marks) marks are left, killed at $at"
  done
  echo "killed $(echo "$cut" | wc -w) times"
}
if [ -e /long ]; then kills; kills --objects adopt; fi

if with program; then
  echo "== programs of another version protect, and give way to a daemon of this one"
  rm -rf $guests/one $guests/two $base
  make one
  make two
  quiet plan $guests/one $guests/two
  # As if an older version had loaded them: another number of the layout is in all names.
  feign_other() {
    for map in requests answers heart works; do mv $home/$map-* $home/$map-0; done
    mv $home/programs-* $home/programs-0-0-$(ls $home/programs-* | wc -l)
  }
  feign_other
  quiet unify guard
  says "another version"
  quiet unify guard --json
  says '"loaded":true,"marks":4,"level":null,"daemon":false,"other_version":true'
  closed $one/a
  start
  ready
  grep -q "another version" /tmp/guardd.log || fail "it says nothing of another version"
  [ -z "$(ls -d $home/*-0 $home/programs-0-* 2> /dev/null)" ] || fail "something of the other version is left: $(ls $home)"
  open $one/a
  # Older ones of the same layout: the daemon answers the newer ones as well.
  layout=$(basename $home/programs-* | cut -d- -f2)
  mv $home/programs-* $home/programs-$layout-0-$(ls $home/programs-* | wc -l)
  quiet unify guard load
  [ -z "$(ls -d $home/programs-$layout-0-* 2> /dev/null)" ] || fail "the older ones are left"
  sleep 2
  open $one/d
  daemon_has_ended() { ! kill -0 "${daemon:?}" 2> /dev/null; }

  echo "== other programs take the place of those that a daemon answers: nobody waits for it, and it ends"
  feign_other
  quiet unify guard load
  began=$(now)
  ! (echo more >> $one/b) 2> /dev/null || fail "somebody was let in"
  [ $(($(now) - began)) -le 3 ] || fail "a daemon that is not asked was waited for"
  soon 200 "it does not end" daemon_has_ended
  ends 8 wait $daemon
  grep -q "another guard was loaded" /tmp/guardd.log || fail "it does not say why it ends"
  start
  ready
  for file in b c; do open $one/$file; done
  [ "$(tail -n 1 $two/a $two/b $two/c $two/d | grep -c more)" = 0 ] || fail "the other guest has changed"
  stop
  quiet unify undo --base $base --run all --yes
  quiet unify gc --base $base
fi

echo "== every way of changing a file, plain and guarded"
rm -rf $guests/one $guests/two $base
make one
make two
mkdir -p /mnt/plain
at=0
ways=$(ways)
while [ $at -lt "$ways" ]; do
  { head -c 5000 /bin/busybox; echo "file $at"; } > /mnt/plain/$at
  at=$((at + 1))
done
for guest in $one $two; do cp -p /mnt/plain/* "$guest"; done
setfattr -n user.a -v 1 /mnt/plain/* $one/[0-9]* $two/[0-9]*
quiet plan $guests/one $guests/two
before=$(sum $two)
ways /mnt/plain $one || fail "not every way is closed"
[ "$before" = "$(sum $two)" ] || fail "the other guest has changed"

# shellcheck source-path=SCRIPTDIR source=cow.sh
. /bin/cow.sh

echo "== what a kernel lacks is said"
# lacks WORDS : why the guard is not loaded
lacks() {
  code=0
  unify guard load > /tmp/said 2>&1 || code=$?
  [ $code = 8 ] || { cat /tmp/said; fail "exit code $code where there is: $1"; }
  grep -q "$1" /tmp/said || { cat /tmp/said; fail "it does not say: $1"; }
}
quiet unify guard unload --leave-unprotected
umount /sys/fs/bpf
lacks "no BPF file system"
mount -t bpf bpf /sys/fs/bpf
# The last of all: it can only be made more strict.
echo confidentiality > /sys/kernel/security/lockdown
lacks "locked down"
unify doctor /mnt > /tmp/said 2>&1 || true
grep -q "no  *BPF programs" /tmp/said || { cat /tmp/said; fail "doctor thinks that the guard can be loaded"; }
