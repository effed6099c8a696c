#!/bin/bash
# kernels.sh DIR PACKAGE... : unpacks Debian's kernels of these packages into DIR/PACKAGE, from the sources that apt has.
# Without packages: the one that linux-image-cloud-amd64 stands for here. Installs nothing. What is there stays.
set -euo pipefail
dir=$1
shift
mkdir -p "$dir"
cd "$dir"
if [ $# = 0 ]; then
  # The package that the other one depends on, and whatever holds its modules.
  mapfile -t packages < <(apt-cache depends --recurse --no-suggests --no-recommends --no-conflicts --no-breaks \
    --no-replaces --no-enhances linux-image-cloud-amd64 | grep -oE '^ *linux-(image|binary|modules)-[0-9][^ ]*' | tr -d ' ' | sort -u)
  set -- "${packages[@]}"
fi
for package; do
  if [ -d "$package" ]; then continue; fi
  apt-get download -q "$package" >&2
  dpkg-deb -x "$package"_*.deb "$package.part"
  rm -f "$package"_*.deb
  mv "$package.part" "$package"
done
echo "$@"
