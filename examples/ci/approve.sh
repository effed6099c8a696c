#!/bin/bash
# Plan in CI, approve the digest in a merge request, apply on the host: the three steps of it.
#
#   usage: approve.sh plan GUEST...     in CI: writes plan.json.zst and says, in markdown, what it is about
#          approve.sh check GUEST...    in CI, for a merge request: is what is approved still what would be decided?
#          approve.sh apply GUEST...    on a host: plans there, and applies if it is what was approved
#
# GUEST is [NAME=]PATH. The file that is approved is APPROVED (default: unify.approved): one line, the decision digest.
# It is committed, so that whoever approves the merge request approves the digest. Equal guests with equal names have one
# decision digest wherever they are: one approval serves all hosts. PLAN_OPTIONS may hold options for `unify plan`.
# Needs jq and unify; `apply` needs root.
set -euo pipefail
usage() { sed -n '4,6s/^# *//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
step=$1
shift
approved=${APPROVED:-unify.approved}
plan=${PLAN:-plan.json.zst}
read -r -a options <<< "${PLAN_OPTIONS:-}"

digest() { unify show --json "$1" | jq -r .decision; }

# An audit needs no base, no root and no common file system: guests in CI are unpacked anywhere.
audit() {
  local status=0
  rm -f "$plan"
  unify plan -q --audit "${options[@]}" -o "$plan" "$@" || status=$?
  [ "$status" = 0 ] || { echo "not everything could be read, so nothing can be approved (exit $status)" >&2; exit "$status"; }
}

case $step in
  plan)
    audit "$@"
    unify show --format markdown "$plan"
    # shellcheck disable=SC2016 # backquotes of markdown
    printf '\nTo approve it, commit this line as `%s`:\n\n    %s\n' "$approved" "$(digest "$plan")"
    ;;
  check)
    audit "$@"
    now=$(digest "$plan")
    if [ "$now" != "$(cat "$approved")" ]; then
      echo "FAIL: $approved is $(cat "$approved"), and now $now would be decided"
      exit 1
    fi
    echo "$approved is what would be decided"
    ;;
  apply)
    here=$(mktemp -d)
    trap 'rm -rf "$here"' EXIT
    status=0
    unify plan -q "${options[@]}" -o "$here/plan.json" "$@" || status=$?
    [ "$status" = 0 ] || { echo "not everything could be read (exit $status)" >&2; exit "$status"; }
    unify apply --yes --approved "$(cat "$approved")" "$here/plan.json"
    ;;
  *) usage ;;
esac
