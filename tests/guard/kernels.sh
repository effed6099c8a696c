#!/bin/bash
# kernels.sh DIR [SUITE...] : unpacks into DIR what linux-image-cloud-amd64 stands for: in the sources that apt has, or
# in each of these suites of Debian. Installs nothing, and keeps what is there.
set -euo pipefail
mkdir -p "$1"
dir=$(cd "$1" && pwd)
shift
cd "$dir"

options=()

# depends PACKAGE : the kernel's packages that it needs
depends() {
  apt-cache "${options[@]}" depends "$1" |
    sed -nE 's/^ +(Pre)?Depends: (linux-(image|binary|modules)-[0-9][^ ]*)$/\2/p'
}

# The package that the other one depends on, and those that hold its modules and its image.
unpack() {
  local package image
  image=$(depends linux-image-cloud-amd64)
  for package in $image $(depends "$image"); do
    if [ -d "$package" ]; then continue; fi
    apt-get -q "${options[@]}" download "$package" >&2
    dpkg-deb -x "${package}"_*.deb "$package.part"
    rm -f "${package}"_*.deb
    mv "$package.part" "$package"
    echo "$package"
  done
}

if [ $# = 0 ]; then
  unpack
fi
for suite; do
  own=$dir/.apt-$suite
  mkdir -p "$own"/{lists/partial,cache/archives/partial}
  touch "$own/status"
  archive=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/debian.sources)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main" > "$own/sources.list"
  options=(-o "Dir::State=$own" -o "Dir::State::Lists=$own/lists" -o "Dir::State::Status=$own/status"
    -o "Dir::Cache=$own/cache" -o "Dir::Etc::SourceList=$own/sources.list" -o "Dir::Etc::SourceParts=/dev/null")
  apt-get -q "${options[@]}" update >&2
  unpack
done
