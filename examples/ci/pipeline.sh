#!/bin/bash
# A whole pipeline without any service around it: unpacked images in, a verdict out. Changes no image.
#
#   usage: pipeline.sh OUT [NAME=]PATH...
#
# Three stages, each of which can be a job of its own: what the images are like (check-guests.sh, whose BUDGET is taken
# from the environment), what has changed since the last run (its plan is kept in OUT), and what could be approved
# (approve.sh). Where APPROVED names a file, that must be what would be decided.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: pipeline.sh OUT [NAME=]PATH..." >&2; exit 2; }
out=$1
shift
here=$(dirname "$0")
mkdir -p "$out"
failed=0

echo "== the images"
"$here/check-guests.sh" "$@" || failed=1

echo "== since the last run"
PLAN=$out/plan.new.json.zst "$here/approve.sh" plan "$@" > "$out/summary.md"
if [ -e "$out/plan.json.zst" ]; then
  unify diff "$out/plan.json.zst" "$out/plan.new.json.zst"
else
  echo "this is the first run"
fi
mv "$out/plan.new.json.zst" "$out/plan.json.zst"

echo "== the approval"
if [ -n "${APPROVED:-}" ]; then
  PLAN=$out/check.json.zst "$here/approve.sh" check "$@" || failed=1
  rm -f "$out/check.json.zst"
else
  tail -n 1 "$out/summary.md"
fi
exit "$failed"
