#!/bin/bash
# What sharing blocks gives, beside sharing inodes and beside duperemove: time, memory, bytes on the disk, and the page
# cache when every guest has read its files. Prints two Markdown tables.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

usage() {
  cat << 'END'
usage: reflinks.sh [OPTIONS] DIR        (as root, after guests.sh DIR)

Each tool gets fresh copies of the guests of DIR on a file system of its own, in a file in DIR that needs their size
again. Page cache is looked at in the first round, cold, time in all of them, warm.

  --runs N      rounds (default 3): the tools in turn, so that what else the machine does falls on all alike
  --tools LIST  which, with commas: reflink, hardlink, duperemove, duperemove-4k, which looks at files of less than
                128 KiB, too (default all; on btrfs all but hardlink, for each guest is a subvolume)
  --help

  FS=xfs|btrfs    on which (default xfs)
  UNIFY=PROGRAM   measure this one (default: the release build of this tree)
  LIMIT=SECONDS   end a run that takes longer (default 1800)
END
}

export FS=${FS:-xfs}
case $FS in
  xfs) tools=reflink,duperemove,duperemove-4k,hardlink ;;
  btrfs) tools=reflink,duperemove,duperemove-4k ;;
  *) usage >&2; exit 2 ;;
esac
runs=3 where=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit ;;
    --runs | --tools)
      [ $# -gt 1 ] || { usage >&2; exit 2; }
      if [ "$1" = --runs ]; then runs=$2; else tools=$2; fi
      shift
      ;;
    -*) usage >&2; exit 2 ;;
    *) [ -z "$where" ] || { usage >&2; exit 2; }; where=$1 ;;
  esac
  shift
done
[ -n "$where" ] || { usage >&2; exit 2; }
number "$runs"
IFS=, read -ra names <<< "$tools"
make_scratch "$where"
needs "mkfs.$FS" losetup duperemove fincore
find_unify
originals=()
for made in "$dir"/*.made; do
  [ -e "$made" ] || fail "no guests in $dir: run guests.sh $dir first"
  originals+=("${made%.made}")
done

# The bytes that the disk stores, when all is written and freed.
stored() {
  sync -f "$scratch/disk"
  sleep 0.2
  df -B1 --output=used "$scratch/disk" | tail -n 1
}

# A fresh file system with copies of all guests, in `guests`.
fresh() {
  local size one
  size=$(du -sxc --block-size=1 "${originals[@]}" | tail -n 1 | cut -f 1)
  make_disk $((size * 3 / 2 + (1 << 30))) 0 4096
  guests=()
  for one in "${originals[@]}"; do
    guests+=("$scratch/disk/${one##*/}")
    case $FS in
      xfs) mkdir "${guests[-1]}" ;;
      btrfs) btrfs -q subvolume create "${guests[-1]}" ;;
    esac
    cp -a "$one/." "${guests[-1]}"
  done
  sync -f "$scratch/disk"
}

# Runs one tool on the copies.
share() {
  case $1 in
    reflink) planned_and_applied "$1" --method reflink ;;
    hardlink) planned_and_applied "$1" --protect immutable ;;
    duperemove) measure "$1" duperemove -d -r -q "${guests[@]}" ;;
    duperemove-4k) measure "$1" duperemove -d -r -q -b 4096 "${guests[@]}" ;;
    *) fail "no such tool: $1" ;;
  esac
}

# planned_and_applied NAME OPTIONS...: each of the two commands as NAME-plan and NAME-apply, both together as NAME
planned_and_applied() {
  local plan=$scratch/plan.json results=$scratch/results
  rm -f "$plan"
  measure "$1-plan" "$unify" plan "${@:2}" --base "$scratch/disk/.unify" -o "$plan" "${guests[@]}"
  measure "$1-apply" "$unify" apply --yes "$plan"
  paste -d ' ' "$results/$1-plan" "$results/$1-apply" | tail -n 1 | awk '
    function larger(a, b) { return a > b ? a : b }
    { print $1 + $5, larger($2, $6), larger($3, $7), $4 + $8 }' >> "$results/$1"
}

# Every guest reads all its files; adds the bytes of them that are in the page cache then, those of an inode once.
read_all() {
  sync
  echo 3 > /proc/sys/vm/drop_caches
  for one in "${guests[@]}"; do find "$one" -type f -exec cat {} + > /dev/null; done
  find "${guests[@]}" -type f -printf '%D:%i %p\0' | sort -z -u -k 1,1 | sed -z 's/^[0-9:]* //' \
    | xargs -0 fincore --bytes --noheadings --output RES -- | awk '{ sum += $1 } END { printf "%.0f\n", sum }' \
    >> "$scratch/results/$1.cached"
}

# round NUMBER TOOL
round() {
  local before
  fresh
  before=$(stored)
  find "${guests[@]}" -type f -exec cat {} + > /dev/null
  if [ "$2" != none ]; then share "$2"; fi
  echo $((before - $(stored))) >> "$scratch/results/$2.back"
  stored >> "$scratch/results/$2.stored"
  if [ "$1" = 1 ]; then read_all "$2"; fi
  thaw "$scratch/disk"
  remove_disk
}

# The median of a column of numbers in a file, in a unit of which so many make one.
median() {
  awk -v column="${3:-1}" '{ print $column }' "$scratch/results/$1" | sort -n |
    awk -v unit="$2" '{ at[NR] = $1 } END { printf "%.1f", at[int((NR + 1) / 2)] / unit }'
}

title() {
  # shellcheck disable=SC2016  # these are marks of code for readers
  case $1 in
    none) echo 'nothing shared' ;;
    reflink) echo '`unify plan --method reflink`, `unify apply`' ;;
    hardlink) echo '`unify plan` (hard links), `unify apply`' ;;
    duperemove) echo "\`duperemove -d -r\` $(version duperemove --version)" ;;
    duperemove-4k) echo "\`duperemove -d -r -b 4096\` $(version duperemove --version)" ;;
    *-plan) echo '… of these, `plan`' ;;
    *-apply) echo '… of these, `apply`' ;;
  esac
}

# line NAME BACK: of the first table
line() {
  read -r middle least most kib code < <(summary "$1")
  awk -v title="$(title "$1")" -v back="$2" -v middle="$middle" -v least="$least" -v most="$most" -v kib="$kib" \
    -v code="$code" -v against="$against" -v cpu="$(median "$1" 1 4)" 'BEGIN {
      if (code) title = title " **(exit " code ")**"
      printf "| %s | %.2f | %.2f | %.2f | %.2f | %s | %.1f | %s |\n",
        title, middle, least, most, middle / against, cpu, kib / 1024, back }'
}

for ((turn = 1; turn <= runs; turn++)); do
  say "round $turn of $runs"
  for name in "${names[@]}"; do round "$turn" "$name"; done
done
round 1 none
echo "| ${#originals[@]} guests on $FS, $runs runs | median s | min | max | ratio | CPU s | peak RSS MiB | MiB back |"
echo '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |'
read -r against _ < <(summary "${names[0]}")
for name in "${names[@]}"; do
  line "$name" "$(median "$name.back" 1048576)"
  if [ -e "$scratch/results/$name-plan" ]; then
    line "$name-plan" ''
    line "$name-apply" ''
  fi
done
echo
echo "| ${#originals[@]} guests on $FS | MiB on the disk | MiB of page cache after each has read all its files |"
echo '| --- | ---: | ---: |'
for name in none "${names[@]}"; do
  echo "| $(title "$name") | $(median "$name.stored" 1048576) | $(median "$name.cached" 1048576) |"
done
footer "$dir"
