#!/bin/bash
# The main job on two real Debian guests, in a scratch directory that is removed at the end:
# plan, show, apply, verify, status, undo, gc. Proves by listings that nothing was lost.
#
#   usage: examples/two-guests.sh        (as root)
#
# On Debian it installs what it needs, and says so before; elsewhere it says what to install.
#
#   UNIFY=PROGRAM   use this program instead of building one
#   SCRATCH=DIR     where the scratch directory is made (default /var/tmp)
#   GUESTS=DIR      where the guests' archives are kept for the next time
#   KEEP=FILE       keep the plan there
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=examples/prepare.bash
. "$here/examples/prepare.bash"

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'two-guests: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "needs root: files of many owners are made and flagged"
# The toolchain first: nothing is installed for somebody who cannot build.
[ -n "${UNIFY:-}" ] || prepare_build
prepare_tools mmdebstrap=mmdebstrap jq=jq getfattr=attr chattr=e2fsprogs mkfs.ext4=e2fsprogs tar=tar
for tool in jq getfattr chattr tar; do
  have "$tool" || fail "needs $tool, and could not install it"
done

scratch=$(mktemp -d "${SCRATCH:-/var/tmp}/unify-demo.XXXXXX")
guests=$scratch/guests

cleanup() {
  if [ -d "$guests/.unify" ]; then find "$guests/.unify/objects" -type f -exec chattr -f -i {} + || true; fi
  if mountpoint -q "$guests"; then umount "$guests" || umount -l "$guests"; fi
  rm -rf --one-file-system "$scratch"
}
trap cleanup EXIT

# Guests need a file system with owners, flags and leases that no other mount namespace reaches, as the host's does where
# this runs in one of its own. Where there is none, a fresh ext4 in a file.
make_room() {
  mkdir "$guests"
  case $(stat -f -c %T "$scratch") in
    ext2/ext3 | xfs | btrfs) if [ "$(readlink /proc/self/ns/mnt)" = "$(readlink /proc/1/ns/mnt)" ]; then return; fi ;;
  esac
  say "making an ext4 in a file, because $scratch lies on no ext4, XFS or btrfs that is this host's alone"
  truncate -s 4G "$scratch/disk.img"
  mkfs.ext4 -q "$scratch/disk.img"
  mount -o loop "$scratch/disk.img" "$guests"
  rmdir "$guests/lost+found"
}

# guest NAME PACKAGE...: from its archive, which is made if it is not there
guest() {
  local name=$1 archive=${GUESTS:-$scratch}/$1.tar
  shift
  if [ ! -f "$archive" ]; then
    echo "making $name with $* (about a minute)"
    patiently "$here/examples/make-guest.sh" "$archive" "$@"
  fi
  mkdir "$guests/$name"
  tar --extract --preserve-permissions --numeric-owner --xattrs --xattrs-include='*' \
    --file="$archive" --directory="$guests/$name"
  echo "$name: $(find "$guests/$name" | wc -l) paths, made by $(cat "$archive.how")"
}

# Every path with type, mode, owner, size, time and link target; every content; every extended attribute.
listing() {
  local name
  for name in web db; do
    (
      cd "$guests/$name"
      find . -printf '%p %y %m %U %G %s %T@ %l\n' | sort
      find . -type f -print0 | sort -z | xargs -0 sha256sum
      getfattr --recursive --physical --no-dereference --dump --match=- . | sort
    )
  done
}

# Allocated bytes of all regular files, each inode once.
disk_use() {
  sync
  find "$guests" -path "$guests/.unify/runs" -prune -o -path "$guests/.unify/staging" -prune -o \
    -type f ! -path "$guests/.unify/lock" ! -path "$guests/.unify/format" -printf '%D:%i %b\n' | sort -u | awk '{ sum += $2 } END { print sum * 512 }'
}

same() { cmp --silent "$scratch/before" <(listing) || { diff "$scratch/before" <(listing) | head -20 >&2; fail "$1: the guests are not what they were"; }; }

run() {
  printf '\n$ unify %s\n' "$*"
  "$unify" "$@"
}

if [ -n "${UNIFY:-}" ]; then
  unify=$UNIFY
else
  say "building unify (once; five minutes on two cores)"
  cargo build --release --locked --manifest-path "$here/Cargo.toml"
  unify=$(cargo metadata --format-version 1 --no-deps --manifest-path "$here/Cargo.toml" | jq -r .target_directory)/release/unify
fi

say "two Debian guests: a web server and a database server"
make_room
mkdir -p "${GUESTS:-$scratch}"
guest web nginx openssh-server
guest db postgresql
echo "listing every file of both, to compare later"
listing > "$scratch/before"
used_before=$(disk_use)
echo "together they use $used_before bytes"

plan=$scratch/plan.json
base=$guests/.unify
run plan --base "$base" -o "$plan" "web=$guests/web" "db=$guests/db"
run show "$plan"
run show --by package "$plan" | head -20 || true
if [ -n "${KEEP:-}" ]; then cp "$plan" "$KEEP"; fi
promised=$("$unify" show --format json "$plan" | jq '[.. | objects | select(has("totals")) | .totals.saves][0]')
same "after plan"

run apply --yes "$plan"
run verify "$plan"
same "after apply"
freed=$((used_before - $(disk_use)))
say "the guests are what they were, and use $freed bytes less; promised were $promised"
[ "$freed" = "$promised" ] || fail "freed $freed bytes, promised $promised"

run status --base "$base"
run undo --base "$base" --run last --yes
run gc --base "$base"
same "after undo"
[ "$(disk_use)" = "$used_before" ] || fail "the disk use after undo and gc is not that of before"

say "done: $(wc -l < "$scratch/before") facts about both guests compared four times, nothing was lost"
