#!/bin/sh
# races.sh [SECONDS] : writers in two guests against each other, against renames and against the daemon's death, in one
# kernel; run by boot.sh as the first process. Rounds of the same follow for SECONDS, 20 without a word; at least one.
#
# First the daemon is stopped while some of a file's many names lead to its copy and others do not: nobody may write to
# the copy then. In the same moment of another file a new file is renamed over one of its names: that one stays. Then, in
# a round, three writers in each guest append to the same files, in one of them through both names of each, where each
# reads by the other name what it has written; others write in place, change modes, append in a directory that is renamed
# to and fro, and rename new files over names that others write to. The daemon is killed and started again all the while.
# Then all of it is looked at.
# Names of the guests and files here have no blanks.
# shellcheck source-path=SCRIPTDIR source=words.sh disable=SC2015,SC2046,SC2086,SC3028
. /bin/words.sh
guests=/mnt/guests base=/mnt/guests/.unify
letters="a b c d e f"
count=4
names() { for letter in $letters; do echo "/usr/share/$1/$letter"; done; }
# A round's files have a content of their own: what was shared in the last one is not met again.
make() {
  mkdir -p $guests/"$1"/etc $guests/"$1"/tmp
  for dir in append more put modes swung taken rest; do
    mkdir -p $guests/"$1"/usr/share/$dir
    for letter in $letters; do
      file=$guests/$1/usr/share/$dir/$letter
      if [ $dir = more ]; then
        [ "$1" = two ] || ln ${file%/more*}/append/$letter $file
        continue
      fi
      { echo "round $round $dir $letter"; head -c 9000 /bin/busybox; echo; } > $file
      touch -d "2026-01-02 03:04:05" $file
    done
  done
  mkdir $guests/"$1"/usr/share/tied
  for file in held late; do
    { echo "round $round $file"; head -c 9000 /bin/busybox; echo; } > $guests/"$1"/usr/share/tied/$file
    touch -d "2026-01-02 03:04:05" $guests/"$1"/usr/share/tied/$file
    [ "$1" = two ] || racer link $guests/"$1"/usr/share/tied/$file $many
  done
}
share() {
  quiet unify plan --not-a-root -o /tmp/plan.json $guests/one $guests/two
  quiet unify apply --yes /tmp/plan.json
  for file in append/a put/b modes/c swung/d taken/e rest/f; do
    [ "$(inode one $file)" = "$(inode two $file)" ] || fail "$file is not shared"
  done
}
inode() { stat -c %i $guests/"$1"/usr/share/"$2"; }
sums() { (cd $guests/"$1"/usr/share/rest && md5sum $letters && stat -c '%n %i %a %s %Y' $letters); }

# As the unit does it: a new daemon shall get the processor before those who wait for it.
begin() { start racer first; }
# At any moment, ready or not but for the first one, until there is no /tmp/racing.
kill_again_and_again() {
  begin
  ready
  touch /tmp/begun
  while [ -e /tmp/racing ]; do
    usleep $((RANDOM * 200 + 200000))
    kill -9 $daemon || cp /tmp/guardd.log /tmp/ended.log
    wait $daemon 2> /dev/null || true
    killed=$((killed + 1))
    usleep $((RANDOM * 10))
    begin
  done
  kill -9 $daemon
  wait $daemon 2> /dev/null || true
  echo $killed > /tmp/killed
}
# in GUEST NAME COMMAND... : in its cgroup and its root, beside the others
inside() {
  guest=$1 said=/tmp/racer.$1.$2
  shift 2
  (echo 0 > /sys/fs/cgroup/$guest/cgroup.procs
    exec chroot $guests/$guest /racer "$@") > $said 2>&1 &
  pids="$pids $!"
}
# All of a file's names lead to its copy before anybody changes that, and no other file is taken for the one that was
# there.
in_between() {
  begin
  ready
  for what in held late; do
    name=/usr/share/tied/$what
    racer $what $daemon $guests/one$name $guests/one$name.$many > /tmp/between || fail "round $round: $what"
    while read -r number new; do
      [ "$(stat -c %i $new)" = "$number" ] || fail "round $round: $new was taken away"
    done < /tmp/between
    grep -a -q "^held 1$" $guests/one$name || fail "round $round: $name has not what was written"
    [ "$(md5sum < $guests/two$name)" = "$(cat /tmp/$what)" ] || fail "round $round: two:$name has changed"
  done
  [ "$(stat -c %i $guests/one/usr/share/tied/held* | sort -u | wc -l)" = 1 ] || fail "round $round: the names of one file are apart"
  [ "$(stat -c %i $guests/one/usr/share/tied/late* | sort -u | wc -l)" = 2 ] || fail "round $round: the other names are apart"
  stop
}
race() {
  pids=
  rm -f /tmp/racer.*
  for guest in one two; do
    for writer in 1 2 3; do
      case $guest$writer in
        one1) inside one append1 pair one-1 $count /usr/share/append /usr/share/more $letters ;;
        one2) inside one append2 pair one-2 $count /usr/share/more /usr/share/append $letters ;;
        *) inside $guest append$writer append $guest-$writer $count $(names append) ;;
      esac
    done
    inside $guest put1 pwrite $guest-p $count 600 $(names put)
    inside $guest put2 pwrite $guest-q $count 601 $(names put)
    inside $guest modes chmod $count $(names modes)
    inside $guest swung append $guest-s $count $(names swung)
    inside $guest taken1 append $guest-t $count $(names taken)
    inside $guest taken2 replace $guest-new $count $(names taken)
  done
  writers=$pids pids=
  inside one swing swing /usr/share/swung /usr/share/hither
  swinging=$pids
}

