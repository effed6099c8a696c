#!/bin/bash
# Measures `unify plan` and public duplicate finders on the guests of guests.sh, in one session: whole processes, in
# interleaved rounds, so that what else the machine does falls on all alike. Prints Markdown tables.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

usage() {
  cat << 'END'
usage: run.sh [OPTIONS] DIR        (as root, after guests.sh DIR and peers.sh DIR)

Only finds, changes nothing. All guests are given to each tool, and all files are read into the page cache before each run.

  --runs N      rounds (default 5)
  --tools LIST  which, with commas (default: all that are there; see the first column)
  --cold        drop the machine's caches before each run
  --apply       also link: each tool on fresh copies of the guests (needs their size again in DIR)
  --flame       also draw DIR/unify-plan.svg, the flame graph of `unify plan`
  --help

  UNIFY=PROGRAM   measure this one (default: the release build of this tree)
  LIMIT=SECONDS   end a run that takes longer (default 1800)
END
}

runs=5 cold='' apply='' flame='' where=''
tools=unify,find,fclones,jdupes,rdfind,hardlink,rmlint,duperemove
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit ;;
    --runs | --tools)
      [ $# -gt 1 ] || { usage >&2; exit 2; }
      if [ "$1" = --runs ]; then runs=$2; else tools=$2; fi
      shift
      ;;
    --cold) cold=1 ;;
    --apply) apply=1 ;;
    --flame) flame=1 ;;
    -*) usage >&2; exit 2 ;;
    *) [ -z "$where" ] || { usage >&2; exit 2; }; where=$1 ;;
  esac
  shift
done
[ -n "$where" ] || { usage >&2; exit 2; }
number "$runs"

# The program behind a row.
program() {
  case $1 in
    unify*) echo "$unify" ;;
    find*) echo find ;;
    fclones) if [ -x "$dir/peers/bin/fclones" ]; then echo "$dir/peers/bin/fclones"; else echo fclones; fi ;;
    *) echo "$1" ;;
  esac
}

# Sets `line` to a command that only finds duplicates in the guests.
finder() {
  local tool
  tool=$(program "$1")
  case $1 in
    unify | unify-after | unify-again) line=("$tool" plan --base "$base" -o "$scratch/plan.json" "${guests[@]}") ;;
    find | find-after) line=("$tool" "${guests[@]}" -printf '%s %i\n') ;;
    fclones) line=("$tool" group "${guests[@]}") ;;
    jdupes) line=("$tool" -r -q -m "${guests[@]}") ;;
    rdfind) line=("$tool" -dryrun true -makeresultsfile false "${guests[@]}") ;;
    hardlink) line=("$tool" -n -X "${guests[@]}") ;;
    rmlint) line=("$tool" -T df -o summary:stdout "${guests[@]}") ;;
    duperemove) line=("$tool" -r -q "${guests[@]}") ;;
    *) fail "no such tool: $1" ;;
  esac
}

# How a row is shown. The backticks are Markdown's.
# shellcheck disable=SC2016
title() {
  case $1 in
    unify) echo '`unify plan`' ;;
    unify-after) echo '`unify plan`, after `apply`' ;;
    unify-again) echo '`unify plan`, once more' ;;
    unify-link) echo '`unify plan`, `unify apply --yes`' ;;
    unify-apply) echo 'of this, `unify apply --yes`' ;;
    find | find-after) echo '`find -printf` (only looks)' ;;
    fclones) echo '`fclones group`' ;;
    fclones-link) echo '`fclones group`, `fclones link`' ;;
    jdupes) echo '`jdupes -r -q -m`' ;;
    rdfind) echo '`rdfind -dryrun true`' ;;
    hardlink) echo '`hardlink -n -X`' ;;
    hardlink-link) echo '`hardlink -X`' ;;
    rmlint) echo '`rmlint -T df`' ;;
    duperemove) echo "\`duperemove -r\` (without \`-d\`; looks only at files of 128 KiB and more)" ;;
  esac
}

