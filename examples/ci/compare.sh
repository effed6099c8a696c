#!/bin/bash
# What a new build of a guest changes, against the one before it: for a log, a summary or a merge request.
#
#   usage: compare.sh OLD NEW
#
# OLD and NEW are roots of guests. It says what `unify diff` says, and fails where a program has other rights than before
# (set user or group id, capabilities), or where something could not be compared. Needs jq, unify, and root for files
# that others may not read. Where GITHUB_STEP_SUMMARY is set, the sums go there, too.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: compare.sh OLD NEW" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

status=0
unify diff --json "old=$1" "new=$2" > "$work/diff.json" || status=$?
case $status in
  0 | 3) ;;
  *) exit "$status" ;;
esac
unify diff "old=$1" "new=$2" > "$work/diff.txt" || [ $? = 3 ]
cat "$work/diff.txt"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  # shellcheck disable=SC2016 # backquotes of markdown
  printf '```text\n%s\n```\n' "$(sed 's/```/` ` `/g' "$work/diff.txt")" >> "$GITHUB_STEP_SUMMARY"
fi
failed=0
if [ "$status" = 3 ]; then
  echo "FAIL: not everything could be compared"
  failed=3
fi
rights=$(jq -r '[.changes[] | select(.privileged_differs) | .path] | join(" ")' "$work/diff.json")
if [ -n "$rights" ]; then
  echo "FAIL: other rights than before: $(jq -n --arg names "$rights" '$names' | cut -c1-500)"
  failed=1
fi
exit "$failed"