# lines GUEST FILE WORD : each of its lines once, in their order, and none of the other guest's
lines() {
  file=$guests/$1/usr/share/$2
  grep -a "^$1-$3 [0-9]*$" $file > /tmp/found || true
  seq 1 $count | sed "s/^/$1-$3 /" > /tmp/wanted
  cmp -s /tmp/found /tmp/wanted || { cat /tmp/found; fail "$file has not all lines of $1-$3"; }
  other=one
  [ $1 = two ] || other=two
  ! grep -a -q "^$other-" $file || fail "$file has what $other wrote"
}
look() {
  for guest in one two; do
    for letter in $letters; do
      for writer in 1 2 3; do lines $guest append/$letter $writer; done
      lines $guest swung/$letter s
      dd if=$guests/$guest/usr/share/put/$letter bs=16 skip=600 count=2 2> /dev/null > /tmp/found
      printf '%-9s %5s\n%-9s %5s\n' $guest-p $count $guest-q $count > /tmp/wanted
      cmp -s /tmp/found /tmp/wanted || { cat /tmp/found; fail "$guest:put/$letter"; }
      [ "$(stat -c %a $guests/$guest/usr/share/modes/$letter)" = 640 ] || fail "the mode of $guest:modes/$letter"
      grep -q "^$guest-new $count$" $guests/$guest/usr/share/taken/$letter || fail "$guest:taken/$letter was taken away"
    done
    grep "^[0-9]* /" /tmp/racer.$guest.taken2 | while read -r number file; do
      [ "$(stat -c %i $guests/$guest$file)" = "$number" ] || fail "$guest:$file is another file"
    done
  done
  for letter in $letters; do
    [ "$(inode one append/$letter)" = "$(inode one more/$letter)" ] || fail "the names of $letter are apart"
  done
  [ "$(sums one)" = "$rest" ] && [ "$(sums two)" = "$rest" ] || fail "what nobody wrote to has changed"
  [ -z "$(ls -A $base/staging)" ] || { ls -lA $base/staging; fail "something is left in staging"; }
  quiet unify verify --base $base
  # Whose directory was away when a break was finished has left the record, and nothing else has.
  quiet unify status --base $base
  ! grep -q -e UNPROTECTED -e "share/[^ts][^ ]*  another file now" /tmp/said || { cat /tmp/said; fail status; }
}

guard_is_loaded
for guest in one two; do
  mkdir -p $guests/$guest/etc /sys/fs/cgroup/$guest
  echo "ID=plain" > $guests/$guest/etc/os-release
  cp /bin/racer $guests/$guest/racer
done
echo "level $(what_is_done)"
end=$(($(now) + ${1:-20}))
many=200
round=0 killed=0 denied=0 parted=0
while [ $round = 0 ] || [ "$(now)" -lt $end ]; do
  round=$((round + 1))
  for guest in one two; do make $guest; done
  share
  rest=$(sums one)
  for file in held late; do md5sum < $guests/two/usr/share/tied/$file > /tmp/$file; done
  in_between
  touch /tmp/racing
  kill_again_and_again &
  killer=$!
  until [ -e /tmp/begun ]; do
    kill -0 $killer || fail "round $round: no daemon has begun"
    usleep 100000
  done
  race
  for pid in $writers; do wait $pid || { cat /tmp/racer.*; fail "round $round: a writer gave up"; }; done
  kill $swinging
  wait $swinging || { cat /tmp/racer.*.swing; fail "round $round: the directory"; }
  rm /tmp/racing /tmp/begun
  wait $killer
  killed=$(cat /tmp/killed)
  [ ! -e /tmp/ended.log ] || { tail -n 5 /tmp/ended.log; fail "round $round: a daemon ended by itself"; }
  # What the last one was killed in is finished by the next.
  begin
  ready
  look
  stop
  parted=$((parted + $(for guest in one two; do names append; names put; names modes; names swung; done | wc -l)))
  denied=$((denied + $(cat /tmp/racer.* | sed -n 's/.*: denied \([0-9]*\),.*/\1/p' | awk '{ n += $1 } END { print n + 0 }')))
  echo "round $round, at $(now) s: $killed kills, $parted files parted, $denied denied and tried again, $(grep -c "denied to" /tmp/guardd.log || true) by the daemon"
  rm -rf $guests/*/usr
  quiet unify gc --base $base
  [ -z "$(find $base/objects -type f)" ] || fail "round $round: objects are left"
done
sed -n 's/.*denied to [^)]*)//p' /tmp/guardd.log | sort | uniq -c
echo "$round rounds, $killed kills, $parted files parted: 0 lines lost, 0 foreign, 0 groups split, 0 files left"
