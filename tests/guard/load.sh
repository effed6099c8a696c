#!/bin/bash
# load.sh PROGRAM VMLINUZ MODULES [SCRATCH] : two Debian guests with nginx and PostgreSQL on one guarded base, in an
# emulated kernel. Both serve requests all the time, none of which is tried twice, while every package of one of them is
# installed anew, PostgreSQL, nginx, libc6 and dpkg among them. In the end the disk is looked at from outside: `two` is
# as it was, to the byte, and `one` is as a guest that shares nothing is after the same.
#
# Prints what was found; ends with 1 where a request was lost, or a guest is not what it should be. SCRATCH keeps the
# guests for the next time. Needs root, mmdebstrap and an hour.
#
#   env: PACKAGES="A B"  install these anew, not all
# shellcheck source-path=SCRIPTDIR source=host.sh
. "$(dirname "${BASH_SOURCE[0]}")/host.sh"
tree=$work/disk/guests
plain=$tree/plain
# It is moved away, and mounted there once more.
mounts=("$work/mnt" "$plain/opt/repo" "$plain/proc" "$work/plain/opt/repo" "$work/plain/proc")
# With the packages that it was made of, to install them again.
debian served apt nginx-light,postgresql --skip=essential/unlink,cleanup/apt/cache
mkdir -p "$plain" "$work/disk/repo" "$work/mnt"
tar -xf "$scratch/served.tar" -C "$plain"
mv "$plain"/var/cache/apt/archives/*.deb "$work/disk/repo"
(cd "$work/disk/repo" && for deb in *.deb; do
  dpkg-deb -f "$deb"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d ' ' -f 1)"
done > Packages)
mkdir -p "$plain"/opt/repo "$plain"/srv/www
rm -f "$plain"/etc/apt/sources.list.d/* "$plain"/etc/nginx/sites-enabled/*
echo 'deb [trusted=yes] file:/opt/repo ./' > "$plain/etc/apt/sources.list"
# Nothing is stopped or started by a package: the services are not systemd's here.
printf '#!/bin/sh\nexit 101\n' > "$plain/usr/sbin/policy-rc.d"
chmod 755 "$plain/usr/sbin/policy-rc.d"
cp "$here/load/reinstall.sh" "$plain/opt/reinstall.sh"
for at in $(seq 0 39); do seq "$at" $((at * 500 + 500)) > "$plain/srv/www/$at"; done
printf 'server {\n  listen 127.0.0.1:8000;\n  root /srv/www;\n  access_log off;\n}\n' > "$plain/etc/nginx/conf.d/serve.conf"
version=$(ls "$plain/usr/lib/postgresql")
mount -t proc proc "$plain/proc"
mount --bind "$work/disk/repo" "$plain/opt/repo"
chroot "$plain" pg_createcluster "$version" main --port 5000 >&2
# Every commit is on the disk, and that is all that there is time for in an emulator.
printf 'shared_buffers = 16MB\nautovacuum = off\nssl = off\n' >> "$plain/etc/postgresql/$version/main/postgresql.conf"
chroot "$plain" apt-get -q update >&2
# shellcheck disable=SC2016  # dpkg's own words
chroot "$plain" dpkg-query -W -f '${Package}\n' > "$work/disk/packages"
if [ -n "${PACKAGES:-}" ]; then tr ' ' '\n' <<< "$PACKAGES" > "$work/disk/packages"; fi
umount "$plain/opt/repo" "$plain/proc"
for guest in one two; do
  cp -a "$plain" "$tree/$guest"
  port=$([ "$guest" = one ] && echo 1 || echo 2)
  sed -i "s/8000/800$port/" "$tree/$guest/etc/nginx/conf.d/serve.conf"
  sed -i "s/^port = 5000/port = 500$port/" "$tree/$guest/etc/postgresql/$version/main/postgresql.conf"
done

# listing ROOT: type, mode, owner, link and content of all that is not data of a service
listing() {
  local away=(-path ./var -o -path ./proc -o -path ./dev -o -path ./tmp -o -path ./run -o -path ./opt/repo)
  (cd "$1" && find . \( "${away[@]}" \) -prune -o -printf '%p %y %m %U %G %l\n' | sort
    find . \( "${away[@]}" \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}
listing "$tree/two" > "$work/two.before"
# The same in a guest that shares nothing; nothing of the emulator is needed for that.
mv "$plain" "$work/plain"
plain=$work/plain
mount -t proc proc "$plain/proc"
mount --bind "$work/disk/repo" "$plain/opt/repo"
chroot "$plain" /bin/sh /opt/reinstall.sh < "$work/disk/packages" > "$work/plain.said" 2>&1 || { cat "$work/plain.said" >&2; exit 1; }
umount "$plain/opt/repo" "$plain/proc"

DISK=${DISK:-3G} CONTENT=$work/disk KEEP=$work/after MEMORY=${MEMORY:-2048} LONGEST=${LONGEST:-3600} \
  boot load/inside.sh
mount -o loop,ro,noload "$work/after" "$work/mnt"
after=$work/mnt/guests
status=0
# same WHAT FILE FILE
same() {
  if cmp -s "$2" "$3"; then
    echo "$1: the same, $(grep -c . "$3") lines"
  else
    echo "$1: NOT THE SAME"
    diff "$2" "$3" | head -n 20
    status=1
  fi
}
listing "$after/two" > "$work/two.after"
same "the other guest, before and after" "$work/two.before" "$work/two.after"
listing "$plain" | grep -v -e etc/nginx/conf.d -e etc/postgresql > "$work/plain.after"
listing "$after/one" | grep -v -e etc/nginx/conf.d -e etc/postgresql > "$work/one.after"
same "a plain guest and the guarded one, afterwards" "$work/plain.after" "$work/one.after"
grep '^verified: ' "$work/plain.said" > "$work/plain.verified" || true
grep '^verified: ' "$after/one/var/tmp/reinstall.said" > "$work/one.verified" || true
same "dpkg -V of both" "$work/plain.verified" "$work/one.verified"
exit "$status"
