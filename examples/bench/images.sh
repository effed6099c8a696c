#!/bin/bash
# How long `unify plan` and `unify check` read an image of about a gigabyte, and in how much memory, beside unpacking it.
# Prints a Markdown table.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

usage() {
  cat << 'END'
usage: images.sh [OPTIONS] DIR TAR...

  --runs N       runs of each, after one that is not counted (default 3)
  --help

TAR are archives of roots, as examples/make-guest.sh makes them. They are put side by side in one image until it has a
gigabyte, and packed by zstd. Beside reading it stands what nobody can do without who wants to look at its files:
`zstd -dc | tar -x`.

  UNIFY=PROGRAM   measure this one (default: the release build of this tree)
  LIMIT=SECONDS   end a run that takes longer (default 1800)
END
}

runs=3 where='' tars=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit ;;
    --runs)
      [ $# -gt 1 ] || { usage >&2; exit 2; }
      runs=$2
      shift
      ;;
    -*) usage >&2; exit 2 ;;
    *) if [ -z "$where" ]; then where=$1; else tars+=("$(realpath "$1")"); fi ;;
  esac
  shift
done
[ "${#tars[@]}" -gt 0 ] || { usage >&2; exit 2; }
number "$runs"
make_scratch "$where"
find_unify

mkdir "$scratch/root"
n=0
while [ "$(du -s --apparent-size -B1M "$scratch/root" | cut -f1)" -lt 1000 ]; do
  for tar in "${tars[@]}"; do
    n=$((n + 1))
    # The first is the system; the others are what it has besides.
    place=$scratch/root
    [ "$n" = 1 ] || place=$scratch/root/srv/$n
    mkdir -p "$place"
    tar -C "$place" --numeric-owner -xf "$tar"
  done
done
tar -C "$scratch/root" --format=posix --sort=name --numeric-owner -cf "$scratch/image.tar" .
zstd -q -3 "$scratch/image.tar"
bytes=$(stat -c %s "$scratch/image.tar")
rm -rf --one-file-system "$scratch/root" "$scratch/image.tar"

cat > "$scratch/unpack" << 'END'
#!/bin/bash
set -euo pipefail
rm -rf --one-file-system "$2"
mkdir "$2"
zstd -dc "$1" | tar -C "$2" --numeric-owner -xf -
END
# What is found is no matter here, so the check ends with any code of its own.
cat > "$scratch/check" << 'END'
#!/bin/bash
"$1" check --json "$2" > "$3" || [ $? = 11 ] || [ $? = 3 ]
END
chmod +x "$scratch/unpack" "$scratch/check"

image=$scratch/image.tar.zst
for run in $(seq 0 "$runs"); do
  [ "$run" -gt 0 ] || first=first-
  measure "${first:-}unpack" "$scratch/unpack" "$image" "$scratch/unpacked"
  measure "${first:-}plan" "$unify" plan --audit -o "$scratch/plan.json" "$image"
  measure "${first:-}check" "$scratch/check" "$unify" "$image" "$scratch/answer.json"
  first=''
done
rm -rf --one-file-system "$scratch/unpacked"

read -r base _ < <(summary unpack)
printf '%d MB as tar.zst of %d MB, %d runs\n\n' "$((bytes / 1000000))" "$(($(stat -c %s "$image") / 1000000))" "$runs"
printf '| | seconds | of unpacking | MiB |\n| --- | ---: | ---: | ---: |\n'
for name in unpack plan check; do
  read -r seconds _ _ kib code < <(summary "$name")
  awk -v name="$name" -v s="$seconds" -v base="$base" -v kib="$kib" -v code="$code" 'BEGIN {
    printf "| %s%s | %.2f | %.0f %% | %.0f |\n", name, code ? " **(exit " code ")**" : "", s, 100 * s / base, kib / 1024 }'
done
