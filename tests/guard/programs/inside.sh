#!/bin/sh
# The cases of programs.sh in one kernel; run by boot.sh as the first process.
# shellcheck source-path=SCRIPTDIR source=../words.sh disable=SC2119
. /bin/words.sh
guests=/mnt/guests base=/mnt/guests/.unify level=$(cat /mnt/level)
guard_is_loaded
# Everything may be shared here that the cases write to: the care rules would leave some of it out.
quiet unify plan --protect guard -o /tmp/plan.json $guests/one $guests/two
quiet unify apply --yes /tmp/plan.json
echo "note: kernel $(uname -r), $(grep -c '"action":"link"' /tmp/plan.json) names of one and two are shared"
if [ "$level" != I ]; then
  start
  ready
fi
echo "note: $(unify guard --json)"
for guest in plain one; do
  mkdir -p /sys/fs/cgroup/$guest
  root=$guests/$guest
  mount -t proc proc $root/proc
  mount -t tmpfs tmpfs $root/tmp
  mount -t devtmpfs devtmpfs $root/dev
  mkdir -p $root/dev/shm
done

shell=/bin/bash
[ -e $guests/one$shell ] || shell=/bin/sh
# enter GUEST COMMAND LOOK: in a cgroup of the guest's own, and chrooted. What they say, and between both how the
# command has ended, on the standard output.
enter() {
  sh -c 'echo 0 > /sys/fs/cgroup/$1/cgroup.procs
    exec chroot "$2" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive \
      timeout 120 "$6" -c "$3" case "$4" "$5"' enter "$1" $guests/"$1" "$(cat /mnt/run-case.sh)" "$2" "$3" $shell 2>&1 < /dev/null |
    grep -v -e '^Get:' -e '^Fetched' -e '^(Reading' -e WARNING -e '^rpm: ' -e '^-e proc/'
}
ended() { sed -n 's/^## ended //p' "$1"; }
# judge COMMAND... : the row of the case, by what was said alone and guarded; the command tries it once more.
judge() {
  # A case that fails by itself shows nothing.
  [ "$(ended /tmp/plain.out)" = 0 ] || sed "s|^|$name, alone: |" /tmp/plain.out
  if cmp -s /tmp/plain.out /tmp/one.out; then
    found=same
  else
    diff /tmp/plain.out /tmp/one.out | head -n 8 | sed "s|^|$name: |"
    found="ends with $(ended /tmp/one.out)"
    "$@" > /tmp/again.out
    if cmp -s /tmp/plain.out /tmp/again.out; then found="$found; the second time as alone"; fi
  fi
  case $level.$expected.$found in
    I.* | *.same.same | *.twice.*"the second time as alone") mark= ;;
    *) mark=" UNEXPECTED" ;;
  esac
  [ "$(ended /tmp/plain.out)" = 0 ] || mark=" UNEXPECTED"
  echo "row: | \`$name\` | $(ended /tmp/plain.out) | $found$mark |"
}
tab=$(printf '\t')
while IFS="$tab" read -r name expected command look; do
  enter plain "$command" "$look" > /tmp/plain.out
  enter one "$command" "$look" > /tmp/one.out
  judge enter one "$command" "$look"
done < /mnt/cases
# Whole guests go, by the tools of `plain`, which has them at /mnt/box as lxc would: a plain one, and a clone of `two`,
# all of whose shared files have a name in `two` as well.
at=0
while IFS="$tab" read -r name expected command look; do
  at=$((at + 1))
  quiet unify clone --base $base $guests/two gone$at=$guests/gone/one$at/box/rootfs
  shared=$(find $guests/gone/one$at -type f -links +2 | wc -l)
  [ "$shared" -gt 500 ] || fail "only $shared of its names are shared"
  echo "note: $name: $shared names of it are shared"
  for guest in plain one; do
    mount --bind $guests/gone/$guest$at $guests/plain/mnt
    enter plain "$command" "$look" > /tmp/$guest.out
    umount $guests/plain/mnt
  done
  judge true
done < /mnt/whole
if [ -n "${daemon:-}" ]; then
  tail -n 3 /tmp/guardd.log
  kill "$daemon"
fi
# What watches a command for busybox's timeout ends a second after it, and has /dev/null open.
for guest in plain one; do
  for inner in proc tmp dev; do
    waited=0
    until umount $guests/$guest/$inner; do
      [ $waited -lt 20 ] || fail "$guest/$inner is in use"
      sleep 1
      waited=$((waited + 1))
    done
  done
done
sync
umount /mnt || mount -o remount,ro /mnt
