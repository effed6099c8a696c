#!/bin/bash
# Makes one real Debian guest as a tar archive.
#
#   usage: make-guest.sh OUT.tar PACKAGE...      env: SUITE=bookworm  OFFLINE=1
#
# With mmdebstrap and a mirror it is what an installation would be. Without either (or with OFFLINE=1)
# it is made by this machine's dpkg from this machine's own installed packages: the same files and the
# same kind of database, but no maintainer script has run. What was done stands in OUT.tar.how.
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

[ $# -ge 1 ] || { echo "usage: make-guest.sh OUT.tar PACKAGE..." >&2; exit 2; }
out=$1
shift
packages=("$@")
suite=${SUITE:-bookworm}
work=$(mktemp -d "${out%/*}/make-guest.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

# What is installed in every guest that is made offline.
offline_base=(bash coreutils dash dpkg findutils grep gzip login passwd sed tar)

# The archive that this machine installs from: the one that has the suite, else the first with `main`.
mirror() {
  local targets
  # shellcheck disable=SC2016  # the dollars are apt's
  targets=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null) || return 1
  awk -v suite="$suite" '
    $3 == "main" && $2 == suite { print $1; found = 1; exit }
    $3 == "main" && !first { first = $1 }
    END { if (!found && first) print first }' <<< "$targets"
}

online() {
  local from list
  command -v mmdebstrap > "$work/where" || { echo "mmdebstrap is not installed" >&2; return 1; }
  from=$(mirror) || true
  [ -n "$from" ] || { echo "no Debian archive is configured for apt" >&2; return 1; }
  list=$(IFS=,; echo "${packages[*]}")
  timeout 600 mmdebstrap --quiet --mode=root --variant=minbase --include="$list" \
    --dpkgopt=force-unsafe-io "$suite" "$work/guest.tar" "$from" >&2
}

# Packs an installed package again, from its files on this machine. False if it is not installed.
repack() {
  local package=$1 stage=$work/stage/$1 path
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || return 1
  mkdir -p "$stage/DEBIAN"
  dpkg-query -W -f 'Package: ${Package}\nVersion: ${Version}\nArchitecture: ${Architecture}\nMaintainer: ${Maintainer}\nDescription: ${binary:Summary}\n' \
    "$package" > "$stage/DEBIAN/control"
  while IFS= read -r path; do
    # A directory that is a link here, such as /bin, is a directory to the package.
    if [ -d "$path" ] || [ ! -e "$path" ]; then continue; fi
    mkdir -p "$stage${path%/*}"
    cp -a "$path" "$stage$path"
  done < <(dpkg-query -L "$package" | sed -n 's,^/,/,p')
  # A config file of the package that is still there and a regular file.
  dpkg-query -W -f '${Conffiles}\n' "$package" | sed -n 's/^ \(\/.*\) [0-9a-f]\{32\}.*$/\1/p' \
    | while IFS= read -r path; do
        if [ -f "$stage$path" ] && [ ! -L "$stage$path" ]; then echo "$path"; fi
      done > "$stage/DEBIAN/conffiles"
  dpkg-deb --root-owner-group -Znone -b "$stage" "$work/debs/$package.deb" > "$work/log"
}

offline() {
  local guest=$work/guest package dir
  mkdir -p "$work/debs" "$guest"/{etc,tmp,root,proc,sys,dev,run} "$guest"/var/lib/dpkg/{info,updates,triggers} "$guest/var/log"
  for dir in bin sbin lib lib64; do mkdir -p "$guest/usr/$dir"; ln -s "usr/$dir" "$guest/$dir"; done
  : > "$guest/var/lib/dpkg/status"
  : > "$guest/var/lib/dpkg/available"
  for package in "${offline_base[@]}" "${packages[@]}"; do
    repack "$package" || echo "make-guest: $package is not installed here, left out" >&2
  done
  dpkg --root="$guest" --log=/dev/null --force-not-root --force-bad-path --force-depends --force-unsafe-io \
    --force-overwrite -i "$work"/debs/*.deb > "$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
  printf 'ID=debian\nPRETTY_NAME="made by dpkg, offline"\n' > "$guest/usr/lib/os-release"
  tar --create --file="$work/guest.tar" --directory="$guest" --numeric-owner --xattrs --xattrs-include='*' .
}

how=mmdebstrap
if [ "${OFFLINE:-}" = 1 ] || ! online; then
  how=dpkg
  echo "make-guest: NO mmdebstrap or no mirror: ${out##*/} is made from this machine's own packages by dpkg" >&2
  offline
fi
echo "$how" > "$out.how"
mv "$work/guest.tar" "$out"
