# Copy on write: what becomes of writers while a daemon (calls/parter.c) answers. The end of inside.sh, whose functions it
# uses. Two guests share files through marked objects; whatever one does, the other's stay as they are.
# Names of the guests and files here have no blanks.
# shellcheck shell=sh disable=SC2002,SC2086,SC2154,SC3013
case $(what_is_done) in
  restart-by-task-work) best=3 ;;
  restart-by-signal) best=2 ;;
  *) unify guard; fail "writers cannot wait on this kernel" ;;
esac
case $(uname -r) in
  6.?.* | 6.1?.*) [ $best = 2 ] || fail "level $best" ;;
  *) [ $best = 3 ] || fail "level $best" ;;
esac
cow=/mnt/cow
one=$cow/one
mkdir -p $cow/staging $cow/new
at=0
while [ $at -lt "$ways" ]; do
  { head -c 5000 /bin/busybox; echo "file $at"; } > $cow/new/$at
  at=$((at + 1))
done
# This process and all that it starts are a guest's, two cgroups deep.
mkdir -p /sys/fs/cgroup/guest/inner
echo $$ > /sys/fs/cgroup/guest/inner/cgroup.procs
# All that there is of the other guest.
all() { { md5sum $cow/two/*; stat -c '%n %i %a %u %g %s %Y' $cow/two/*; getfattr -d -m - $cow/two/*; } 2>&1 | md5sum; }
share() {
  if [ -e $cow/plain ]; then ways free $cow/*/*; fi
  rm -rf $cow/base $cow/one $cow/two $cow/plain
  cp -a $cow/new $cow/plain
  cp -a $cow/new $cow/base
  for dir in plain base; do setfattr -n user.a -v 1 $cow/$dir/*; done
  cp -al $cow/base $cow/one
  cp -al $cow/base $cow/two
  parter mark $cow/base/*
  before=$(all)
}
# run COMMAND... : a daemon, which answers then
run() {
  rm -f /run/parter
  "$@" &
  daemon=$!
  soon 600 "no daemon answers" test -e /run/parter
}
# daemon LEVEL [WORD...]
daemon() { run parter "$1" $cow/staging $one ${2:-}; }
dies() {
  kill "$@" $daemon
  wait $daemon || true
}
is_in() { [ "$(sed -n 's/^State:.\(.\).*/\1/p' /proc/$1/status)" = "$2" ]; }
# waits PROCESS STATE : before long it is in this state
waits() { soon 100 "a writer is not $2" is_in "$@"; }
unhurt() { [ "$before" = "$(all)" ] || fail "the other guest has changed"; }

level=$best
if [ -e /long ]; then level=1; fi
while [ $level -le $best ]; do
  echo "== every way of changing a file, at level $level"
  share
  daemon $level
  ways $cow/plain $one $level || fail "level $level does not do what it should"
  dies -TERM
  unhurt
  level=$((level + 1))
done

level=$best
share
echo "== two names of one guest stay one file, and eight writers at once lose nothing"
daemon $level
ln $one/1 $one/other
echo new >> $one/1
[ "$(tail -n 1 $one/other)" = new ] || fail "the other name has the old content"
[ $one/1 -ef $one/other ] || fail "the names are two files"
for writer in a b c d e f g h; do
  (for file in 10 11 12 13 14; do echo "line $writer" >> $one/$file; done; echo $writer >> /tmp/written) &
  writers="${writers:-} $!"
done
for writer in $writers; do wait $writer || fail "a writer was denied"; done
[ "$(cat $one/1[0-4] | grep -c '^line .$')" = 40 ] || fail "lines are lost"
n=0
while [ $n -lt 5 ]; do
  sh -c "trap 'echo x >> /tmp/continued' CONT; echo line >> $one/2$n" || fail "who handles SIGCONT was denied"
  n=$((n + 1))
done
[ "$(cat /tmp/continued 2> /dev/null | wc -l)" -le 15 ] || fail "SIGCONT: $(wc -l < /tmp/continued) times"
kill -STOP $daemon
(sleep 2; kill -CONT $daemon) &
sh -c "trap 'echo x >> /tmp/continued' CONT; echo line >> $one/25" || fail "who handles SIGCONT was not waited for"
wait $!
dies -TERM
(echo more >> $one/30) 2> /dev/null && fail "a daemon that rests is waited for"
for said in "2 not permitted" "3 No space left" "4 quota exceeded"; do
  daemon $level says=${said%% *}
  (echo more >> $one/30) > /tmp/said 2>&1 && fail "it was written to: $said"
  says "${said#* }"
  dies -TERM
done

echo "== who may not change it parts nothing, and its owner does"
# Before 6.9 the kernel does not tell whose a file is on a mount that shows other owners: there all goes on.
case $(uname -r) in 6.1.*) tells=no ;; *) tells=yes ;; esac
nobody() { callers as 65534 "$@" 2> /dev/null; }
chown 65534 $cow/new/51
chmod 666 $cow/new/53
share
export VERBOSE=1
run parter $level $cow/staging $one > /tmp/asked
for way in "chmod 600" "chown 65534" "chgrp 65534" "touch -d 2001-02-03" "callers calls" "setfattr -n security.x -v 1" "setfattr -x security.x" \
  "setfattr -n system.posix_acl_access -v 0x0200000001000600ffffffff04000400ffffffff20000400ffffffff"; do
  # Before 6.11 the kernel forgets to ask for the capability where BPF is a security module.
  nobody $way $cow/plain/50 || ! nobody $way $one/50 || fail "nobody could: $way"
