#!/bin/sh
# The two guests of load.sh in one kernel; run by boot.sh as the first process.
# Names of the guests and files here have no blanks.
# shellcheck source-path=SCRIPTDIR source=../words.sh disable=SC2086,SC2119,SC2154
. /bin/words.sh
logs="/tmp/guardd.log /tmp/lost.one /tmp/lost.two /mnt/guests/one/var/tmp/reinstall.said"
note() { echo "note: $*"; }
guests=/mnt/guests base=/mnt/guests/.unify
ifconfig lo 127.0.0.1 up
guard_is_loaded
quiet unify plan --protect guard -o /tmp/plan.json $guests/one $guests/two
quiet unify apply --yes /tmp/plan.json
note "kernel $(uname -r), $(what_is_done)"
note "$(grep -c '"action":"link"' /tmp/plan.json) names of one and two are shared, applied after $(now) s"
start
ready

# inside GUEST COMMAND... : in its cgroup and its root
inside() {
  sh -c 'echo 0 > /sys/fs/cgroup/$0/cgroup.procs
    guest=$0; exec chroot /mnt/guests/$guest /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LC_ALL=C "$@"' "$@"
}
sql() { guest=$1; shift; inside $guest setpriv --reuid=postgres --regid=postgres --clear-groups psql -qAtc "$*"; }
version=$(ls $guests/one/usr/lib/postgresql)
for guest in one two; do
  mkdir -p /sys/fs/cgroup/$guest
  root=$guests/$guest
  mount -t proc proc $root/proc
  mount -t tmpfs tmpfs $root/tmp
  mount -t tmpfs tmpfs $root/run
  mount -t devtmpfs devtmpfs $root/dev
  mkdir -p $root/dev/shm $root/run/lock
  mount -t tmpfs tmpfs $root/dev/shm
  inside $guest install -d -o postgres -g postgres -m 2775 /run/postgresql
  quiet inside $guest pg_ctlcluster $version main start -- -t 300
  quiet inside $guest nginx
  quiet sql $guest "create table served (at integer)"
done
# Where its files are, for its requests.
mkdir -p $guests/one/opt/repo
mount --bind /mnt/repo $guests/one/opt/repo

# web GUEST PORT : asks for all files in turn, each once; what is not answered with its content is lost
web() {
  asked=0
  while [ -e /tmp/serving ]; do
    file=$((asked % 40))
    # The content that it had at first.
    wget -q -O /tmp/page.$1 http://127.0.0.1:$2/$file > /tmp/wget.$1 2>&1 && cmp -s /tmp/page.$1 /tmp/www/$file ||
      echo "$1: http $file: $(cat /tmp/wget.$1)" >> /tmp/lost.$1
    asked=$((asked + 1))
    echo $asked > /tmp/asked.$1
    usleep 200000
  done
}
# store GUEST : inserts a number, and asks how many there are; each once
store() {
  stored=0
  while [ -e /tmp/serving ]; do
    stored=$((stored + 1))
    said=$(sql $1 "insert into served values ($stored); select count(*) from served" 2>&1) || true
    [ "$said" = $stored ] || echo "$1: insert $stored: $said" >> /tmp/lost.$1
    echo $stored > /tmp/stored.$1
    usleep 500000
  done
}
cp -r $guests/one/srv/www /tmp/www
touch /tmp/serving /tmp/lost.one /tmp/lost.two
web one 8001 &
web two 8002 &
store one &
store two &
sleep 20
began=$(now)
code=0
inside one /bin/sh /opt/reinstall.sh < /mnt/packages > $guests/one/var/tmp/reinstall.said 2>&1 || code=$?
note "$(wc -l < /mnt/packages) packages were installed anew in one: exit code $code, $(($(now) - began)) s"
sleep 10
rm /tmp/serving
sleep 20
for guest in one two; do
  note "$guest: $(cat /tmp/asked.$guest) requests of nginx, $(cat /tmp/stored.$guest) of PostgreSQL, $(wc -l < /tmp/lost.$guest) lost"
  [ "$(sql $guest "select count(*), count(distinct at), max(at) from served")" = "$(cat /tmp/stored.$guest)|$(cat /tmp/stored.$guest)|$(cat /tmp/stored.$guest)" ] ||
    fail "$guest: rows of PostgreSQL are not right"
done
[ "$(cat /tmp/lost.*)" = "" ] || fail "requests were lost"
[ $code = 0 ] || fail "apt-get ends with $code"
note "the daemon made $(grep -c 'a file of its own' /tmp/guardd.log || true) copies and denied $(grep -c denied /tmp/guardd.log || true) writes"
grep denied /tmp/guardd.log | head -n 10 || true
quiet unify verify --base $base
for guest in one two; do
  quiet inside $guest pg_ctlcluster $version main stop -m fast
  inside $guest nginx -s stop
done
sleep 2
stop
sync
umount $guests/one/opt/repo
for guest in one two; do
  for inner in dev/shm proc tmp run dev; do umount $guests/$guest/$inner || umount -l $guests/$guest/$inner; done
done
sync
umount /mnt || mount -o remount,ro /mnt
