#!/bin/bash
# Installs the tools that the benchmark compares with. What cannot be had is named, and the rest goes on.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

usage() {
  cat << 'END'
usage: peers.sh [--help] DIR        (as root, on a Debian machine)

From Debian: jdupes, rdfind, rmlint, duperemove, hardlink and what the scripts need. With cargo: fclones and, for
flame graphs, inferno, into DIR/peers.

  FCLONES=VERSION   of fclones (default 0.35.0)
  INFERNO=VERSION   of inferno (default 0.12.4); empty for none
  CARGO_JOBS=N      of a build (default: all cores)
END
}

say() { printf 'peers: %s\n' "$*" >&2; }
have() { [ -n "$(command -v "$1" || true)" ]; }

# debian COMMAND PACKAGE
debian() {
  if have "$1"; then return; fi
  apt-get install -qy --no-install-recommends "$2" > "$log" 2>&1 || say "no $1: Debian's $2 cannot be installed: $(tail -n 1 "$log")"
}

# crate COMMAND CRATE VERSION
crate() {
  [ ! -x "$dir/peers/bin/$1" ] || return 0
  have cargo || { say "no $1: cargo is not there"; return; }
  cargo install "$2" --version "$3" --locked --root "$dir/peers" ${CARGO_JOBS:+-j "$CARGO_JOBS"} > "$log" 2>&1 \
    || say "no $1: cargo cannot install $2 $3: $(tail -n 1 "$log")"
}

case ${1:-} in -h | --help) usage; exit ;; esac
[ $# = 1 ] || { usage >&2; exit 2; }
[ "$(id -u)" = 0 ] || { say "needs root: packages are installed"; exit 1; }

mkdir -p "$1"
dir=$(cd "$1" && pwd)
log=$(mktemp "$dir/peers.XXXXXX")
trap 'rm -f "$log"' EXIT

apt-get update -q > "$log" 2>&1 || say "apt-get update failed: $(tail -n 1 "$log")"
for tool in jdupes rdfind rmlint duperemove; do debian "$tool" "$tool"; done
debian hardlink util-linux
# In older releases it is a package of its own.
have hardlink || debian hardlink hardlink
debian /usr/bin/time time
debian perf linux-perf
debian perl perl-base
debian mkfs.ext4 e2fsprogs
crate fclones fclones "${FCLONES:-0.35.0}"
[ -z "${INFERNO-0.12.4}" ] || crate inferno-flamegraph inferno "${INFERNO:-0.12.4}"
