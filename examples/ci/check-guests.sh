#!/bin/bash
# A CI job: fails where guests, or unpacked images, are not as they should be. Changes nothing.
#
#   usage: BUDGET=BYTES check-guests.sh [NAME=]PATH...
#
# It fails where two guests have a key or an identity in common, where a config file would be linked, and where more than
# BUDGET bytes are in no other guest. Needs root, jq and unify.
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: BUDGET=BYTES check-guests.sh [NAME=]PATH..." >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAIL: $*"; failed=1; }

status=0
unify plan --json -o "$work/plan.json" "$@" > "$work/report.json" 2> "$work/log" || status=$?
case $status in
  0) ;;
  3) fail "not everything could be read:"; cat "$work/log" ;;
  *) cat "$work/log" >&2; exit "$status" ;;
esac

secrets=$(jq -r '.same_secrets[].files | join(" = ")' "$work/report.json")
[ -z "$secrets" ] || fail "guests have secrets in common: $secrets"

config=$(jq -r '.actions[] | select(.action == "link" and (.path | startswith("/etc/"))) | .guest + ":" + .path' "$work/plan.json")
[ -z "$config" ] || fail "config files would be linked: $config"

unique=$(jq '.summary.skipped.unique.bytes // 0' "$work/plan.json")
[ "$unique" -le "${BUDGET:-$unique}" ] || fail "$unique bytes are in no other guest, $BUDGET were allowed"

echo "would come back by sharing: $(jq '.totals.saves' "$work/report.json") bytes"
exit "$failed"
