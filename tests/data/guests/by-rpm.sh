#!/bin/bash
# Makes ROOT a guest with one package that rpmbuild has built and rpm has installed.
#
# usage: by-rpm.sh ROOT WORK      (two directories; WORK is empty)
set -euo pipefail
export LC_ALL=C
umask 022

[ $# = 2 ] || { echo "usage: by-rpm.sh ROOT WORK" >&2; exit 2; }
root=$1 work=$2
cat > "$work/lab.spec" << 'END'
%define __os_install_post %{nil}
%define _build_id_links none
%define debug_package %{nil}
%define _buildhost build.invalid
Name: lab
Version: 1
Release: 1
Summary: lab
License: none
BuildArch: noarch
AutoReqProv: no
%description
lab
%install
mkdir -p %{buildroot}/etc %{buildroot}/usr/bin %{buildroot}/usr/share/lab %{buildroot}/var/log
for f in same longer touched missing mode; do echo $f > %{buildroot}/usr/share/lab/$f; done
echo tool > %{buildroot}/usr/bin/lab; ln -s lab %{buildroot}/usr/bin/alias; echo c > %{buildroot}/etc/lab.conf
%files
/usr/share/lab
/usr/bin/lab
/usr/bin/alias
%config(noreplace) /etc/lab.conf
%ghost /var/log/lab.log
END
rpmbuild --quiet --define "_topdir $work/top" -bb "$work/lab.spec"
mkdir -p "$root/var/lib/rpm"
rpm=(rpm --root "$root" --define '_dbpath /var/lib/rpm')
# The builds of Debian refuse to install without it; others do not know it.
debian=()
if rpm --help | grep -q force-debian; then debian=(--force-debian); fi
"${rpm[@]}" --initdb
"${rpm[@]}" -i "${debian[@]}" --nodeps --noscripts --nosignature "$work"/top/RPMS/*/*.rpm
