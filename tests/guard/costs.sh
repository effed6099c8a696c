#!/bin/sh
# What the guard costs, in instructions where the emulator counts them: run by boot.sh, with ICOUNT=0. The table of
# examples/guide/guard.md is what this prints.
mount -t bpf bpf /sys/fs/bpf
cp /bin/costs /mnt/shared
cp /bin/costs /mnt/own
free_kib() { sync; echo 3 > /proc/sys/vm/drop_caches; sleep 2; awk '/^MemFree/ { print $2 }' /proc/meminfo; }
costs /mnt/own "no guard"
before=$(free_kib)
unify guard load > /tmp/said
echo "loaded: $((before - $(free_kib))) KiB"
costs /mnt/own "guard"
parter mark /mnt/shared
costs /mnt/shared "guard, the file is shared"
before=$(free_kib)
parter fill 100000
echo "100,000 marks: $((before - $(free_kib))) KiB"
costs /mnt/own "guard, 100,000 marks"
parter empty 100000
mkdir /mnt/staging /mnt/guest
parter 2 /mnt/staging /mnt/guest &
daemon=$!
sleep 1
costs /mnt/own "guard and daemon"
kill $daemon
wait $daemon || true
