#!/bin/bash
# How what lies here was made, once, by the program of 0.1.0 of November 2026. Not to be run again: what it made is what
# bases out there look like, and later programs are held to it by tests/it/reading/old_formats.rs and src/ledger/tests/old_formats.rs.
# A new version of a format gets a folder of its own beside this one.
#
#   usage: make.sh UNIFY OUT        (as root; UNIFY built with --features faults; OUT is an empty directory)
#
# disk.img.zst is an ext4 of some MB with a directory for each scene: `guests`, in it the base `.unify`, and plans. It is
# made, and must be mounted, on /dev/loop200 at /mnt on a machine whose /etc/machine-id is the one below, both in a mount
# namespace of one's own: then device and inode numbers, times, host and paths are what the papers in it say.
#
#   were       what the guests of most scenes had, and must have again after undo; those that differ have a `were` each
#   settled    runs that ended: done, refused, failed, held and nothing left to do; of apply and of undo
#   planned-*  a plan in each form, and the base that it was made with; to be applied
#   apply-*    apply of a third guest, whose names join protected objects, killed at a call
#   undo-*     undo killed at a call
#   recover-*  the healing of an apply killed at a call, and that of another one after it was written down
#   aside-*    a file that healing put into quarantine
#
# papers/SCENE/ has papers of some of these bases, for tests that have no disk; papers/every/ some that the writers of the
# ledger wrote of every word that there is. facts.json is what was read in them, told/ what the program answered: what the
# tests found with the program of that day.
set -euo pipefail
export LC_ALL=C TZ=UTC
[ -n "${INSIDE-}" ] || INSIDE=1 exec unshare --mount --propagation private bash "$0" "$@"
unify=$1 out=$2 image=$2/disk.img

echo 5f3759df5f3759df5f3759df5f3759df > "$out/machine-id"
mount --bind "$out/machine-id" /etc/machine-id
truncate -s 12M "$image"
mkfs.ext4 -q -b 1024 -I 256 -N 3000 -m 0 -O ^has_journal,^resize_inode -E lazy_itable_init=0,root_owner=0:0 \
  -U 5c5c5c5c-0001-4000-8000-00000000da7a "$image"
losetup /dev/loop200 "$image"
mount -t ext4 /dev/loop200 /mnt
losetup -d /dev/loop200 # goes with the mount
rmdir /mnt/lost+found

put() { # FILE SEED
  mkdir -p "$(dirname "$1")"
  for n in {1..80}; do echo "line $n of the content $2"; done > "$1"
  touch -d '2023-11-14 22:13:20.123456789' "$1"
}

# own_time GUEST NAME: before 1970, and not that of the others
own_time() { touch -d "@-$((16#$2)).000000007" "$1/usr/share/time"; }

# scene NAME: three guests of a few files in /mnt/NAME
scene() {
  s=/mnt/$1 base=/mnt/$1/guests/.unify
  local name guest
  for name in a b c; do
    guest=$s/guests/$name
    put "$guest/usr/share/one" one
    chmod 755 "$guest/usr/share/one"
    chown 7:8 "$guest/usr/share/one"
    setfattr -n user.kept -v yes "$guest/usr/share/one"
    put "$guest/usr/lib/two" two
    ln "$guest/usr/lib/two" "$guest/usr/lib/names"
    put "$guest/usr/lib/"$'not utf-8 \xff\xfe' three
    put "$guest/usr/share/time" time
    own_time "$guest" "$name"
    put "$guest/usr/share/near" near
    put "$guest/usr/bin/su" su
    chmod 4755 "$guest/usr/bin/su"
    put "$guest/usr/own" "$name"
    put "$guest/etc/conf" conf
    put "$guest/etc/machine-id" id
    mkdir -p "$guest/var/lib/dpkg/info" "$guest/var/lib/dpkg/updates"
    printf '%s\n' 'Package: paper' 'Status: install ok installed' 'Maintainer: L <l@example.invalid>' 'Architecture: all' \
      'Version: 1' 'Conffiles:' ' /etc/conf 00000000000000000000000000000000' 'Description: paper' \
      > "$guest/var/lib/dpkg/status"
    printf '/.\n/usr/share/one\n' > "$guest/var/lib/dpkg/info/paper.list"
    printf '/etc/conf\n' > "$guest/var/lib/dpkg/info/paper.conffiles"
    find "$guest/var" -type f -exec touch -d '2023-11-14 22:13:20' {} +
  done
  chmod 600 "$s/guests/b/usr/share/near"
}

plan() { "$unify" plan --ignore mtime -o "$@"; }
apply() { "$unify" apply --yes "$@"; }
undo() { "$unify" undo --base "$base" --run all --yes "$@"; }
killed() { UNIFY_FAULT="$1=kill" "${@:2}" || [ $? = 137 ]; }
wants() { local code=0; "${@:2}" || code=$?; [ $code = "$1" ] || { echo "exit $code: ${*:2}" >&2; exit 1; }; }
# What undo must give back, where that is not as in /mnt/were.
were() {
  mkdir "$s/were"
  for name in a b c; do
    cp -a "$s/guests/$name" "$s/were/$name" # one by one: what they share, they share no more
    own_time "$s/were/$name" "$name"
  done
}

