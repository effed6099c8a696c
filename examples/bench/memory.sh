#!/bin/bash
# How much memory and time `unify plan` needs as trees grow: half of the names in each of two guests, every file of
# one the same as one of the other. Prints a Markdown table, and another of the commands that follow a plan.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

usage() {
  cat << 'END'
usage: memory.sh [OPTIONS] DIR        (as root)

  --huge         also 10,000,000 names: about 8 GB in DIR, and with the making about half an hour
  --sizes LIST   names in all, with commas (default 10000,100000,1000000)
  --runs N       runs of each, after one that is not counted (default 3)
  --reflink      plans of reflinks, with FS=xfs or FS=btrfs
  --apply        the commands that follow, too, one run each: show, apply, verify, apply of a second plan, status, undo
  --help

The trees are made in a file system in a file in DIR, so that DIR's inodes are not used up. On ext4 the files, of at most
260 bytes, lie in their inodes: ten million of them fit the memory of a machine with 24 GB, and time is the program's.

  FS=ext4|xfs|btrfs  of what kind (default ext4)
  UNIFY=PROGRAM   measure this one (default: the release build of this tree)
  LIMIT=SECONDS   end a run that takes longer (default 1800)
END
}

sizes=10000,100000,1000000 huge='' runs=3 apply='' method=hardlink where=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit ;;
    --huge) huge=1 ;;
    --apply) apply=1 ;;
    --reflink) method=reflink ;;
    --sizes | --runs)
      [ $# -gt 1 ] || { usage >&2; exit 2; }
      if [ "$1" = --runs ]; then runs=$2; else sizes=$2; fi
      shift
      ;;
    -*) usage >&2; exit 2 ;;
    *) [ -z "$where" ] || { usage >&2; exit 2; }; where=$1 ;;
  esac
  shift
done
[ -n "$where" ] || { usage >&2; exit 2; }
number "$runs"
IFS=, read -ra counts <<< "$sizes${huge:+,10000000}"
for count in "${counts[@]}"; do number "$count"; done

# plan NAME: one measured run, into a fresh file
plan() {
  rm -f "$scratch/plan.json"
  measure "$1" "$unify" plan --method "$method" --base "$base" -o "$scratch/plan.json" "$scratch/disk/a" "$scratch/disk/b"
}

# follow NAME COUNT COMMAND...: one run, and its line of the second table
follow() {
  local name=$1 count=$2 seconds kib code
  measure "$name-$count" "$unify" "${@:3}"
  read -r seconds _ _ kib code < <(summary "$name-$count")
  awk -v n="$count" -v name="$name" -v s="$seconds" -v kib="$kib" -v code="$code" 'BEGIN {
    printf "| %d | %s%s | %.3f | %.0f |\n", n, name, code ? " **(exit " code ")**" : "", s, kib / 1024 }' >> "$scratch/followed"
}

# The second plan finds all names shared, and apply looks whether the base knows them.
followed() {
  local count=$1
  follow show "$count" show "$scratch/plan.json"
  follow apply "$count" apply --yes "$scratch/plan.json"
  follow verify "$count" verify "$scratch/plan.json"
  plan "again-$count"
  follow 'second apply' "$count" apply --yes "$scratch/plan.json"
  follow status "$count" status --base "$base"
  follow undo "$count" undo --run all --yes --base "$base"
}

one_size() {
  local count=$1 median kib code made=$SECONDS run
  # Behind an undo there are inodes of all names, and objects; papers of all runs, and what they remember.
  make_disk $((count * (apply ? 16384 : 1024) + 512 * 1024 * 1024)) $((count * 16 / 10 + 10000)) 4096 -O inline_data -I 512
  perl "$bench/tree.pl" twins "$scratch/disk/a" $((count / 2)) &
  perl "$bench/tree.pl" twins "$scratch/disk/b" $((count / 2))
  wait $!
  sync
  say "$count names made in $((SECONDS - made)) s"
  plan "first-$count"
  for ((run = 1; run <= runs; run++)); do plan "$count"; done
  read -r median _ _ kib code < <(summary "$count")
  awk -v n="$count" -v s="$median" -v kib="$kib" -v code="$code" -v plan="$(stat -c %s "$scratch/plan.json")" 'BEGIN {
    printf "| %d%s | %.3f | %.0f | %.1f | %.0f | %.1f |\n", n, code ? " **(exit " code ")**" : "", s, n / s, kib / 1024, kib * 1024 / n, plan / 1048576 }'
  [ -z "$apply" ] || followed "$count"
  remove_disk
}

needs /usr/bin/time perl findmnt "mkfs.${FS:-ext4}"
make_scratch "$where"
find_unify
base=$scratch/disk/.unify
echo "| names | median s of $runs | names/s | peak RSS MiB | peak RSS in bytes a name | plan MiB |"
echo '| ---: | ---: | ---: | ---: | ---: | ---: |'
for count in "${counts[@]}"; do one_size "$count"; done
if [ -n "$apply" ]; then
  printf '\n| names | command | seconds | peak RSS MiB |\n| ---: | --- | ---: | ---: |\n'
  cat "$scratch/followed"
fi
footer "$dir"
echo "The trees were on ${FS:-ext4} in a file there."
