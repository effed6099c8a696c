#!/bin/bash
# What sharing blocks gives on XFS, beside sharing inodes and beside duperemove: time, memory, bytes on the disk, and the
# page cache when every guest has read its files. Prints two Markdown tables.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

usage() {
  cat << 'END'
usage: reflinks.sh [OPTIONS] DIR        (as root, after guests.sh DIR)

Each tool gets fresh copies of the guests of DIR on an XFS of its own, in a file in DIR that needs their size again.

  --runs N      rounds (default 3): the tools in turn, so that what else the machine does falls on all alike
  --tools LIST  which, with commas (default reflink,duperemove,hardlink)
  --help

  UNIFY=PROGRAM   measure this one (default: the release build of this tree)
  LIMIT=SECONDS   end a run that takes longer (default 1800)
END
}

runs=3 tools=reflink,duperemove,hardlink where=''
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
needs mkfs.xfs losetup duperemove
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

cached() { awk '/^Cached:/ { print $2 }' /proc/meminfo; }

# A fresh XFS with copies of all guests, in `guests`.
fresh() {
  local size
  size=$(du -sxc --block-size=1 "${originals[@]}" | tail -n 1 | cut -f 1)
  FS=xfs make_disk $((size * 3 / 2 + (1 << 30))) 0 4096
  cp -a "${originals[@]}" "$scratch/disk"
  guests=()
  local one
  for one in "${originals[@]}"; do guests+=("$scratch/disk/${one##*/}"); done
  sync -f "$scratch/disk"
}

# Runs one tool on the copies.
share() {
  local plan=$scratch/plan.json base=$scratch/disk/.unify
  rm -f "$plan"
  # shellcheck disable=SC2016  # the inner shell's
  case $1 in
    reflink) measure "$1" bash -c '"$1" plan --method reflink --base "$2" -o "$3" "${@:4}" && "$1" apply --yes "$3"' - \
      "$unify" "$base" "$plan" "${guests[@]}" ;;
    hardlink) measure "$1" bash -c '"$1" plan --protect immutable --base "$2" -o "$3" "${@:4}" && "$1" apply --yes "$3"' - \
      "$unify" "$base" "$plan" "${guests[@]}" ;;
    duperemove) measure "$1" duperemove -d -r -q "${guests[@]}" ;;
    *) fail "no such tool: $1" ;;
  esac
}

# Every guest reads all its files; adds by how many KiB the page cache grows.
read_all() {
  local before
  sync
  echo 3 > /proc/sys/vm/drop_caches
  before=$(cached)
  for one in "${guests[@]}"; do find "$one" -type f -exec cat {} + > /dev/null; done
  echo $(($(cached) - before)) >> "$scratch/results/$1.cached"
}

round() {
  local before
  fresh
  before=$(stored)
  find "${guests[@]}" -type f -exec cat {} + > /dev/null
  if [ "$1" != none ]; then share "$1"; fi
  echo $((before - $(stored))) >> "$scratch/results/$1.back"
  stored >> "$scratch/results/$1.stored"
  read_all "$1"
  thaw "$scratch/disk"
  remove_disk
}

# The median of a file of numbers, in MiB; the second is how many of them make one.
median() { sort -n "$scratch/results/$1" | awk -v unit="$2" '{ at[NR] = $1 } END { printf "%.1f", at[int((NR + 1) / 2)] / unit }'; }

title() {
  # shellcheck disable=SC2016  # these are marks of code for readers
  case $1 in
    none) echo 'nothing shared' ;;
    reflink) echo '`unify plan --method reflink`, `unify apply`' ;;
    hardlink) echo '`unify plan` (hard links), `unify apply`' ;;
    duperemove) echo "\`duperemove -d -r\` $(version duperemove --version)" ;;
  esac
}

for ((turn = 1; turn <= runs; turn++)); do
  say "round $turn of $runs"
  for name in "${names[@]}"; do round "$name"; done
done
round none
echo "| ${#originals[@]} guests on XFS, $runs runs | median s | min | max | ratio | peak RSS MiB | MiB back |"
echo '| --- | ---: | ---: | ---: | ---: | ---: | ---: |'
read -r against _ < <(summary "${names[0]}")
for name in "${names[@]}"; do
  read -r middle least most kib code < <(summary "$name")
  awk -v title="$(title "$name")" -v back="$(median "$name.back" 1048576)" -v middle="$middle" -v least="$least" \
    -v most="$most" -v kib="$kib" -v code="$code" -v against="$against" 'BEGIN {
      if (code) title = title " **(exit " code ")**"
      printf "| %s | %.2f | %.2f | %.2f | %.2f | %.1f | %s |\n", title, middle, least, most, middle / against, kib / 1024, back }'
done
echo
echo "| ${#originals[@]} guests on XFS | MiB on the disk | MiB of page cache after each has read all its files |"
echo '| --- | ---: | ---: |'
for name in none "${names[@]}"; do
  echo "| $(title "$name") | $(median "$name.stored" 1048576) | $(median "$name.cached" 1024) |"
done
footer "$dir"
