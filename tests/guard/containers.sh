#!/bin/sh
# containers.sh : who writes, from where: tools of the host, chroots, containers of every kind, and one guest in
# another's files. Each writes to a shared file and changes the mode of another; run by boot.sh as the first process.
# Of the guests, only that one changes whose name it is, and it alone is said to have written. The table of
# examples/guide/guardd.md is what this prints.
# Names of the guests and files here have no blanks.
# shellcheck disable=SC1091,SC2086,SC3013
. /bin/words.sh
guests=/mnt/guests base=/mnt/guests/.unify
kinds="host mounted chroot cgroup private container idmapped foreign"
# make GUEST OWNER
make() {
  mkdir -p $guests/"$1"/etc $guests/"$1"/bin $guests/"$1"/mnt $guests/"$1"/usr/share
  echo "ID=plain" > $guests/"$1"/etc/os-release
  cp /bin/busybox $guests/"$1"/bin/sh
  for kind in $kinds; do
    for what in write mode; do
      { head -c 9000 /bin/busybox; echo "$kind $what of $2"; } > $guests/"$1"/usr/share/$kind.$what
      touch -d "2026-01-02 03:04:05" $guests/"$1"/usr/share/$kind.$what
    done
  done
  chown -R "$2:$2" $guests/"$1"
}
# All that there is of a guest, but for files of this kind.
rest() {
  (cd $guests/"$1"/usr/share && for file in *; do
    case $file in "$2".*) ;; *) md5sum $file; stat -c '%n %i %a %u %g %s %Y' $file ;; esac
  done) | md5sum
}
changed="echo more >> /usr/share/KIND.write && chmod 600 /usr/share/KIND.mode"
# enter KIND : what a writer of this kind does
enter() {
  kind=$1
  inside=$(echo "$changed" | sed "s/KIND/$kind/g")
  case $kind in
    host) (cd $guests/one/usr/share && echo more >> host.write && chmod 600 host.mode) ;;
    mounted)
      unshare -m sh -c "mount --bind $guests/one/usr /tmp/elsewhere && cd /tmp/elsewhere/share && echo more >> mounted.write && chmod 600 mounted.mode" ;;
    chroot) chroot $guests/one /bin/sh -c "$inside" ;;
    cgroup)
      mkdir -p /sys/fs/cgroup/machine/one/inner
      sh -c "echo 0 > /sys/fs/cgroup/machine/one/inner/cgroup.procs && exec chroot $guests/one /bin/sh -c '$inside'" ;;
    private)
      unshare -m -p -f sh -c "mount --bind $guests/one $guests/one && exec chroot $guests/one /bin/sh -c '$inside'" ;;
    container) container $guests/three /bin/sh -c "$inside" ;;
    idmapped) container idmapped $guests/one /bin/sh -c "$inside" ;;
    foreign)
      unshare -m sh -c "mount --bind $guests/one/usr $guests/two/mnt && exec chroot $guests/two /bin/sh -c 'echo more >> /mnt/share/foreign.write && chmod 600 /mnt/share/foreign.mode'" ;;
  esac
}
whose() { case $1 in container) echo three ;; *) echo one ;; esac; }
words() {
  case $1 in
    host) echo "a tool of the host, by the path on the host" ;;
    mounted) echo "the same through a bind mount of the directory" ;;
    chroot) echo "a chroot without a cgroup of its own" ;;
    cgroup) echo "a chroot in a cgroup of the third level" ;;
    private) echo "namespaces for mounts and processes, its root a mount of its own" ;;
    container) echo "a user namespace, whose files belong to 100000 and above" ;;
    idmapped) echo "a user namespace on an idmapped mount" ;;
    foreign) echo "another guest, into which the directory is mounted" ;;
  esac
}

make one 0
make two 0
make three 100000
make four 100000
mkdir -p /tmp/elsewhere
guard_is_loaded
quiet unify plan --not-a-root -o /tmp/plan.json $guests/one $guests/two $guests/three $guests/four
quiet unify apply --yes /tmp/plan.json
start
ready
echo "row: | who writes | \`>>\`, \`chmod\` | the file's guest |"
echo "row: | --- | --- | --- |"
for kind in $kinds; do
  owner=$(whose $kind)
  dir=$guests/$owner/usr/share
  case $owner in one) twin=two ;; *) twin=four ;; esac
  for what in write mode; do
    [ $dir/$kind.$what -ef $guests/$twin/usr/share/$kind.$what ] || fail "$kind.$what is not shared"
  done
  others=$(for guest in one two three four; do [ $guest = $owner ] || rest $guest none; done)
  own=$(rest $owner $kind)
  enter $kind || fail "$kind was denied"
  [ "$(tail -n 1 $dir/$kind.write)" = more ] || fail "$kind: it was not written"
  [ "$(stat -c %a $dir/$kind.mode)" = 600 ] || fail "$kind: it has another mode"
  [ "$own" = "$(rest $owner $kind)" ] || fail "$kind: more of $owner has changed"
  [ "$others" = "$(for guest in one two three four; do [ $guest = $owner ] || rest $guest none; done)" ] || fail "$kind: another guest has changed"
  for what in write mode; do
    [ "$(stat -c '%u %h' $dir/$kind.$what)" = "$(stat -c %u $guests/$twin/usr/share/$kind.$what) 1" ] || fail "$kind: owner or links"
  done
  echo "row: | $(words $kind) | as alone | $owner |"
done
stop
quiet unify status --base $base
says "one wrote to 14 shared files"
says "three wrote to 2 shared files"
! grep -qE "(two|four) wrote" /tmp/said || fail "who wrote nothing is said to have written"
quiet unify verify --base $base
