#!/bin/bash
# Makes ROOT a guest with one package that makepkg has built and pacman has installed.
#
# usage: by-pacman.sh ROOT WORK      (two directories; WORK is empty, and `nobody` can get there)
set -euo pipefail
export LC_ALL=C
umask 022

[ $# = 2 ] || { echo "usage: by-pacman.sh ROOT WORK" >&2; exit 2; }
root=$1 work=$2
cat > "$work/PKGBUILD" << 'END'
pkgname=lab; pkgver=1; pkgrel=1; arch=(any); license=(none); pkgdesc=lab
backup=(etc/lab.conf)
package() {
  install -d "$pkgdir"/usr/share/lab "$pkgdir"/etc "$pkgdir"/usr/bin
  for f in same longer touched missing mode; do echo $f > "$pkgdir/usr/share/lab/$f"; done
  echo tool > "$pkgdir/usr/bin/lab"; ln -s lab "$pkgdir/usr/bin/alias"; echo c > "$pkgdir/etc/lab.conf"
}
END
printf '[options]\nArchitecture = auto\nSigLevel = Never\nLocalFileSigLevel = Never\n' > "$work/pacman.conf"
chown -R nobody "$work"
(cd "$work" && setpriv --reuid=nobody --regid=nogroup --clear-groups env HOME="$work" PKGDEST="$work" PKGEXT=.pkg.tar.gz \
  PACKAGER='Lab <lab@example.invalid>' makepkg --nodeps --nocheck --skipinteg -f > "$work/log" 2>&1) || { cat "$work/log" >&2; exit 1; }
mkdir -p "$root/var/lib/pacman" "$work/cache"
pacman --root "$root" --dbpath "$root/var/lib/pacman" --cachedir "$work/cache" --config "$work/pacman.conf" \
  -U --noconfirm --noscriptlet "$work"/*.pkg.tar.gz > "$work/log"
