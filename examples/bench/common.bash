# What the benchmark's scripts share; sourced by them, after `set -euo pipefail`.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the scripts use these
export LC_ALL=C
bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
fail() { say "$*"; exit 1; }
have() { [ -n "$(command -v "$1" || true)" ]; }

# Ends with the usage text and 2 if no number stands where one must.
number() { [[ $1 =~ ^[1-9][0-9]*$ ]] || { usage >&2; exit 2; }; }

# The program: UNIFY, else the release build of this tree, else the one that is installed.
find_unify() {
  local target
  if [ -n "${UNIFY:-}" ]; then
    unify=$UNIFY
  else
    target=$(cargo metadata --format-version 1 --no-deps --manifest-path "$bench/../../Cargo.toml" 2> "$scratch/cargo" \
      | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p') || true
    unify=$target/release/unify
    [ -x "$unify" ] || unify=$(command -v unify) || fail "no program: cargo build --release, or set UNIFY"
  fi
  "$unify" --version > "$scratch/version" || fail "$unify does not run"
}

# A directory beneath DIR that is removed at the end, with what is mounted and flagged in it.
make_scratch() {
  mkdir -p "$1"
  dir=$(cd "$1" && pwd)
  scratch=$(mktemp -d "$dir/scratch.XXXXXX")
  mkdir "$scratch/results"
  trap remove_scratch EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

remove_scratch() {
  remove_disk
  thaw "$scratch"
  rm -rf --one-file-system "$scratch"
}

# Takes the immutable flag from the objects of all bases beneath a directory.
thaw() {
  find "$1" -xdev -path '*/.unify/objects/*' -type f -exec chattr -f -i {} + || true
}

# make_disk BYTES INODES BLOCK [OPTIONS]: a file system of its own in a file, at $scratch/disk; FS=ext4, xfs or btrfs, the
# options are for ext4
make_disk() {
  mkdir "$scratch/disk"
  truncate -s "$1" "$scratch/disk.img"
  case ${FS:-ext4} in
    ext4) mkfs.ext4 -q -b "$3" -N "$2" -m 0 "${@:4}" "$scratch/disk.img" ;;
    xfs) mkfs.xfs -q -b "size=$3" -i maxpct=90 "$scratch/disk.img" ;;
    btrfs) mkfs.btrfs -q "$scratch/disk.img" ;;
    *) fail "FS is ext4, xfs or btrfs" ;;
  esac
  # Past the cache of the file system below: else all of it would be in memory twice.
  loop=$(losetup --find --show --direct-io=on "$scratch/disk.img") || loop=$(losetup --find --show "$scratch/disk.img")
  mount "$loop" "$scratch/disk"
}

remove_disk() {
  if mountpoint -q "$scratch/disk"; then umount "$scratch/disk" || umount -l "$scratch/disk"; fi
  if [ -n "${loop:-}" ]; then losetup -d "$loop" || true; fi
  loop=''
  rm -rf --one-file-system "$scratch/disk" "$scratch/disk.img"
}

# measure NAME COMMAND...: adds the line "SECONDS KIB EXIT CPU" for one whole process and its children; CPU is the seconds
# of all processors, which tell more than time does where a machine has other work.
measure() {
  local name=$1 start end code=0
  shift
  start=${EPOCHREALTIME/./}
  /usr/bin/time -q -f '%M %U %S' -o "$scratch/rss" timeout "${LIMIT:-1800}" "$@" \
    > /dev/null 2> "$scratch/results/$name.stderr" || code=$?
  end=${EPOCHREALTIME/./}
  awk -v us=$((end - start)) -v code="$code" \
    '{ kib = $1; cpu = $2 + $3 } END { printf "%.3f %d %d %.2f\n", us / 1e6, kib, code, cpu }' "$scratch/rss" \
    >> "$scratch/results/$name"
  [ "$code" = 0 ] || say "$name ended with $code: $(tail -n 1 "$scratch/results/$name.stderr")"
}

# summary NAME: "MEDIAN MIN MAX KIB EXIT"; KIB and EXIT are the largest of all runs
summary() {
  sort -n "$scratch/results/$1" | awk '
    { at[NR] = $1; if ($2 > kib) kib = $2; if ($3 > code) code = $3 }
    END { print (at[int((NR + 1) / 2)] + at[int(NR / 2) + 1]) / 2, at[1], at[NR], kib, code + 0 }'
}

# The first thing in a text that looks like a version.
version() {
  local text
  text=$("$@" 2>&1) || true
  [[ $text =~ [0-9]+(\.[0-9]+)+ ]] && echo "${BASH_REMATCH[0]}" || echo '?'
}

# Where the numbers are from. The argument is a path on the file system that was measured.
footer() {
  local cpu memory
  cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | sort -u | paste -sd, -)
  memory=$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)
  echo
  echo "$(date -u +%Y-%m-%d), Linux $(uname -r), ${cpu:-$(uname -m)}, $(nproc) cores, $memory, $(findmnt -no FSTYPE -T "$1")," \
    "load $(cut -d' ' -f1 /proc/loadavg) at the end; unify $(version "$unify" --version)"
}

needs() {
  local tool
  [ "$(id -u)" = 0 ] || fail "needs root"
  for tool in "$@"; do have "$tool" || fail "$tool is not there: run peers.sh first"; done
}
