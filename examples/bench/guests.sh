#!/bin/bash
# Makes the ten Debian guests that the benchmark measures. Each is what an installation would be: together about
# 94,000 files, 118,000 names, 3.1 GB. A guest that is there already is kept.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

usage() {
  cat << 'END'
usage: guests.sh [--help] DIR        (as root, on a Debian machine)

Makes DIR/NAME for each of ten guests, and the marker DIR/NAME.made once it is complete.

  JOBS=N        how many are made at a time (default 2)
  MIRROR=URL    the Debian archive (default: the one that this machine's apt uses)
  TRIES=N       how often a guest is tried, for mirrors fail (default 2)
  LIMIT=SECONDS for one try (default 1200)
END
}

# NAME SUITE PACKAGE...
guests() {
  cat << 'END'
plain       bookworm
web-python  bookworm nginx openssh-server python3
web-php     bookworm nginx openssh-server php-fpm
database    bookworm postgresql openssh-server
django      bookworm python3-django openssh-server
node        bookworm nodejs openssh-server
builder     bookworm build-essential git
web-new     trixie   nginx python3
db-new      trixie   openssh-server postgresql
web-old     bullseye openssh-server nginx
END
}

say() { printf 'guests: %s\n' "$*" >&2; }

# The archive that apt installs from.
mirror() {
  # shellcheck disable=SC2016  # the dollars are apt's
  apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | awk '$2 == "main" && !seen++ { print $1 }'
}

# make NAME SUITE PACKAGE...: complete, or not there
make() {
  local name=$1 suite=$2 part=$dir/$1.part include=() try
  shift 2
  [ $# = 0 ] || include=("--include=$(IFS=, && echo "$*")")
  for ((try = 1; try <= ${TRIES:-2}; try++)); do
    rm -rf --one-file-system "$part"
    if timeout "${LIMIT:-1200}" mmdebstrap --quiet --mode=root --variant=minbase --dpkgopt=force-unsafe-io \
      "${include[@]}" "$suite" "$part" "$archive" > "$dir/$name.log" 2>&1; then
      mv -T "$part" "$dir/$name"
      echo "$suite $*" > "$dir/$name.made"
      say "$name is made"
      return
    fi
    say "$name: try $try failed, see $dir/$name.log"
  done
  rm -rf --one-file-system "$part"
}

case ${1:-} in -h | --help) usage; exit ;; esac
[ $# = 1 ] || { usage >&2; exit 2; }
[ "$(id -u)" = 0 ] || { say "needs root: the guests have files of many owners"; exit 1; }

mkdir -p "$1"
dir=$(cd "$1" && pwd)
if [ -z "$(command -v mmdebstrap || true)" ]; then
  apt-get update -q >&2
  apt-get install -qy --no-install-recommends mmdebstrap >&2
fi
archive=${MIRROR:-$(mirror)}
[ -n "$archive" ] || { say "no Debian archive is configured for apt: set MIRROR"; exit 1; }

while read -r name suite packages; do
  [ ! -f "$dir/$name.made" ] || continue
  [ ! -e "$dir/$name" ] || { say "$dir/$name is not from here: remove it first"; exit 1; }
  while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-2}" ]; do wait -n || true; done
  # shellcheck disable=SC2086  # packages are words
  make "$name" "$suite" $packages < /dev/null &
done < <(guests)
wait

missing=()
while read -r name _; do [ -f "$dir/$name.made" ] || missing+=("$name"); done < <(guests)
[ ${#missing[@]} = 0 ] || { say "not made: ${missing[*]}"; exit 1; }
