#!/bin/bash
# boot.sh PROGRAM SCRIPT VMLINUZ MODULES [FILESYSTEM] : boots a kernel in qemu, without acceleration and with one
# processor (or SMP), and runs SCRIPT in it as the first process, with busybox, PROGRAM as `unify`, `ways`, `parter` and
# `costs` (see their sources), words.sh, and what EXTRA names.
# The disk at /mnt is a fresh one of FILESYSTEM (ext4). Prints what is said on the console; ends with 0 where the
# script's last line is "all is well".
#
# A second of the machine is 250 million instructions, and what its disk takes: however busy the host is, the same is
# waited for, and a deadline is missed by what is slow and not by who had no turn. More processors have the host's time.
#
#   env: CONTENT=DIR  what the disk holds (ext4 only)    KEEP=FILE   keep the disk there
#        DISK=320M    its size                           MEMORY=768  of the machine, in MiB
#        ICOUNT=2     an instruction takes 2 to the power of this in nanoseconds
#        LONGEST=300  seconds of the host, then it is ended
#        ARGUMENTS=   words for the script            FROM=FILE   a disk that was kept, not a fresh one
#        INIT=PATH    the disk is the root then, and this is its first process; it has SCRIPT at /script
set -euo pipefail
program=$1 script=$2 kernel=$3 modules=$4 filesystem=${5:-ext4}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{bin,modules,proc,sys,dev,tmp,run,etc,mnt,lib64}

for source in "$here"/calls/*.c; do cc -O1 -static -o "$root/bin/$(basename "$source" .c)" "$source"; done
for file in ${EXTRA:-}; do cp "$file" "$root/bin"; done
install -s "$program" "$root/bin/unify"
cp "$(command -v busybox)" "$root/bin/busybox"
for tool in setfattr getfattr; do cp "$(command -v $tool)" "$root/bin/$tool.real"; done
# What a dynamic program needs, at the same paths.
{ ldd "$program" || true; ldd "$(command -v setfattr)"; } 2> "$work/none" | grep -oE '/[^ ]+' | grep -v : | sort -u | while read -r library; do
  cp --parents -L "$library" "$root"
done
version=$(ls "$modules")
tree=$(dirname "$(dirname "$modules")")
if [ ! -e "$modules/$version/modules.dep" ]; then depmod -b "$tree" "$version" 2> "$work/none"; fi
for module in virtio_pci virtio_blk "$filesystem"; do
  modprobe -d "$tree" -S "$version" --show-depends "$module" 2> "$work/none" || true
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
  name=$(basename "$path" | sed 's/\.ko\..*/.ko/')
  case $path in
    *.xz) xz -dc "$path" ;;
    *.zst) zstd -dcq "$path" ;;
    *) cat "$path" ;;
  esac > "$root/modules/$name"
  echo "$name" >> "$root/modules/order"
done
cp "$script" "$root/script"
cp "$here/cow.sh" "$here/words.sh" "$root/bin"
if [ -n "${UNIFY_LONG:-}" ]; then touch "$root/long"; fi
cat > "$root/init" <<'I'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mv /bin/setfattr.real /bin/setfattr
mv /bin/getfattr.real /bin/getfattr
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t securityfs securityfs /sys/kernel/security
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs tmpfs /run
while read -r module; do insmod "/modules/$module"; done < /modules/order
waited=0
while [ ! -b /dev/vda ] && [ $waited -lt 100 ]; do usleep 100000; waited=$((waited + 1)); done
ulimit -l unlimited
ulimit -n 65536
hostname guard
echo 0123456789abcdef0123456789abcdef > /etc/machine-id
echo root:x:0:0::/:/bin/sh > /etc/passwd
mount FILESYSTEM /dev/vda /mnt
echo "kernel $(uname -r), security modules $(cat /sys/kernel/security/lsm)"
if [ -n "INIT" ]; then
  cp /script /mnt/script
  umount /sys/kernel/security /sys/fs/cgroup /sys /run /dev /proc
  exec switch_root /mnt INIT
fi
sh -eu /script ARGUMENTS && echo "all is well"
poweroff -f
I
sed -i "s/mount FILESYSTEM/mount -t $filesystem/; s/ ARGUMENTS/ ${ARGUMENTS:-}/; s|INIT|${INIT:-}|" "$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$work/initrd"
[ -n "${FROM:-}" ] || truncate -s "${DISK:-320M}" "$work/disk"
case ${FROM:+kept}$filesystem in
  kept*) mv "$FROM" "$work/disk" ;;
  ext4) mkfs.ext4 -q -b 4096 -O verity,project ${CONTENT:+-d "$CONTENT"} "$work/disk" ;;
  *) "mkfs.$filesystem" -q "$work/disk" ;;
esac
options="console=ttyS0 quiet panic=-1 mitigations=off random.trust_cpu=1 no_timer_check tsc=reliable"
case ${SMP:-1} in 1) clock="-icount shift=${ICOUNT:-2}" ;; *) clock= ;; esac
# shellcheck disable=SC2086
timeout "${LONGEST:-300}" qemu-system-x86_64 -M q35 -accel tcg,thread=single -cpu max -smp "${SMP:-1}" -m "${MEMORY:-768}" -nodefaults \
  $clock -no-user-config -display none -serial stdio -no-reboot -kernel "$kernel" -initrd "$work/initrd" -append "$options" \
  -drive "file=$work/disk,format=raw,if=virtio,cache=unsafe" < /dev/null | stdbuf -oL tr -d '\r' | tee "$work/said"
if [ -n "${KEEP:-}" ]; then mv "$work/disk" "$KEEP"; fi
grep -qx "all is well" "$work/said"
