#!/bin/bash
# apart.sh [PROGRAM ARGUMENT...] : runs a test in a PID namespace of its own, where it sees no processes but its own.
# Without a program it tells by its end whether that can be done here.
#
# Before names are exchanged, a run of the program looks into every process that it can see, and that several times. On
# a machine that does other work this took nine tenths of the time of the tests, and what was seen was other tests.
# What is under test is the same: the shim takes this namespace for the first one.
set -euo pipefail
# Cgroups are named by processes, and all tests see the same ones: so the numbers begin elsewhere in each.
count="echo $((RANDOM * 100 % 30000 + 300)) > /proc/sys/kernel/ns_last_pid"
if [ $# = 0 ]; then exec unshare --pid --fork --mount-proc sh -c "$count"; fi
# The unit tests exchange nothing.
case $(basename "$1") in
  it-*) ;;
  *) exec "$@" ;;
esac
if [[ " $* " == *" --list "* ]]; then exec "$@"; fi
export UNIFY_ANY_PID_NAMESPACE=1
# The shell is the first process there, which waits for those that nobody waits for. The pipes are there because a file
# that was opened outside is on a mount that is not in the namespace, and may be in any guest.
unshare --pid --fork --mount-proc --kill-child sh -c "$count"'; "$@"; exit $?' sh "$@" < /dev/null 2> >(cat >&2) | cat
