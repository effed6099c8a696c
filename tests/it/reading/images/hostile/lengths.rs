//! Lengths: entries that hide others, that two headers give one, and that cannot be.

use super::case::Case;
use super::case::Want::{Read, Refused};
use super::case::sized;
use crate::reading::images::archives::*;

/// A setuid file that is hidden from some programs.
fn evil() -> Vec<u8> {
    let size = octal(5);
    let header = Header {
        size: &size,
        mode: b"0004755",
        ..Header::of(b'0', b"usr/bin/evil")
    };
    [header.block(), padded(b"evil\n")].concat()
}

fn inner() -> Vec<u8> {
    file("smuggled", b"evil\n")
}

/// A whole entry where the content of an entry without content would be.
pub fn hidden() -> Vec<Case> {
    let (ok, tail) = (
        file("o", b"o\n"),
        [file("z", b"z\n"), END.to_vec()].concat(),
    );
    let evil = evil();
    let behind = |header: Vec<u8>| [ok.clone(), header, evil.clone(), tail.clone()].concat();
    let length = evil.len();
    let global = pax(b'g', &[("size", length.to_string().as_bytes())]);
    let global = [
        global,
        sized(b'0', b"a", b"", 0),
        evil.clone(),
        tail.clone(),
    ]
    .concat();
    vec![
        (
            "hide_hardlink",
            behind(sized(b'1', b"h", b"o", length)),
            Refused("a hard link that claims 1024 bytes"),
        ),
        (
            "hide_symlink",
            behind(sized(b'2', b"h", b"o", length)),
            Refused("a symbolic link that claims"),
        ),
        (
            "hide_dir",
            behind(sized(b'5', b"d/", b"", length)),
            Refused("a directory that claims"),
        ),
        (
            "hide_fifo",
            behind(sized(b'6', b"d", b"", length)),
            Refused("a FIFO that claims"),
        ),
        (
            "hide_onezero",
            [ok.clone(), vec![0; 512], evil.clone(), END.to_vec()].concat(),
            Refused("a single block of zeros"),
        ),
        (
            "hide_globalsize",
            global,
            Refused("a header for all that follows sets size"),
        ),
        (
            "hide_unknown",
            behind(sized(b'Z', b"u", b"", length)),
            Refused("its type is Z"),
        ),
    ]
}

/// Lengths that two headers say.
pub fn two_lengths() -> Vec<Case> {
    let tail = [file("z", b"z\n"), END.to_vec()].concat();
    let inner = inner();
    let size = inner.len().to_string();
    let record = |size: &str| pax(b'x', &[("size", size.as_bytes())]);
    let empty = |name: &[u8]| Header::of(b'0', name).block();
    let long_name = Header {
        form: GNU,
        size: &octal(10),
        ..Header::of(b'L', b"././@LongLink")
    }
    .block();
    let long = [
        record(&size),
        long_name,
        padded(b"longname1\0"),
        empty(b"short"),
        inner.clone(),
        END.to_vec(),
    ]
    .concat();
    let whole = sized(b'0', b"a.bin", b"", inner.len());
    vec![
        (
            "paxsize0",
            [record(&size), empty(b"a.bin"), inner.clone(), tail.clone()].concat(),
            Read(&["a.bin", "z"]),
        ),
        (
            "paxsizeN",
            [record("0"), whole, inner.clone(), tail.clone()].concat(),
            Read(&["a.bin", "smuggled", "z"]),
        ),
        ("paxlong", long, Read(&["longname1"])),
        (
            "hardsize",
            [
                file("o", b"o\n"),
                sized(b'1', b"h", b"o", 512),
                inner,
                END.to_vec(),
            ]
            .concat(),
            Refused("a hard link that claims 512 bytes"),
        ),
    ]
}

/// Lengths that cannot be, and archives that end too early or too late.
pub fn wrong_lengths() -> Vec<Case> {
    vec![
        (
            "huge",
            [
                with_size(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
                END.to_vec(),
            ]
            .concat(),
            Refused("its length is no number"),
        ),
        (
            "neg",
            [with_size(&[0xff; 11]), END.to_vec()].concat(),
            Refused("its length is no number"),
        ),
        (
            "wrapped",
            [
                with_size(b"\x80\0\0\x01\0\0\0\0\0\0\0\x02"),
                padded(b"1\n"),
                END.to_vec(),
            ]
            .concat(),
            Refused("its length is no number"),
        ),
        (
            "hugepax",
            [sized_text(b'x', b"77777777777"), END.to_vec()].concat(),
            Refused("more than 1048576 bytes of headers"),
        ),
        (
            "trunc",
            [sized(b'0', b"f", b"", 5000), vec![b'x'; 100]].concat(),
            Refused("cut short"),
        ),
        ("noend", file("f", b"1\n"), Refused("cut short")),
        (
            "afterend",
            [
                file("f", b"1\n"),
                END.to_vec(),
                file("after", b"2\n"),
                END.to_vec(),
            ]
            .concat(),
            Refused("behind the end"),
        ),
        (
            "badsum",
            [broken_sum(), padded(b"1\n"), END.to_vec()].concat(),
            Refused("the sum of its header is wrong"),
        ),
        (
            "sparsebomb",
            sparse_bomb(),
            Refused("bytes of files are not read"),
        ),
    ]
}

fn sized_text(kind: u8, size: &[u8]) -> Vec<u8> {
    Header {
        size,
        ..Header::of(kind, b"px")
    }
    .block()
}

fn broken_sum() -> Vec<u8> {
    let mut block = sized(b'0', b"f", b"", 2);
    block[148..156].copy_from_slice(b"000000\0 ");
    block
}

fn sparse_bomb() -> Vec<u8> {
    let size = (1u64 << 60).to_string();
    let header = pax(
        b'x',
        &[
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"bomb"),
            ("GNU.sparse.realsize", size.as_bytes()),
        ],
    );
    let map = sized(b'0', b"GNUSparseFile.0/bomb", b"", 512);
    [header, map, padded(b"0\n"), END.to_vec()].concat()
}

fn with_size(size: &[u8]) -> Vec<u8> {
    Header {
        size,
        ..Header::of(b'0', b"f")
    }
    .block()
}
