#!/bin/bash
# samples.sh ROOT : puts into a Debian small packages of dpkg, rpm and pacman in two versions, with scripts that do what
# scripts of packages do, newer versions of some that it has, and repositories of them for apt and pacman.
set -euo pipefail
root=$1 repo=$1/opt/repo
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
# What is said is shown where it fails.
quiet() { "$@" > "$made/said" 2>&1 || { cat "$made/said" >&2; exit 1; }; }
within() { quiet chroot "$root" "$@"; }

# What a script of a package does to files that came with it or before.
script='set -e
cd /opt/post/NAME
chmod 750 a
chown daemon:daemon b
echo appended >> c
sed -i s/post/POST/ d
touch -d 2001-02-03 e
: > f
chmod -R go-w /usr/share/NAME
'
# As they are before the script runs.
post() {
  local name file
  for name in sample grown linked; do
    rm -rf "$root/opt/post/$name"
    mkdir -p "$root/opt/post/$name"
    for file in a b c d e f; do echo "post $name $file" > "$root/opt/post/$name/$file"; done
  done
}
files() { # files DIR NAME VERSION
  mkdir -p "$1/usr/share/$2" "$1"/usr/bin "$1/etc/$2"
  for at in $(seq 0 9); do echo "$2 $3 $at" > "$1/usr/share/$2/$at"; done
  for at in $(seq 10 19); do echo "$2, the same in every version $at" > "$1/usr/share/$2/$at"; done
  printf '#!/bin/sh\necho %s %s\n' "$2" "$3" > "$1/usr/bin/$2"
  chmod 755 "$1/usr/bin/$2"
  echo "setting = $3" > "$1/etc/$2/$2.conf"
}
built() { quiet dpkg-deb --root-owner-group -Zgzip -b "$1" "$repo/$2.deb"; }
deb() { # deb NAME VERSION [FIELD...]
  local deb=$made/deb-$1-$2
  files "$deb" "$1" "$2"
  mkdir "$deb/DEBIAN"
  printf '%s\n' "Package: $1" "Version: $2" "Architecture: all" "Maintainer: nobody <nobody@example.org>" \
    "Description: sample" "${@:3}" > "$deb/DEBIAN/control"
  echo "/etc/$1/$1.conf" > "$deb/DEBIAN/conffiles"
  (cd "$deb" && find usr -type f -exec md5sum {} + > DEBIAN/md5sums)
  if [ -d "$root/opt/post/$1" ]; then printf '#!/bin/sh\n%s' "${script//NAME/$1}" > "$deb/DEBIAN/postinst"; fi
  chmod -f 755 "$deb/DEBIAN/postinst" || true
  built "$deb" "$1_$2_all"
}
arch() { # arch NAME VERSION [FIELD...]
  local arch=$root/tmp/arch
  mkdir -p "$arch/opt/arch/$1" "$arch/etc"
  for at in $(seq 0 9); do echo "$1 $2 $at" > "$arch/opt/arch/$1/$at"; done
  echo "setting = $2" > "$arch/etc/arch-$1.conf"
  printf '%s\n' "pkgname = $1" "pkgver = $2-1" "pkgdesc = sample" "url = none" "builddate = 1" "packager = nobody" \
    "size = 100" "arch = any" "backup = etc/arch-$1.conf" "${@:3}" > "$arch/.PKGINFO"
  if [ "$1" = linked ]; then
    printf 'post_upgrade() {\n%s}\n' "${script//\/usr\/share\/NAME//opt/arch/NAME}" | sed "s/NAME/$1/" > "$arch/.INSTALL"
  fi
  within sh -c "cd /tmp/arch && bsdtar -czf .MTREE --format=mtree --options='!all,use-set,type,uid,gid,mode,time,size,md5,sha256' .[A-Z]* etc opt &&
    bsdtar --uid 0 --gid 0 -czf /opt/repo/$1-$2-1-any.pkg.tar.gz .[A-Z]* etc opt"
  rm -r "$arch"
}
rpm() { # rpm VERSION
  local spec=$root/opt/repo/sample.spec
  cat > "$spec" <<S
%define _build_id_links none
Name: sample
Version: $1
Release: 1
Summary: sample
License: none
BuildArch: noarch
AutoReqProv: no
%description
sample
%install
mkdir -p %{buildroot}/opt/rpm
for at in 0 1 2 3 4 5 6 7 8 9; do echo "rpm $1 \$at" > %{buildroot}/opt/rpm/\$at; done
%files
/opt/rpm
%post
chmod 640 /opt/rpm/0
echo more >> /opt/rpm/1
S
  within rpmbuild --quiet --define '_topdir /tmp/rpm' --define '_rpmdir /opt/repo' -bb /opt/repo/sample.spec
  rm -rf "$root/tmp/rpm" "$spec"
}
mkdir -p "$repo"
post
for version in 1.0 2.0; do
  deb sample $version
  arch sample $version
  rpm $version
done
# Upgrades: of `grown` with a dependency that is new, and of `solo` only without `lone`.
deb grown 1.0
deb grown 2.0 "Depends: fresh"
deb fresh 2.0
deb lone 1.0
deb solo 1.0
deb solo 2.0 "Conflicts: lone"
arch linked 1.0
arch linked 2.0 "depend = fresh"
arch fresh 2.0

# Packages of the guest itself: those that `apt-get install --reinstall` puts in place again, and those of which there
# is a newer version to upgrade to, made of the same files.
download() { (cd "$1" && quiet apt-get -q download "${@:2}"); }
download "$repo" ed patch
mkdir "$made/newer"
download "$made/newer" apt bash coreutils dpkg grep gzip libc-bin libc6 sed tar
for deb in "$made"/newer/*.deb; do
  dpkg-deb -R "$deb" "$made/again"
  sed -i '/^Version:/s/$/+newer/' "$made/again/DEBIAN/control"
  built "$made/again" "$(basename "$deb" .deb)+newer"
  rm -r "$made/again"
done
(cd "$repo" && for deb in *.deb; do
  dpkg-deb -f "$deb"
  echo "Filename: ./$deb"
  echo "Size: $(stat -c %s "$deb")"
  echo "SHA256: $(sha256sum "$deb" | cut -d ' ' -f 1)"
  echo
done > Packages)
rm -f "$root"/etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/opt/repo ./' > "$root/etc/apt/sources.list"
# repo-add has its library from another package, and wants /dev/fd.
download "$made" makepkg
mkdir "$root/tmp/makepkg"
dpkg-deb -x "$made"/makepkg_*.deb "$root/tmp/makepkg"
# shellcheck disable=SC2016
quiet unshare --mount sh -c 'mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" && exec chroot "$@"' sh "$root" \
  env LIBRARY=/tmp/makepkg/usr/share/makepkg PATH=/tmp/makepkg/usr/bin:/usr/bin:/bin \
  repo-add /opt/repo/guest.db.tar.gz /opt/repo/{linked,fresh}-2.0-1-any.pkg.tar.gz
rm -r "$root/tmp/makepkg"
printf '%s\n' '[options]' 'Architecture = auto' 'SigLevel = Never' 'LocalFileSigLevel = Never' \
  '[guest]' 'Server = file:///opt/repo' > "$root/etc/pacman.conf"

# The older versions are there already.
within dpkg -i /opt/repo/{sample,grown,lone,solo}_1.0_all.deb
within rpm -i --nodeps /opt/repo/noarch/sample-1.0-1.noarch.rpm
within pacman -U --noconfirm /opt/repo/{sample,linked}-1.0-1-any.pkg.tar.gz
within apt-get -q update
post
