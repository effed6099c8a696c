#!/bin/bash
# What a package set makes of a guest, while mmdebstrap builds it: compares the new root with the one before it.
#
#   GOLDEN=/srv/images/web mmdebstrap --variant=minbase \
#     --customize-hook='examples/ci/mmdebstrap-hook.sh "$1"' trixie /srv/images/web.new
#
# The build fails where compare.sh does. Without GOLDEN, or where it is not there yet, nothing is compared.
set -euo pipefail
[ $# -eq 1 ] || { echo "mmdebstrap calls a customize hook with the root of the new guest" >&2; exit 2; }
if [ ! -d "${GOLDEN:-}" ]; then
  echo "there is nothing to compare with yet"
  exit 0
fi
exec "$(dirname "$0")/compare.sh" "$GOLDEN" "$1"
