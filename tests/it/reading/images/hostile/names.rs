//! Names, links, and what records say of owners, times and attributes.

use super::case::Case;
use super::case::Want::{Read, Refused};
use crate::reading::images::archives::*;

/// Paths that stand there twice, or lead out of the root or through something.
pub fn paths() -> Vec<Case> {
    let below = |first: Vec<u8>, name: &str| archive(&[first, file(name, b"x\n")]);
    vec![
        (
            "dup",
            archive(&[file("f", b"1\n"), file("f", b"22\n")]),
            Read(&["f"]),
        ),
        (
            "dup_linked",
            archive(&[file("f", b"1\n"), link(b'1', "h", "f"), file("f", b"2\n")]),
            Refused("the same path stands there before, as a file"),
        ),
        (
            "dup_through",
            archive(&[link(b'2', "f", "o"), file("f", b"2\n")]),
            Refused("as a symbolic link"),
        ),
        (
            "dotdot",
            archive(&[file("../../up", b"1\n")]),
            Refused("has .. in it"),
        ),
        (
            "plain",
            archive(&[file("/abs", b"2\n"), file("a//b/./c", b"3\n")]),
            Read(&["a/b/c", "abs"]),
        ),
        (
            "symparent",
            below(link(b'2', "lnk", "/etc"), "lnk/passwd"),
            Refused("beneath lnk, which is no directory"),
        ),
        (
            "fileparent",
            below(file("file", b"f\n"), "file/below"),
            Refused("beneath file, which is no directory"),
        ),
    ]
}

/// Hard links.
pub fn names() -> Vec<Case> {
    let hard = |entries: &[Vec<u8>]| archive(entries);
    vec![
        (
            "hard_later",
            hard(&[link(b'1', "h1", "later"), file("later", b"l\n")]),
            Refused("links to later, which does not stand before it"),
        ),
        (
            "hard_missing",
            hard(&[link(b'1', "h2", "missing")]),
            Refused("links to missing"),
        ),
        (
            "hard_self",
            hard(&[link(b'1', "h4", "h4")]),
            Refused("links to h4"),
        ),
        (
            "hard_symlink",
            hard(&[
                link(b'2', "s", "f"),
                file("f", b"l\n"),
                link(b'1', "h3", "s"),
            ]),
            Read(&["f"]),
        ),
    ]
}

/// Names that headers have in their own ways.
pub fn spelled() -> Vec<Case> {
    let old = |name: &'static [u8], size: &'static [u8]| {
        Header {
            size,
            form: OLD,
            ..Header::of(0, name)
        }
        .block()
    };
    vec![
        (
            "nul",
            archive(&[pax(b'x', &[("path", b"good\0evil")]), file("a", b"1\n")]),
            Refused("a bad record (path)"),
        ),
        (
            "v7",
            [
                old(b"d/", b"00000000000"),
                old(b"d/f", b"00000000002"),
                padded(b"1\n"),
                END.to_vec(),
            ]
            .concat(),
            Read(&["d/f"]),
        ),
        (
            "slashed",
            archive(&[file("d/", b"")]),
            Refused("ends with a slash"),
        ),
        (
            "two_names",
            two_names(),
            Refused("two headers give it a name"),
        ),
    ]
}

fn two_names() -> Vec<u8> {
    let long = Header {
        form: GNU,
        size: &octal(5),
        ..Header::of(b'L', b"././@LongLink")
    }
    .block();
    let record = pax(b'x', &[("path", b"other")]);
    archive(&[long, padded(b"name\0"), record, file("f", b"1\n")])
}

/// Records that say owners, times and attributes.
pub fn facts() -> Vec<Case> {
    let global = [("uid", &b"4242"[..]), ("SCHILY.xattr.user.g", b"v")];
    let remark = [("comment", &b"0a1b2c"[..])];
    let own = [("LIBARCHIVE.xattr.user.note", &b"cGxhaW4"[..])];
    let early = [("mtime", &b"-157766394.5"[..])];
    vec![
        (
            "global",
            archive(&[pax(b'g', &global), file("f", b"1\n")]),
            Refused("sets uid"),
        ),
        (
            "remark",
            archive(&[pax(b'g', &remark), file("f", b"1\n")]),
            Read(&["f"]),
        ),
        (
            "libxattr",
            archive(&[pax(b'x', &own), file("f", b"1\n")]),
            Refused("for libarchive alone"),
        ),
        (
            "mtime",
            archive(&[pax(b'x', &early), file("f", b"1\n")]),
            Read(&["f"]),
        ),
        (
            "badtime",
            archive(&[pax(b'x', &[("mtime", b"1e9")]), file("g", b"1\n")]),
            Refused("a bad record (mtime)"),
        ),
        (
            "silent_record",
            archive(&[entry(b'x', b"px", b"x 3=4\n"), file("g", b"1\n")]),
            Refused("a bad record"),
        ),
        (
            "orphan",
            [pax(b'x', &remark), END.to_vec()].concat(),
            Refused("has none behind it"),
        ),
    ]
}