done
nobody sh -c "echo more >> $one/50" && fail "nobody could write"
[ $tells = no ] || [ $one/50 -ef $cow/two/50 ] || { cat /tmp/asked; fail "nobody has parted a file"; }
nobody chmod 600 $one/51 || fail "the owner could not change the mode"
[ "$(stat -c %a $one/51)" = 600 ] || fail "it has another mode"
chown 65534 $one/52 || fail "root could not change the owner"
[ "$(stat -c %u $one/52)" = 65534 ] || fail "it has another owner"
nobody touch $one/53 || fail "who may write could not touch it"
dies -TERM

unset VERBOSE
if with crowds; then
  echo "== who does not wait asks not too often, and keeps nobody from being heard"
  VERBOSE=1 run parter $level $cow/staging $one > /tmp/asked
  for file in 55 56; do callers flood $one/$file 4000 >> /tmp/flooded & floods="${floods:-} $!"; done
  sleep 2
  echo more >> $one/57 || fail "a writer was not heard"
  for flood in $floods; do wait $flood; done
  # Each in a cgroup of its own, and one that is none of theirs, who does not wait either.
  within() { sh -c 'echo $$ > "/sys/fs/cgroup/$1/cgroup.procs"; shift; exec "$@"' - "$@"; }
  floods=
  for part in a b c d e f; do
    mkdir -p /sys/fs/cgroup/guest/$part
    within guest/$part callers flood $one/55 2500 >> /tmp/flooded & floods="$floods $!"
  done
  mkdir -p /sys/fs/cgroup/other
  sleep 1
  within other callers flood $one/58 1000 >> /tmp/others
  for flood in $floods; do wait $flood; done
  dies -TERM
  heard=$(grep -c 'asked: callers .* name 58$' /tmp/asked)
  echo "asked by the other $heard times of $(cat /tmp/others)"
  [ $heard -gt 0 ] || fail "a writer of another guest was not heard"
  unhurt
  # One that is quick enough to hear all that is asked: of one cgroup 1000 a second, and one second may be cut in two.
  run racer first parter $level $cow/staging $one says=2 counts > /tmp/asked
  began=$(now)
  within guest/a callers flood $one/54 5000 > /tmp/flooded
  most=$((($(now) - began + 2) * 1000))
  dies -TERM
  asked=$(tail -n 1 /tmp/asked) tried=$(cat /tmp/flooded)
  echo "denied $tried times, asked $asked times of $most"
  [ $asked -le $most ] || fail "it asked too often"
  [ $tried -gt $most ] || fail "this machine is too slow to ask too often: nothing is shown"

  echo "== however many of one guest wait, another's writer is told what it is to be told"
  mkdir -p /sys/fs/cgroup/guest/crowd
  # All of them want the processor, so that a turn of the other is seconds after the last one.
  run racer first parter $level $cow/staging $one deaf=59 says=3 late=4000
  within guest/crowd racer first callers crowd $one/59 300 > /tmp/crowd &
  crowd=$!
  waited=0
  until grep -q there /tmp/crowd || [ $waited -gt 60 ]; do waited=$((waited + 1)); sleep 1; done
  code=0
  within other timeout 120 sh -c "echo more >> $one/60" > /tmp/said 2>&1 || code=$?
  says "No space left"
  [ "$(cat /tmp/crowd)" = "all are there" ] || { cat /tmp/crowd; fail "the others were not waiting"; }
  kill -9 $crowd
  wait $crowd || true
  dies -TERM
fi

echo "== a writer that waits is stopped, ended, and let in by the next daemon"
asks() { soon 100 "nobody asks for $1" grep -q "name $1\$" /tmp/asked; }
VERBOSE=1 daemon $level deaf > /tmp/asked
sh -c "exec 9>> $one/31; echo more >&9" &
first=$!
chmod 600 $one/32 &
second=$!
asks 31
asks 32
kill -STOP $first $second
waits $first T
waits $second T
kill -CONT $first $second
waits $first R
kill -9 $second
code=0
wait $second || code=$?
[ $code = 137 ] || fail "ended with $code"
dies -KILL
chmod 600 $one/32 &
second=$!
usleep 700000
daemon $level
wait $first || fail "an open was denied although a daemon came back"
wait $second || fail "a chmod was denied although a daemon came back"
[ "$(stat -c %a $one/32)" = 600 ] || fail "it has another mode"
[ "$(tail -n 1 $one/31)" = more ] || fail "it was not written"

echo "== a daemon that is dead for long is not waited for"
dies -KILL
start=$(now)
(echo more >> $one/33) 2> /dev/null && fail "a dead daemon let somebody in"
[ $(($(now) - start)) -le 7 ] || fail "it was waited for for $(($(now) - start)) seconds"
start=$(now)
closed $one/34
[ $(($(now) - start)) -le 3 ] || fail "it is waited for again"
unhurt
