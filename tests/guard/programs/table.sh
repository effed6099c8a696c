#!/bin/bash
# table.sh : the table of README.md. Each case of the lists, that programs.sh runs, is in it, and how it ends.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
echo "| | Debian | Alpine |"
echo "| --- | --- | --- |"
awk -F'\t' '
  { guest = FILENAME ~ /^debian/ ? "Debian" : "Alpine" }
  /^## / { part = substr($0, 4); if (!seen[part]++) parts[++count] = part; next }
  /^#/ { next }
  {
    name = "`" $1 "`" ($2 == "twice" ? " **fails once**" : "")
    cell[guest, part] = cell[guest, part] (cell[guest, part] == "" ? "" : ", ") name
  }
  END {
    for (at = 1; at <= count; at++) print "| " parts[at] " | " cell["Debian", parts[at]] " | " cell["Alpine", parts[at]] " |"
  }
' {debian,alpine}/{cases,whole}
