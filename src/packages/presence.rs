//! Is there a package database at all? Asked where none of them shall be read.

use crate::sys::guest::GuestFiles;

/// Where the backends look, as a list of places: one that is there says that there may be a database.
const PLACES: &[&[u8]] = &[
    b"/var/lib/dpkg",
    b"/var/lib/ucf",
    b"/var/lib/rpm",
    b"/usr/lib/sysimage/rpm",
    b"/usr/share/rpm",
    b"/var/lib/pacman",
    b"/lib/apk",
    b"/usr/lib/apk",
    b"/usr/lib/opkg",
    b"/var/lib/opkg",
    b"/var/db/pkg",
    b"/var/db/xbps",
    b"/var/lib/pkgtools",
    b"/var/log/packages",
    b"/nix/store",
    b"/gnu/store",
    b"/etc/NIXOS",
    b"/etc/pacman.conf",
    b"/etc/opkg.conf",
    b"/run/current-system",
    b"/var/guix",
];

/// May this guest have a package database? What cannot be looked at may be one.
pub fn may_have_database(guest: &dyn GuestFiles) -> bool {
    let mut places = PLACES.iter();
    places.any(|place| !matches!(guest.resolve(place), Ok(None)))
}
