//! Chance makes small trees, and each of them goes through plan, apply, verify and undo. `PROPTEST_CASES` sets how
//! many.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Disk, File, Guest, Lab, content, cycle};

/// One name of a random tree. Few values for each fact, so that many files are equal in some facts and some in all.
#[derive(Debug, Clone)]
struct Name {
    guest: usize,
    place: usize,
    name: usize,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    File {
        content: usize,
        mode: u32,
        uid: u32,
        nsec: u32,
        label: Option<u8>,
        hole: bool,
    },
    HardLinkTo(usize),
    Symlink,
    Fifo,
}

const PLACES: [&str; 5] = [
    "/usr/bin",
    "/usr/share/a",
    "/usr/share/a/b",
    "/etc",
    "/opt/x",
];

fn names() -> impl Strategy<Value = Vec<Name>> {
    let file = (
        0..4usize,
        prop_oneof![4 => Just(0o644u32), 1 => Just(0o755), 1 => Just(0o4755), 1 => Just(0o600)],
        0..2u32,
        0..2u32,
        prop::option::weighted(0.2, 0..2u8),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(content, mode, uid, nsec, label, hole)| What::File {
            content,
            mode,
            uid,
            nsec,
            label,
            hole,
        });
    let what = prop_oneof![12 => file, 3 => (0..1000usize).prop_map(What::HardLinkTo), 1 => Just(What::Symlink), 1 => Just(What::Fifo)];
    let name =
        (0..3usize, 0..PLACES.len(), 0..6usize, what).prop_map(|(guest, place, name, what)| Name {
            guest,
            place,
            name,
            what,
        });
    prop::collection::vec(name, 0..60)
}

/// Makes the tree; a name that exists already is left as it is.
fn make(guests: &[Guest], names: &[Name]) {
    let mut made: Vec<(usize, String)> = Vec::new();
    for name in names {
        let guest = &guests[name.guest];
        let path = format!("{}/f{}", PLACES[name.place], name.name);
        if guest.host(&path).symlink_metadata().is_ok() {
            continue;
        }
        match &name.what {
            What::Symlink => guest.symlink("/usr/bin/f0", &path),
            What::Fifo => guest.fifo(&path),
            What::HardLinkTo(n) => match made.get(n % made.len().max(1)) {
                Some((other, old)) => {
                    std::fs::create_dir_all(guest.host(PLACES[name.place])).unwrap();
                    std::fs::hard_link(guests[*other].host(old), guest.host(&path)).unwrap();
                }
                None => continue,
            },
            file => {
                guest.put(&path, &describe(file));
                made.push((name.guest, path));
            }
        }
    }
}

fn describe(what: &What) -> File {
    let What::File {
        content: seed,
        mode,
        uid,
        nsec,
        label,
        hole,
    } = what
    else {
        unreachable!("only files are described")
    };
    let file = File::new(content(seed))
        .mode(*mode)
        .owner(*uid, 0)
        .mtime(1_700_000_000, *nsec);
    let file = match label {
        Some(n) => file.xattr("user.label", &[*n]),
        None => file,
    };
    if *hole {
        file.in_holes_of(1 << 16)
    } else {
        file
    }
}

#[test]
fn any_tree_goes_the_whole_way() {
    match Lab::on(Disk::Own) {
        Ok(_) => {}
        Err(why) => skip!("{why}"),
    }
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(24),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(&names(), |names| {
        let lab = Lab::on(Disk::Own).unwrap();
        let guests = ["a", "b", "c"].map(|name| lab.guest(name));
        make(&guests, &names);
        cycle(&lab, &guests.each_ref(), &["--min-size", "1"]);
        Ok(())
    });
    outcome.unwrap_or_else(|e| panic!("{e}"));
}
