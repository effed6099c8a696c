#!/bin/bash
# programs.sh PROGRAM VMLINUZ MODULES [SCRATCH] : what a userland does in a guest whose files are guarded.
#
# Boots a kernel on a disk with three equal guests. `one` and `two` are unified under the guard, `plain` is left alone.
# Each case of the userland runs in `plain` and in `one`, and must end alike: exit code, output, what it prints of its
# files. In the end the disk is looked at from outside: `two` is as it was, to the byte; `one` is as `plain`.
#
# Prints a table in Markdown: what was run, how it ended. Ends with 1 where `two` has changed, or where a case that the
# list does not expect to fail has done so. SCRATCH keeps the userlands for the next time. Needs root, and mmdebstrap
# for a Debian, or what tests/data/guests/alpine.sh names for an Alpine.
#
#   env: USERLAND=debian  or alpine: which of the folders of programs/
#        CASES=PATTERN    only the cases of that name (a pattern of the shell)
#        LEVEL=I          without the daemon: nothing is copied on write
# shellcheck source-path=SCRIPTDIR source=host.sh
. "$(dirname "${BASH_SOURCE[0]}")/host.sh"
mounts=("$work/mnt")

# The userland, once.
userland=${USERLAND:-debian}
own=$here/programs/$userland
archive=$scratch/$userland.tar
(
  flock 9
  # shellcheck source=programs/debian/userland.sh
  . "$own/userland.sh"
) 9> "$scratch/$userland.lock" >&2
tree=$work/disk/guests
mkdir -p "$tree/plain" "$work/mnt"
tar -xpf "$archive" -C "$tree/plain" --exclude='./dev/*'
"$here/programs/files.sh" "$tree/plain"
"$own/samples.sh" "$tree/plain"
cp -a "$tree/plain" "$tree/one"
cp -a "$tree/plain" "$tree/two"
cp "$here/programs/run-case.sh" "$work/disk/run-case.sh"
for list in cases whole; do
  # shellcheck disable=SC2254  # it is meant as a pattern
  while IFS= read -r line; do
    case ${line%%$'\t'*} in ${CASES:-*}) printf '%s\n' "$line" ;; esac
  done < <(grep -v '^#' "$own/$list") > "$work/disk/$list"
done
# A guest to lose for each case of `whole`, in the layout of lxc. The plain ones have their files together.
for at in $(seq "$(grep -c . "$work/disk/whole" || true)"); do
  mkdir -p "$tree/gone"/{plain,one}"$at/box"
  printf 'lxc.uts.name = box\nlxc.rootfs.path = dir:/mnt/box/rootfs\n' | tee "$tree/gone"/{plain,one}"$at/box/config" > "$work/config"
  if [ "$at" = 1 ]; then from=$tree/plain how=-a; else from=$tree/gone/plain1/box/rootfs how=-al; fi
  cp $how "$from" "$tree/gone/plain$at/box/rootfs"
done
echo "${LEVEL:-best}" > "$work/disk/level"

DISK=${DISK:-4G} CONTENT=$work/disk KEEP=$work/after MEMORY=1536 LONGEST=${LONGEST:-5400} \
  boot programs/inside.sh
echo
echo "| in a guest | alone | guarded |"
echo "| --- | --- | --- |"
sed -n 's/^row: //p' "$work/said"
echo

# listing ROOT: type, mode, owner, size, content of all that a program of a guest may have changed
listing() {
  (cd "$1" && find . \( -path ./proc -o -path ./dev -o -path ./tmp -o -path ./run -o -path ./var/log -o -path ./var/cache \) -prune -o -printf '%p %y %m %U %G %l\n' | sort
    find . \( -path ./proc -o -path ./dev -o -path ./tmp -o -path ./run -o -path ./var/log -o -path ./var/cache \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}
mount -o loop,ro,noload "$work/after" "$work/mnt"
status=0
listing "$tree/two" > "$work/two.before"
listing "$work/mnt/guests/two" > "$work/two.after"
if cmp -s "$work/two.before" "$work/two.after"; then
  echo "The other guest, $(grep -c . "$work/two.after") lines of paths, modes and contents: unchanged."
else
  echo "THE OTHER GUEST HAS CHANGED:"
  diff "$work/two.before" "$work/two.after" | head -n 20
  status=1
fi
reasons="^[<>] .*($(grep -v '^#' "$own/reasons"))( |\$)"
if [ -d "$work/mnt/guests/one" ] && [ "${CASES:-*}" = '*' ]; then
  listing "$work/mnt/guests/plain" > "$work/plain.after"
  listing "$work/mnt/guests/one" > "$work/one.after"
  diff "$work/plain.after" "$work/one.after" | grep '^[<>]' | grep -vE "$reasons" > "$work/unexplained" || true
  if [ "${LEVEL:-best}" != I ] && [ -s "$work/unexplained" ]; then
    echo "THE GUARDED GUEST DIFFERS FROM THE PLAIN ONE:"
    head -n 20 "$work/unexplained"
    status=1
  fi
  echo "Lines in which the guarded guest differs from the plain one, and no case says why: $(grep -c . "$work/unexplained" || true)"
fi
if grep -q '^row: .*UNEXPECTED' "$work/said"; then status=1; fi
exit "$status"