# row NAME AGAINST [MORE]: a row of the table, with the ratio of its median to that of AGAINST
row() {
  local name=$1 against median min max kib code
  [ -s "$scratch/results/$name" ] || return 0
  read -r against _ < <(summary "$2")
  read -r median min max kib code < <(summary "$name")
  awk -v title="$(title "$name")" -v version="$(version "$(program "${name%-link}")" --version)" -v more="${3:-}" \
    -v median="$median" -v min="$min" -v max="$max" -v kib="$kib" -v against="$against" -v code="$code" 'BEGIN {
      if (code) title = title " **(exit " code ")**"
      printf "| %s | %s | %.3f | %.3f | %.3f | %.2f | %.1f |%s\n", title, version, median, min, max, median / against, kib / 1024, more }'
}

# Reads every file once, so that it is in the page cache. A machine may take back in seconds what nobody uses.
warm() { find "$@" -type f -exec cat {} + > /dev/null; }

drop_caches() {
  sync
  echo 3 > /proc/sys/vm/drop_caches
}

find_only() {
  local round name present=() state=warm
  for name in "${names[@]}"; do
    if have "$(program "$name")"; then present+=("$name"); else say "$name is not there, left out"; fi
  done
  for ((round = 1; round <= runs; round++)); do
    say "finding, round $round of $runs"
    for name in "${present[@]}"; do
      rm -f "$scratch/plan.json"
      finder "$name"
      if [ -n "$cold" ]; then drop_caches; else warm "${guests[@]}"; fi
      measure "$name" "${line[@]}"
    done
  done
  [ -z "$cold" ] || state=cold
  echo
  echo "| finds, $state, $runs runs | version | median s | min | max | ratio | peak RSS MiB |"
  echo '| --- | --- | ---: | ---: | ---: | ---: | ---: |'
  for name in "${present[@]}"; do row "$name" "${present[0]}"; done
}

# Fresh copies of the guests, with blocks of their own, in $scratch/copy.
fresh_copy() {
  mkdir "$scratch/copy"
  cp -a --reflink=never "${guests[@]}" "$scratch/copy"
  copies=()
  local guest
  for guest in "${guests[@]}"; do copies+=("$scratch/copy/${guest##*/}"); done
  inodes | sort > "$scratch/before"
  sync
  if [ -n "$cold" ]; then drop_caches; else warm "${copies[@]}"; fi
}

inodes() { find "${copies[@]}" -type f -printf '%i %p\n'; }

# Adds to the file NAME.linked how many names have another inode than in the fresh copy, and removes the copy.
end_copy() {
  inodes | sort | comm -13 "$scratch/before" - | wc -l >> "$scratch/results/$1.linked"
  thaw "$scratch/copy"
  rm -rf --one-file-system "$scratch/copy"
}

link_unify() {
  local base=$scratch/copy/.unify plan apply
  fresh_copy
  # Only now: what is local here is so in what is called from here, too.
  local guests=("${copies[@]}")
  rm -f "$scratch/plan.json"
  finder unify
  measure unify-link-plan "${line[@]}"
  measure unify-apply "$unify" apply --yes "$scratch/plan.json"
  plan=$(tail -n 1 "$scratch/results/unify-link-plan")
  apply=$(tail -n 1 "$scratch/results/unify-apply")
  awk '{ s += $1; if ($2 > kib) kib = $2; if ($3 > code) code = $3 } END { printf "%.3f %d %d\n", s, kib, code }' \
    <<< "$plan"$'\n'"$apply" >> "$scratch/results/unify-link"
  rm -f "$scratch/plan.json"
  local again
  # The first of these reads what apply left, and keeps in the base what the second need not read.
  for again in unify-after unify-again find-after; do
    rm -f "$scratch/plan.json"
    finder "$again"
    [ -z "$cold" ] || drop_caches
    measure "$again" "${line[@]}"
  done
  end_copy unify-link
}

