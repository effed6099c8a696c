//! Databases of rpm that no rpm wrote: headers that lie, files whose headers share their bytes, counts that are zero.

use super::*;
use crate::packages::rpm::Rpm;
use Defect::Broken;

/// Tag, type, offset and count of an entry.
type Entry = (u32, u32, i32, u32);

const DIRECTORIES: Entry = (1118, 8, 0, 1);
const BASES: Entry = (1117, 8, 6, 2);
const INDEXES: Entry = (1116, 4, 20, 2);
const FLAGS: Entry = (1037, 4, 28, 2);
const SOUND: [Entry; 4] = [DIRECTORIES, BASES, INDEXES, FLAGS];

/// `/etc/ok.conf`, `%config`, and `/etc/bin`.
const DATA: &[u8] = b"/etc/\0ok.conf\0bin\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0";

fn header(entries: &[Entry], data: &[u8]) -> Vec<u8> {
    let be = |n: usize| u32::try_from(n).unwrap().to_be_bytes();
    let mut blob = [be(entries.len()), be(data.len())].concat();
    for (tag, kind, offset, count) in entries {
        blob.extend([tag.to_be_bytes(), kind.to_be_bytes(), offset.to_be_bytes()].concat());
        blob.extend(count.to_be_bytes());
    }
    [blob, data.to_vec()].concat()
}

/// An ndb database with this header in the first `times` slots.
fn ndb(blob: &[u8], times: usize) -> Vec<u8> {
    let le = |numbers: &[usize]| -> Vec<u8> {
        let bytes = |n: &usize| u32::try_from(*n).unwrap().to_le_bytes();
        numbers.iter().flat_map(bytes).collect()
    };
    let blocks = (16 + blob.len() + 12).div_ceil(16);
    let mut file = [b"RpmP".to_vec(), le(&[0, 1, 1, 2, 0, 0, 0])].concat();
    for slot in 0..254 {
        let used = if slot < times {
            [1, 256, blocks]
        } else {
            [0; 3]
        };
        file.extend([b"Slot".to_vec(), le(&used)].concat());
    }
    file.extend([b"BlbS".to_vec(), le(&[1, 1, blob.len()]), blob.to_vec()].concat());
    file.resize(4096 + blocks * 16 - 12, 0);
    [file, le(&[0, blob.len()]), b"BlbE".to_vec()].concat()
}

fn listing(file: &[u8]) -> Result<Listing, Problem> {
    let root = Root::empty();
    root.put("usr/lib/sysimage/rpm/Packages.db", file);
    let read = fixture::read(&Rpm, &root.path);
    read.map(|listing| listing.expect("there is a database"))
}

#[test]
fn the_control_is_read() {
    let listing = listing(&ndb(&header(&SOUND, DATA), 1)).unwrap();
    assert_eq!(fixture::claimed(&listing), ["/etc/ok.conf"]);
    let owners = fixture::owners(&listing);
    assert_eq!(owners, ["/etc/ok.conf unnamed ?", "/etc/bin unnamed ?"]);
}

#[test]
fn headers_that_do_not_hold_together_are_refused() {
    let with = |at: usize, entry: Entry| {
        let mut all = SOUND;
        all[at] = entry;
        header(&all, DATA)
    };
    let mut entries = header(&SOUND, DATA);
    entries[..4].fill(0xff);
    let mut length = header(&SOUND, DATA);
    length[4..8].fill(0xff);
    let mut index = DATA.to_vec();
    index[23] = 7;
    let cases = [
        ("entries", entries),
        ("length", length),
        (
            "more behind the end",
            [header(&SOUND, DATA), vec![0]].concat(),
        ),
        ("negative offset", with(0, (1118, 8, -16, 1))),
        ("huge count", with(1, (1117, 8, 6, u32::MAX))),
        ("strings without an end", with(1, (1117, 8, 6, 20))),
        ("directory index", header(&SOUND, &index)),
        ("fewer names than indexes", with(1, (1117, 8, 6, 1))),
        ("fewer indexes than names", with(2, (1116, 4, 20, 1))),
        ("fewer flags than files", with(3, (1037, 4, 28, 1))),
        ("no flags", header(&SOUND[..3], DATA)),
        ("flags of a wrong type", with(3, (1037, 8, 28, 2))),
        ("no directories", header(&SOUND[1..], DATA)),
        ("nothing", Vec::new()),
    ];
    for (what, blob) in cases {
        let got = listing(&ndb(&blob, 1));
        assert!(matches!(got, Err(Problem::Malformed { .. })), "{what}");
    }
}

#[test]
fn more_files_than_any_package_has_are_refused_before_they_are_read() {
    let count = limits::FILES_OF_PACKAGE + 1;
    let data = vec![0; 4 * count];
    let count = u32::try_from(count).unwrap();
    let blob = header(
        &[(1118, 8, 0, 1), (1117, 8, 0, count), (1116, 4, 0, count)],
        &data,
    );
    let fault = Rpm.parse(&ndb(&blob, 1)).unwrap_err();
    assert_eq!(fault.what, Broken("package of more than 1,048,575 files"));
}

/// A name with a slash is left out, the others stand; so is the root, which old packages list as a file.
#[test]
fn names_that_are_none_are_left_out() {
    let climbing = DATA.to_vec();
    let climbing = [&climbing[..6], b"../k.so\0", &climbing[14..]].concat();
    let got = listing(&ndb(&header(&SOUND, &climbing), 1)).unwrap();
    assert_eq!(fixture::owners(&got), ["/etc/bin unnamed ?"]);

    let old = header(
        &[(1027, 8, 0, 2), (1037, 4, 12, 2)],
        b"/\0/etc/a\0\0\0\0\0\0\0\0\0\0\0\x01",
    );
    let got = listing(&ndb(&old, 1)).unwrap();
    assert_eq!(fixture::claimed(&got), ["/etc/a"]);
}

#[test]
fn a_blob_belongs_to_one_slot() {
    let blob = header(&SOUND, &[DATA, &[0; 8 << 10]].concat());
    assert!(Rpm.parse(&ndb(&blob, 1)).is_ok());
    let fault = Rpm.parse(&ndb(&blob, 254)).unwrap_err();
    assert_eq!(fault.what, Broken("blob given twice"));
}

#[test]
fn slots_are_never_none() {
    let sound = ndb(&header(&SOUND, DATA), 1);
    for pages in [0_u32, 2, 0x3fff_ffff, u32::MAX] {
        let mut file = sound.clone();
        file[12..16].copy_from_slice(&pages.to_le_bytes());
        assert!(Rpm.parse(&file).is_err(), "{pages}");
    }
    for (what, at, bytes) in [
        ("offset beyond the file", 40, 0x1000_0001_u32),
        ("offset among the slots", 40, 16),
        ("blocks beyond the file", 44, u32::MAX),
        ("length near 4 GiB", 4096 + 12, 0xffff_fff0),
        ("another package", 4096 + 4, 2),
    ] {
        let mut file = sound.clone();
        file[at..at + 4].copy_from_slice(&bytes.to_le_bytes());
        assert!(Rpm.parse(&file).is_err(), "{what}");
    }
}
