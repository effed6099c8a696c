#!/bin/bash
# Prints what the house measures, room by room, as a table in Markdown.
#
#   usage: tests/house.sh [DIR]
#
# DIR is the checkout that is measured, maybe an older one: this one, if none is given. Nothing is written there.
set -euo pipefail
export LC_ALL=C
case ${1-} in
  -h | --help) echo "usage: tests/house.sh [DIR]"; exit 0 ;;
esac
UNIFY_HOUSE=$(cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}" && pwd)
export UNIFY_HOUSE
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# --features faults: the build that the other tests use
cargo test --quiet --features faults --test it the_house_in_numbers -- --ignored --nocapture | grep '^|'