link_fclones() {
  fresh_copy
  # shellcheck disable=SC2016  # the inner shell's
  measure fclones-link bash -c 'set -o pipefail; tool=$1; shift; "$tool" group "$@" | "$tool" link' - \
    "$(program fclones)" "${copies[@]}"
  end_copy fclones-link
}

link_hardlink() {
  fresh_copy
  measure hardlink-link hardlink -X "${copies[@]}"
  end_copy hardlink-link
}

# rated NAME LINKED: the row of NAME with the names linked, and those in each second
rated() {
  local linked median
  [ -s "$scratch/results/$1" ] || return 0
  linked=$(sort -n "$scratch/results/$2.linked" | awk '{ at[NR] = $1 } END { print at[int((NR + 1) / 2)] }')
  read -r median _ < <(summary "$1")
  row "$1" unify-link " $linked | $(awk -v n="$linked" -v s="$median" 'BEGIN { printf "%.0f", n / s }') |"
}

find_and_link() {
  local round
  for ((round = 1; round <= runs; round++)); do
    say "linking, round $round of $runs"
    link_unify
    if have "$(program fclones)"; then link_fclones; fi
    if have hardlink; then link_hardlink; fi
  done
  echo
  echo "| finds and links, fresh copies, $runs runs | version | median s | min | max | ratio | peak RSS MiB | names linked | names/s |"
  echo '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |'
  rated unify-link unify-link
  rated unify-apply unify-link
  rated fclones-link fclones-link
  rated hardlink-link hardlink-link
  echo
  echo "| nothing changed since, $runs runs | version | median s | min | max | ratio | peak RSS MiB |"
  echo '| --- | --- | ---: | ---: | ---: | ---: | ---: |'
  row unify-after find-after
  row unify-again find-after
  row find-after find-after
}

draw_flame() {
  local peers=$dir/peers/bin
  have perf || { say "no flame graph: perf is not there"; return; }
  [ -x "$peers/inferno-flamegraph" ] || { say "no flame graph: inferno is not there, see peers.sh"; return; }
  rm -f "$scratch/plan.json"
  finder unify
  perf record -q -F 499 --call-graph dwarf -o "$scratch/perf.data" -- "${line[@]}" > "$scratch/perf.log" 2>&1 \
    || { say "no flame graph: perf cannot record: $(tail -n 1 "$scratch/perf.log")"; return; }
  if perf script -i "$scratch/perf.data" 2> "$scratch/perf.log" | "$peers/inferno-collapse-perf" 2>> "$scratch/perf.log" \
    | "$peers/inferno-flamegraph" --title 'unify plan' > "$scratch/flame.svg" 2>> "$scratch/perf.log"; then
    mv "$scratch/flame.svg" "$dir/unify-plan.svg"
    say "the flame graph is $dir/unify-plan.svg"
  else
    say "no flame graph: $(tail -n 1 "$scratch/perf.log")"
  fi
}

needs /usr/bin/time chattr findmnt
make_scratch "$where"
find_unify
guests=()
for marker in "$dir"/*.made; do
  [ ! -d "${marker%.made}" ] || guests+=("${marker%.made}")
done
[ ${#guests[@]} -gt 1 ] || fail "no guests in $dir: run guests.sh first"
base=$scratch/base
IFS=, read -ra names <<< "$tools"

find "${guests[@]}" -type f -printf '%i %b\n' | awk -v guests="${#guests[@]}" '
  { names++ } !seen[$1]++ { files++; blocks += $2 }
  END { printf "%d guests: %d names of %d files, %.2f GB.\n", guests, names, files, blocks * 512 / 1e9 }'
find_only
if [ -n "$apply" ]; then find_and_link; fi
if [ -n "$flame" ]; then draw_flame; fi
footer "$dir"
