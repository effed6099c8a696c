#!/bin/bash
# Makes DIR/{sqlite,ndb,bdb}: larger databases of rpm, of packages built on the spot. What they have that small ones lack:
# trees of several levels, headers over hundreds of pages, epochs, pages that are free again, a state file (%ghost).
# Only the databases are made (--justdb); nothing is installed. DIR/KIND/listed.txt is what that rpm says of its database:
# "NAME EVR FLAGS PATH" for every file, and DIR/KIND/packages.txt "NAME EVR" for every package.
#
# usage: rpm-fleet.sh DIR KIND [RPM ...]      (DIR/KIND must not exist yet; needs rpmbuild)
# RPM is the command to write with, for kinds that this machine's rpm cannot write, for example "chroot ROOT rpm";
# SHARED=DIR names a directory below that ROOT, which is seen there as SEEN=DIR.
set -euo pipefail
export LC_ALL=C
umask 022

[ $# -ge 2 ] && [ ! -e "$1/$2" ] || { echo "usage: rpm-fleet.sh DIR KIND [RPM ...] (a new one)" >&2; exit 2; }
out=$1/$2 kind=$2
shift 2
rpm=("${@:-rpm}")
mkdir -p "$out"
work=$(mktemp -d ${SHARED:+-p "$SHARED"})
trap 'rm -rf "$work"' EXIT
seen=$work
[ -z "${SHARED:-}" ] || seen=$SEEN/$(basename "$work")

package() { # NAME EXTRA: a subpackage with two files and a config file
  printf '%%package -n %s\nSummary: test\nVersion: 1.%s\n%s\n%%description -n %s\ntest\n' "$1" "${1#fleet-}" "$2" "$1"
  printf '%%files -n %s\n%%config(noreplace) /etc/fleet/%s.conf\n/usr/bin/%s\n/usr/share/fleet/%s/%s\n' "$1" "$1" "$1" "$1" "$1"
}

{
  cat <<'HEAD'
%define __os_install_post %{nil}
%define _build_id_links none
%define debug_package %{nil}
%define _binary_payload w1.gzdio
%define _buildhost build.invalid
%define use_source_date_epoch_as_buildtime 1
Name: fleet
Version: 1
Release: 2
Summary: test
License: none
BuildArch: noarch
AutoReqProv: no
%description
test
%install
mkdir -p %{buildroot}/etc/fleet %{buildroot}/usr/bin %{buildroot}/usr/share/fleet/big
for i in $(seq 100 159); do
  n=fleet-$i; mkdir %{buildroot}/usr/share/fleet/$n
  touch %{buildroot}/etc/fleet/$n.conf %{buildroot}/usr/bin/$n %{buildroot}/usr/share/fleet/$n/$n
done
for i in $(seq 1000 3999); do : > %{buildroot}/usr/share/fleet/big/$i; done
%package -n fleet-big
Summary: test
%description -n fleet-big
test
%files -n fleet-big
/usr/share/fleet/big
%ghost /var/log/fleet.log
HEAD
  for i in $(seq 100 159); do
    case $i in
      107) package fleet-$i 'Epoch: 3' ;;
      108) package fleet-$i 'Epoch: 0' ;;
      *) package fleet-$i '' ;;
    esac
  done
} > "$work/fleet.spec"
SOURCE_DATE_EPOCH=1700000000 rpmbuild --quiet --define "_topdir $work" -bb "$work/fleet.spec" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }

db=$seen/db
mkdir "$work/db"
with=("${rpm[@]}" --dbpath "$db" --define "_db_backend $kind")
debian=()
"${rpm[@]}" --help 2> /dev/null | grep -q -- --force-debian && debian=(--force-debian)
"${with[@]}" --initdb
rpms=("$work"/RPMS/noarch/*.rpm)
"${with[@]}" -i "${debian[@]}" --justdb --nodeps --noscripts --nosignature "${rpms[@]/#$work/$seen}"
"${with[@]}" -e "${debian[@]}" --justdb --nodeps --noscripts $(seq -f 'fleet-%.0f' 120 129)
"${with[@]}" -qa --qf '[%{=NAME} %{=EVR} %{FILEFLAGS} %{FILENAMES}\n]' | sort > "$out/listed.txt"
"${with[@]}" -qa --qf '%{NAME} %{EVR}\n' | sort > "$out/packages.txt"
case $kind in
  sqlite) cp "$work/db/rpmdb.sqlite" "$out"; [ ! -s "$work/db/rpmdb.sqlite-wal" ] || cp "$work/db/rpmdb.sqlite-wal" "$out" ;;
  ndb) cp "$work/db/Packages.db" "$out" ;;
  bdb) cp "$work/db/Packages" "$out" ;;
esac
