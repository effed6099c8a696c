#!/bin/bash
# samples.sh ROOT : puts into a Debian small packages of dpkg, rpm and pacman in two versions, with scripts that do what
# scripts of packages do.
set -euo pipefail
root=$1
mkdir -p "$root"/opt/{repo,post} "$root/etc/sample"
for file in a b c d e f; do echo "post $file" > "$root/opt/post/$file"; done

# What a script of a package does to files that came with it or before.
script='#!/bin/sh
set -e
cd /opt/post
chmod 750 a
chown daemon:daemon b
echo appended >> c
sed -i s/post/POST/ d
touch -d 2001-02-03 e
: > f
chmod -R go-w /usr/share/sample
'
files() { # files DIR VERSION
  mkdir -p "$1"/usr/share/sample "$1"/usr/bin "$1"/etc/sample
  for at in $(seq 0 9); do echo "sample $2 $at" > "$1/usr/share/sample/$at"; done
  for at in $(seq 10 19); do echo "the same in every version $at" > "$1/usr/share/sample/$at"; done
  printf '#!/bin/sh\necho sample %s\n' "$2" > "$1/usr/bin/sample"
  chmod 755 "$1/usr/bin/sample"
  echo "setting = $2" > "$1/etc/sample/sample.conf"
}
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
for version in 1.0 2.0; do
  deb=$made/deb-$version
  files "$deb" $version
  mkdir "$deb/DEBIAN"
  printf 'Package: sample\nVersion: %s\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\nDescription: sample\n' \
    $version > "$deb/DEBIAN/control"
  echo /etc/sample/sample.conf > "$deb/DEBIAN/conffiles"
  (cd "$deb" && find usr -type f -exec md5sum {} + > DEBIAN/md5sums)
  echo "$script" > "$deb/DEBIAN/postinst"
  chmod 755 "$deb/DEBIAN/postinst"
  dpkg-deb --root-owner-group -Zgzip -b "$deb" "$root/opt/repo/sample_${version}_all.deb" > "$made/said"

  arch=$made/arch-$version
  mkdir -p "$arch/opt/arch"
  for at in $(seq 0 9); do echo "arch $version $at" > "$arch/opt/arch/$at"; done
  printf 'pkgname = sample\npkgver = %s-1\npkgdesc = sample\nurl = none\nbuilddate = 1\npackager = nobody\nsize = 100\narch = any\n' \
    $version > "$arch/.PKGINFO"
  (cd "$arch" && tar --owner=0 --group=0 -czf "$root/opt/repo/sample-$version-1-any.pkg.tar.gz" .PKGINFO opt)

  spec=$root/opt/repo/sample.spec
  cat > "$spec" <<S
%define _build_id_links none
Name: sample
Version: $version
Release: 1
Summary: sample
License: none
BuildArch: noarch
AutoReqProv: no
%description
sample
%install
mkdir -p %{buildroot}/opt/rpm
for at in 0 1 2 3 4 5 6 7 8 9; do echo "rpm $version \$at" > %{buildroot}/opt/rpm/\$at; done
%files
/opt/rpm
%post
chmod 640 /opt/rpm/0
echo more >> /opt/rpm/1
S
  chroot "$root" rpmbuild --quiet --define '_topdir /tmp/rpm' --define '_rpmdir /opt/repo' -bb /opt/repo/sample.spec > "$made/said" 2>&1 || { cat "$made/said" >&2; exit 1; }
done
rm -rf "$root/tmp/rpm" "$spec"
# The packages that `apt-get install --reinstall` puts in place again, from a place of its own.
for package in ed patch; do
  (cd "$root/opt/repo" && apt-get -q download "$package" > "$made/said" 2>&1) || { cat "$made/said" >&2; exit 1; }
done
(cd "$root/opt/repo" && for deb in *.deb; do
  dpkg-deb -f "$deb"
  echo "Filename: ./$deb"
  echo "Size: $(stat -c %s "$deb")"
  echo "SHA256: $(sha256sum "$deb" | cut -d ' ' -f 1)"
  echo
done > Packages)
rm -f "$root"/etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/opt/repo ./' > "$root/etc/apt/sources.list"
chroot "$root" dpkg -i /opt/repo/sample_1.0_all.deb > "$made/said" 2>&1
chroot "$root" rpm -i --nodeps /opt/repo/noarch/sample-1.0-1.noarch.rpm
printf '[options]\nArchitecture = auto\nSigLevel = Never\nLocalFileSigLevel = Never\n' > "$root/etc/pacman.conf"
chroot "$root" pacman -U --noconfirm /opt/repo/sample-1.0-1-any.pkg.tar.gz > "$made/said" 2>&1 || { cat "$made/said" >&2; exit 1; }
chroot "$root" apt-get -q update > "$made/said" 2>&1
# As they were before the script ran: all of it is still to be done.
for file in a b c d e f; do
  rm -f "$root/opt/post/$file"
  echo "post $file" > "$root/opt/post/$file"
done
