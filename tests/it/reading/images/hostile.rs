//! Archives that programs read in different ways, and damaged ones: an answer that all agree on, or a refusal by name.
//! GNU tar and bsdtar are asked about each, where they are there, so that no refusal is there for nothing.

use std::path::Path;
use std::process::Command;

mod case;
mod lengths;
mod names;

use super::archives::*;
use super::{names_of, try_image};
use crate::support::{Disk, Lab};
use case::Want::{Read, Refused};

#[test]
fn each_is_read_as_all_read_it_or_refused_by_name() {
    let lab = lab!(Disk::Own);
    let cases = [
        lengths::hidden(),
        lengths::two_lengths(),
        lengths::wrong_lengths(),
        names::paths(),
        names::names(),
        names::spelled(),
        names::facts(),
    ];
    let cases: Vec<case::Case> = cases.into_iter().flatten().collect();
    assert!(cases.len() >= 28, "{}", cases.len());
    for (name, bytes, want) in &cases {
        let path = lab.path(&format!("{name}.tar"));
        std::fs::write(&path, bytes).unwrap();
        let (out, plan) = try_image(&lab, path.to_str().unwrap());
        match want {
            Refused(words) => {
                assert_eq!(out.code, 1, "{name}: {}", out.stderr);
                assert!(out.stderr.contains(words), "{name}: {}", out.stderr);
                assert!(plan.is_none(), "{name}: half an answer");
            }
            Read(files) => {
                assert_eq!(out.code, 0, "{name}: {}", out.stderr);
                let names = names_of(&plan.unwrap());
                assert_eq!(&names, files, "{name}");
                assert_oracles(&lab, name, &path, files);
            }
        }
    }
}

/// What is read is what GNU tar and bsdtar unpack.
fn assert_oracles(lab: &Lab, name: &str, archive: &Path, files: &[&str]) {
    for program in ["tar", "bsdtar"] {
        let place = lab.path(&format!("{name}-by-{program}"));
        std::fs::create_dir(&place).unwrap();
        let done = Command::new(program)
            .args(["-x", "-f"])
            .arg(archive)
            .arg("-C")
            .arg(&place)
            .output();
        let Ok(done) = done else {
            crate::support::skipped("images by bsdtar", "bsdtar is not there");
            continue;
        };
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{name}: {program}: {said}");
        let mut unpacked: Vec<String> = walkdir::WalkDir::new(&place)
            .into_iter()
            .map(Result::unwrap)
            .filter(|found| found.file_type().is_file())
            .map(|found| {
                found
                    .path()
                    .strip_prefix(&place)
                    .unwrap()
                    .display()
                    .to_string()
            })
            .collect();
        unpacked.sort();
        assert_eq!(unpacked, files, "{name}: {program}");
    }
}

/// Random damage ends in an answer or a refusal, and never in anything else.
#[test]
fn damage_is_answered_or_refused() {
    let lab = lab!(Disk::Own);
    let good = archive(&[
        directory("usr"),
        pax(b'x', &[("mtime", b"5.25"), ("SCHILY.xattr.user.a", b"b")]),
        file("usr/a", &[b'a'; 700]),
        link(b'1', "usr/b", "usr/a"),
        link(b'2', "c", "usr"),
        sparse(),
    ]);
    let path = lab.path("damaged.tar");
    let mut state = 1u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap()
    };
    for _ in 0..40 {
        let mut bytes = good.clone();
        for _ in 0..=random() % 3 {
            let at = random() % bytes.len();
            bytes[at] = u8::try_from(random() % 256).unwrap();
        }
        if random() % 4 == 0 {
            bytes.truncate(random() % bytes.len());
        }
        std::fs::write(&path, &bytes).unwrap();
        let (out, _) = try_image(&lab, &format!("tar:{}", path.display()));
        assert!(matches!(out.code, 0 | 1), "{}: {}", out.code, out.stderr);
    }
}

/// 1,000 bytes and a hole before them.
fn sparse() -> Vec<u8> {
    let header = pax(
        b'x',
        &[
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"usr/sparse"),
            ("GNU.sparse.realsize", b"5000"),
        ],
    );
    let content = [padded(b"1\n4000\n1000\n"), vec![b's'; 1000]].concat();
    [header, file("GNUSparseFile.1/sparse", &content)].concat()
}
