#!/bin/bash
# What `unify plan` needs for trees that are meant to hurt it. Prints a Markdown table.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

usage() {
  cat << 'END'
usage: pathological.sh [OPTIONS] DIR        (as root)

  --cases LIST   with commas (default: all)
                   one-size  200,000 files of 4,096 bytes that all differ, and only at their end
                   flat      a directory with 500,000 names of as many files; the other guest has one of them
                   empty     1,000,000 empty files
                   sparse    a file of 50 GB that is one hole but for its last byte, in both guests
                   names     60,000 names of one file; the other guest has it with one name
  --runs N       runs of each, after one that is not counted (default 1)
  --help

The trees are made in a file system in a file in DIR, of at most 6 GB.

  FS=ext4|xfs     of what kind (default ext4)
  SCALE=N         a hundredth of each case is N = 1 (default 100)
  UNIFY=PROGRAM   measure this one (default: the release build of this tree)
  LIMIT=SECONDS   end a run that takes longer (default 1800)
END
}

list=one-size,flat,empty,sparse,names runs=1 where=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit ;;
    --cases | --runs)
      [ $# -gt 1 ] || { usage >&2; exit 2; }
      if [ "$1" = --runs ]; then runs=$2; else list=$2; fi
      shift
      ;;
    -*) usage >&2; exit 2 ;;
    *) [ -z "$where" ] || { usage >&2; exit 2; }; where=$1 ;;
  esac
  shift
done
[ -n "$where" ] || { usage >&2; exit 2; }
number "$runs"
number "${SCALE:-100}"
IFS=, read -ra cases <<< "$list"

tree() { perl "$bench/tree.pl" "$1" "$scratch/disk/$2" "${@:3}"; }

# The tree of a case, in the guests a and b. Sets `what`.
make_case() {
  local part=${SCALE:-100} half
  case $1 in
    one-size)
      half=$((1000 * part))
      what="$((2 * half)) files of one size, none equal"
      tree one-size a "$half"
      tree one-size b "$half" "$half"
      ;;
    flat)
      what="$((5000 * part)) names in one directory"
      tree flat a $((5000 * part))
      tree flat b 1
      ;;
    empty)
      half=$((5000 * part))
      what="$((2 * half)) empty files"
      tree empty a "$half"
      tree empty b "$half"
      ;;
    sparse)
      what="a sparse file of $((part * 500)) MB, twice"
      tree sparse a $((part * 500000000))
      tree sparse b $((part * 500000000))
      ;;
    names)
      what="$((600 * part)) names of one file"
      tree names a $((600 * part))
      tree names b 1
      ;;
    *) fail "no such case: $1" ;;
  esac
}

# plan NAME: one measured run, into a fresh file
plan() {
  rm -f "$scratch/plan.json"
  measure "$1" "$unify" plan --base "$scratch/disk/.unify" -o "$scratch/plan.json" "$scratch/disk/a" "$scratch/disk/b"
}

one_case() {
  local what median kib code run links
  make_disk 6G 1200000 4096
  make_case "$1"
  sync
  plan "first-$1"
  for ((run = 1; run <= runs; run++)); do plan "$1"; done
  links=$(grep -c '^{"action":"link"' "$scratch/plan.json") || true
  read -r median _ _ kib code < <(summary "$1")
  awk -v what="$what" -v s="$median" -v kib="$kib" -v code="$code" -v links="${links:-0}" 'BEGIN {
    printf "| %s%s | %.3f | %.1f | %d |\n", what, code ? " **(exit " code ")**" : "", s, kib / 1024, links }'
  remove_disk
}

needs /usr/bin/time perl findmnt "mkfs.${FS:-ext4}"
make_scratch "$where"
find_unify
echo "| two guests with | seconds, median of $runs | peak RSS MiB | links planned |"
echo '| --- | ---: | ---: | ---: |'
for name in "${cases[@]}"; do one_case "$name"; done
footer "$dir"
echo "The trees were on ${FS:-ext4} in a file there."
