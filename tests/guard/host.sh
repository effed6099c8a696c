# What service.sh, load.sh and programs.sh begin with: their words are PROGRAM VMLINUZ MODULES [SCRATCH], and `work` is a
# directory that goes with them.
# shellcheck shell=bash
set -euo pipefail
export LC_ALL=C
program=$1 kernel=$2 modules=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "/var/tmp/unify-$(basename "$0" .sh).XXXXXX")
scratch=${4:-$work}
mkdir -p "$scratch"
# What is mounted there, or is to be.
mounts=()
cleared() {
  local mount
  for mount in "${mounts[@]}"; do umount -q "$mount" || true; done
  rm -rf --one-file-system "$work"
}
trap cleared EXIT

# debian NAME VARIANT PACKAGES [OPTION...] : makes NAME.tar in `scratch`, unless it is there. What is in its documents and
# translations is no business of ours.
debian() {
  local path paths=()
  if [ -e "$scratch/$1.tar" ]; then return; fi
  for path in man doc locale; do paths+=("--dpkgopt=path-exclude=/usr/share/$path/*"); done
  mmdebstrap --quiet --variant="$2" --include="$3" --aptopt='Apt::Install-Recommends "false"' "${@:4}" \
    "${paths[@]}" --dpkgopt='path-exclude=/usr/lib/locale/*' \
    "$(sed -n "s/^VERSION_CODENAME=//p" /etc/os-release)" "$scratch/$1.part.tar" >&2
  mv "$scratch/$1.part.tar" "$scratch/$1.tar"
}

# boot SCRIPT : what it says is in `work/said`, and its notes are said here.
boot() {
  "$here/boot.sh" "$program" "$here/$1" "$kernel" "$modules" > "$work/said" || {
    tail -n 60 "$work/said" >&2
    exit 1
  }
  sed -n 's/^note: //p' "$work/said"
}
