# What the scenes in a kernel have in common. boot.sh brings it there, as /bin/words.sh.
# shellcheck shell=sh disable=SC2086,SC2120,SC2154

# What is shown of a scene that fails; no blanks in these names.
logs=/tmp/guardd.log
fail() {
  echo "FAILED: $*"
  for log in $logs; do [ ! -e $log ] || tail -n 40 $log; done
  exit 1
}
# ends CODE COMMAND... : with this exit code. What it says is in /tmp/said.
ends() {
  want=$1
  shift
  code=0
  "$@" > /tmp/said 2>&1 || code=$?
  if [ $code != "$want" ]; then cat /tmp/said; fail "exit code $code, not $want: $*"; fi
}
quiet() { ends 0 "$@"; }
says() { grep -qi "$1" /tmp/said || { cat /tmp/said; fail "it does not say: $1"; }; }
# soon TIMES WHY COMMAND... : it succeeds before long: so often is it tried, 50 ms apart
soon() {
  times=$1
  why=$2
  shift 2
  waited=0
  until "$@"; do
    [ $waited -lt "$times" ] || fail "$why"
    waited=$((waited + 1))
    usleep 50000
  done
}
now() { cut -d. -f1 /proc/uptime; }
what_is_done() { unify guard --json | sed 's/.*"level":"\([a-z-]*\)".*/\1/'; }
guard_is_loaded() {
  mount -t bpf bpf /sys/fs/bpf
  quiet unify guard load
}
# start [COMMAND...] : a daemon of `base`, run by this command, which does no more than `most` says.
start() {
  touch /tmp/guardd.log
  were_ready=$(grep -c ready /tmp/guardd.log || true)
  "$@" unify guardd --base $base ${most:+--level $most} >> /tmp/guardd.log 2>&1 &
  daemon=$!
}
ready() {
  waited=0
  until [ "$(grep -c ready /tmp/guardd.log)" -gt "$were_ready" ]; do
    kill -0 $daemon || fail "the daemon has ended"
    [ $waited -lt 600 ] || fail "the daemon is not ready"
    waited=$((waited + 1))
    usleep 100000
  done
}
stop() {
  kill $daemon
  wait $daemon || fail "the daemon does not end well"
}
