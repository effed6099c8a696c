#!/bin/bash
# What service.sh looks at, in the host: run by scene.service, and with `guests` by lxc.service as the guests start.
set -eu
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
guests=/srv/guests base=/srv/guests/.unify unit=unify-guardd.service
fail() {
  echo "FAILED: $*"
  systemctl status --no-pager --full 'unify*' || true
  journalctl --no-pager -n 40 -o cat || true
  systemctl poweroff --no-block
  exit 1
}
note() { echo "note: $*"; }
quiet() { "$@" > /tmp/said 2>&1 || { cat /tmp/said; fail "exit code $?: $*"; }; }
show() { systemctl show -P "$1" $unit; }
sums() { (cd $guests/two/usr/share/doc && md5sum -- *) | md5sum; }
file=0
# One more shared file is written to, from inside of a guest.
# shellcheck disable=SC2317  # it is called by name
write() {
  file=$((file + 1))
  systemd-run --quiet --scope --slice=guests chroot $guests/one /bin/busybox sh -c "echo more >> /usr/share/doc/$file"
}
works() {
  write || fail "a write was denied: $1"
  [ "$(tail -n 1 $guests/one/usr/share/doc/$file)" = more ] || fail "it was not written: $1"
  [ "$(sums)" = "$(cat /two)" ] || fail "the other guest has changed: $1"
}
# until N COMMAND... : it becomes true within so many tenths of a second
becomes() {
  local left=$1
  shift
  until "$@"; do
    left=$((left - 1))
    [ $left -gt 0 ] || fail "never: $*"
    sleep 0.1
  done
}
is_another() { [ "$(show MainPID)" != "$1" ] && [ "$(show ActiveState)" = active ]; }

if [ "${1:-}" = guests ]; then
  unify guard --json > /run/at-start
  exit 0
fi
exec > /dev/console 2>&1
echo
if [ ! -e /two ]; then
  sums > /two
  quiet unify guard load
  quiet unify plan --protect guard --not-a-root -o /tmp/plan.json $guests/one $guests/two
  quiet unify apply --yes /tmp/plan.json
  quiet systemctl enable lxc.service unify-guard.service unify-guardd.service "unify-recover@$(systemd-escape --path $base).service"
  quiet systemd-analyze verify /etc/systemd/system/unify-guard.service /etc/systemd/system/$unit
  note "systemd $(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p'), exposure of $unit: $(systemd-analyze security --no-pager $unit | sed -n 's/.*: \([0-9.]* [A-Z]*\).*/\1/p' | tail -n 1)"
else
  grep -q '"loaded":true,"marks":10[0-9],.*"daemon":true' /run/at-start || { cat /run/at-start; fail "not all is there when guests start"; }
  note "when guests start: $(cat /run/at-start)"
  [ "$(show ActiveState)" = active ] || fail "the daemon is $(show ActiveState)"
  note "it is ready, and $(journalctl -o cat -u $unit | sed -n 's/.*\(before all.*\|at no.*\|at nice.*\)/\1/p' | tail -n 1)"
  [ "$(readlink "/proc/$(show MainPID)/ns/mnt")" = "$(readlink /proc/1/ns/mnt)" ] || fail "it has mounts of its own"
  works "the daemon lives"
  quiet grep -q "a file of its own" <(journalctl -o cat -u $unit)

  for kill in 1 2 3 4 5; do
    was=$(show MainPID)
    kill -9 "$was"
    works "it was killed, time $kill"
    becomes 300 is_another "$was"
  done
  note "killed 5 times: 5 writers had to wait for the next one, 0 were denied; $(show NRestarts) restarts"

  was=$(show MainPID)
  kill -STOP "$was"
  began=$EPOCHSECONDS
  becomes 600 is_another "$was"
  [ "$(show NRestarts)" = 6 ] || fail "$(show NRestarts) restarts"
  note "it hung: the watchdog had another one after $((EPOCHSECONDS - began)) s"
  works "it hung"

  echo 'echo more >> /usr/share/doc/99; chmod 600 /usr/share/doc/98' > $guests/one/writer
  quiet systemctl restart $unit
  works "it was restarted"
  quiet systemd-run --quiet --scope unshare -Ur chroot $guests/one /bin/busybox sh /writer
  [ "$(tail -n 1 $guests/one/usr/share/doc/99; stat -c %a $guests/one/usr/share/doc/98)" = "more
600" ] || fail "it was not written in a user namespace"
  [ "$(sums)" = "$(cat /two)" ] || fail "the other guest has changed"
  note "a writer in a user namespace: as the others"
  quiet systemctl stop $unit
  ! write 2> /dev/null || fail "a write went through without the daemon"
  [ "$(sums)" = "$(cat /two)" ] || fail "the other guest has changed"
  quiet systemctl start $unit
  quiet unify verify --base $base
  ! journalctl -o cat -u $unit | grep -i -e denied -e 'not permitted' -e 'cannot' || fail "it says more than it should"
fi
echo "all is well"
systemctl poweroff --no-block