# as most scenes begin
scene were
mv "$s"/guests/* "$s"
rmdir "$s/guests"

# ended: two applies, an undo, an apply once more
scene settled
mkdir "$s/guests"/{a,b,c}/usr/moved
for name in a b c; do
  for file in mode gone fails held cut moved/path; do put "$s/guests/$name/usr/$file" "$file"; done
done
plan "$s/first.json" "$s"/guests/{a,b}
# A reviewer: a line less, a skip and a note more.
sed -i -e '/"action":"link","guest":"b","path":"\/usr\/cut"/d' \
  -e '/"guest":"b","path":"\/usr\/held"/{s/"action":"link"/"action":"skip"/;s/,"seal"/,"note":"kept, says the owner","seal"/}' "$s/first.json"
chmod 700 "$s/guests/b/usr/mode"
rm "$s/guests/b/usr/gone"
mv "$s/guests/b/usr/moved" "$s/guests/b/usr/there"
ln -s there "$s/guests/b/usr/moved"
UNIFY_FAULT='exchange#2=ENOSPC' wants 4 apply "$s/first.json"
plan "$s/second.jsonl.zst" "$s"/guests/{a,b,c}
wants 0 apply "$s/second.jsonl.zst"
wants 0 apply "$s/second.jsonl.zst"
chattr -i "$s/guests/b/usr/lib/two"
rm "$s/guests/b/usr/lib/two" "$s/guests/b/usr/lib/names"
put "$s/guests/b/usr/lib/two" newer
undo --guest b --path '/usr/lib/*' || true
put "$s/guests/c/usr/later" later
put "$s/guests/a/usr/later" later
plan "$s/third.json" --objects copy "$s"/guests/{a,b,c}
wants 0 apply "$s/third.json"
"$unify" verify --base "$base"
were

# plans that nobody applied yet, made with choices from a file
for form in json jsonl json.zst; do
  scene "planned-$form"
  plan "$s/before.json" "$s"/guests/{a,b}
  apply "$s/before.json"
  sed -e 's/^ignore = .*/ignore = ["mtime"]/' -e 's/^allow = .*/allow = ["privileged"]/' -e 's/^skips = .*/skips = "all"/' \
    -e 's/^min-size = .*/min-size = "1K"/' -e 's/^privileged = true/privileged = false/' -e 's/^# web1 = /c = /' \
    "$(dirname "$0")/../../../examples/policy.toml" > "$s/policy.toml"
done
sleep 5
"$unify" plan --ignore mtime -o /mnt/settled/fourth.json /mnt/settled/guests/{a,b,c}
for form in json jsonl json.zst; do
  s=/mnt/planned-$form
  "$unify" plan --policy "$s/policy.toml" --exclude '/usr/none/**' -o "$s/plan.$form" "$s"/guests/{a,b,c}
done

# killed: the third guest joins what two share, all is undone, the joining is healed
third() {
  scene "$1"
  plan "$s/first.json" "$s"/guests/{a,b}
  apply "$s/first.json"
  plan "$s/third.json" "$s"/guests/{b,c}
}
for call in setflags#6 exchange#3 exchange#5 getlease#3 setflags#9 write#7 unlink#3 rmdir#1; do
  third "apply-${call/\#/-}"
  killed "$call" apply "$s/third.json"
done
for call in setflags#3 exchange#4 exchange#12 syncfs#2 write#18 unlink#7 setflags#7; do
  third "undo-${call/\#/-}"
  apply "$s/third.json"
  killed "$call" undo
done
for call in write#5 unlink#3; do
  third "recover-${call/\#/-}"
  killed 'syncfs#2' apply "$s/third.json"
  killed "$call" "$unify" recover --base "$base"
done

# what came out was written to, and its name is another file's by now
for when in cut done; do
  third "aside-$when"
  killed 'exchange#4' apply "$s/third.json"
  echo more >> "$(echo "$base"/staging/*/3)"
  rm "$s/guests/c/usr/lib/"$'not utf-8 \xff\xfe'
  put "$s/guests/c/usr/lib/"$'not utf-8 \xff\xfe' newer
  were
  [ $when = cut ] || wants 12 "$unify" recover --base "$base"
done

# the papers that tests read without the disk: of the first base all receipts, of the others those of the last run
keep() { # SCENE RUN PAPER...
  mkdir -p "$out/papers/$1"
  for paper in "${@:3}"; do
    for from in "/mnt/$1/guests/.unify/runs/"*"-0000000$2/$paper"; do
      [ ! -f "$from" ] || cp "$from" "$out/papers/$1/0000000$2.$paper"
    done
  done
}
for run in 1 2 3 4 5; do keep settled $run receipt.jsonl; done
for run in 1 2; do keep settled $run journal; done
for scene in apply-exchange-3 apply-unlink-3 recover-write-5 recover-unlink-3; do
  keep $scene 2 receipt.jsonl recovered.jsonl journal
done
for scene in undo-exchange-4 undo-unlink-7; do keep $scene 3 receipt.jsonl journal; done
for form in json jsonl json.zst; do
  mkdir -p "$out/papers/planned-$form"
  cp "/mnt/planned-$form/plan.$form" "$out/papers/planned-$form/"
done

chmod -R u=rwX,go=rX "$out/papers"
df -i /mnt | tail -n 1
df -k /mnt | tail -n 1
umount /mnt
umount /etc/machine-id
zstd -q --ultra -22 --rm "$image" -o "$image.zst"
