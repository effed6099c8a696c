//! Receipts are lost, with the base or without: what guests have in common is found in the extent maps, and each file
//! gets blocks of its own.

use std::process::Command;

use crate::support::{
    Disk, File, Guest, Lab, assert_exact, content, exact, shares_blocks, soon_has_its_own,
};

fn text(name: &str) -> Vec<u8> {
    (0..400)
        .flat_map(|n| content(format!("{name}{n}")))
        .collect()
}

/// Three guests that share two files, of which the second guest has patched one since.
fn shared(lab: &Lab) -> [Guest; 3] {
    let guests = ["a", "b", "c"].map(|name| {
        let guest = lab.apart(name);
        guest.put("/usr/share/one", &File::new(text("one")));
        guest.put("/usr/share/two", &File::new(text("two")).owner(7, 8));
        guest.hard_link("/usr/share/two", "/usr/share/also");
        guest
    });
    lab.plan(&guests.each_ref(), &["--method", "reflink"])
        .apply()
        .expect(0);
    use std::os::unix::fs::FileExt;
    let patched = guests[1].host("/usr/share/one");
    let patched = std::fs::File::options().write(true).open(patched).unwrap();
    patched.write_all_at(b"patched", 1_000_000).unwrap();
    guests
}

fn undo(lab: &Lab, guests: &[&Guest], code: i32) -> String {
    let args: Vec<String> = guests.iter().map(|guest| guest.arg()).collect();
    let named = args.iter().flat_map(|arg| ["--guest", arg]);
    let all = ["--run", "all", "--from-disk", "--yes"]
        .into_iter()
        .chain(named);
    lab.on_base("undo", &all.collect::<Vec<_>>())
        .expect(code)
        .stderr
}

fn receipts_are_lost(disk: Disk) {
    let lab = lab!(disk);
    let guests = shared(&lab);
    let [a, b, c] = &guests;
    // Somebody else has blocks of the same file, and keeps them.
    let other = lab.path("other");
    let mut clone = Command::new("cp");
    clone.arg("--reflink=always").arg(a.host("/usr/share/one"));
    let cloned = clone.arg(&other).status();
    assert!(cloned.unwrap().success());
    let before = guests.each_ref().map(|guest| exact(guest.root()));
    std::fs::remove_dir_all(lab.base()).unwrap();
    lab.on_base("undo", &["--run", "all", "--from-disk", "--yes"])
        .expect(2);
    let arg = b.arg();
    let last = ["--run", "last", "--from-disk", "--yes", "--guest", &a.arg()];
    lab.on_base("undo", &last).expect(2);
    let placeless = ["--run", "all", "--from-disk", "--yes", "--guest", "a"];
    let placeless: Vec<&str> = placeless.into_iter().chain(["--guest", &arg]).collect();
    lab.on_base("undo", &placeless).expect(2);

    // What the two have in common with the third stays.
    undo(&lab, &[a, b], 0);
    assert_exact(&before, &[a, b, c], "after undo of two");
    assert!(shares_blocks(&c.host("/usr/share/two")), "{disk:?}");

    undo(&lab, &[a, b, c], 0);
    assert_exact(&before, &[a, b, c], "after undo of all");
    for guest in [a, b, c] {
        assert!(
            soon_has_its_own(&guest.host("/usr/share/two")),
            "{disk:?} {}",
            guest.name()
        );
    }
    for guest in [b, c] {
        assert!(
            soon_has_its_own(&guest.host("/usr/share/one")),
            "{disk:?} {}",
            guest.name()
        );
    }
    assert!(
        shares_blocks(&other),
        "{disk:?}: of another file nothing is taken"
    );
    assert_eq!(std::fs::read(&other).unwrap(), text("one"));
    let said = undo(&lab, &[a, b, c], 0);
    assert!(said.contains("Nothing to undo"), "{said}");
    lab.on_base("status", &[]).expect(0);
}

#[test]
fn with_the_base_on_xfs() {
    receipts_are_lost(Disk::Xfs);
}

#[test]
fn with_the_base_on_btrfs() {
    receipts_are_lost(Disk::Btrfs);
}

/// Only what is chosen; and a guest's name must not be another's.
#[test]
fn chosen_paths_and_namesakes() {
    let lab = lab!(Disk::Xfs);
    let guests = shared(&lab);
    let [a, b, c] = &guests;
    let stranger = format!("a={}", c.root().display());
    let args = [
        "--run",
        "all",
        "--from-disk",
        "--yes",
        "--guest",
        &stranger,
        "--guest",
        &b.arg(),
    ];
    lab.on_base("undo", &args).expect(2);
    let named = [a, b, c].map(Guest::arg);
    let named = named.iter().flat_map(|arg| ["--guest", arg]);
    let all = [
        "--run",
        "all",
        "--from-disk",
        "--yes",
        "--path",
        "/usr/share/one",
    ];
    let all: Vec<&str> = all.into_iter().chain(named).collect();
    lab.on_base("undo", &all).expect(0);
    assert!(soon_has_its_own(&c.host("/usr/share/one")));
    assert!(shares_blocks(&c.host("/usr/share/two")));
    // What receipts know was given back is known.
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let known: u64 = status["guests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|guest| guest["reflinked_files"].as_u64().unwrap())
        .sum();
    assert_eq!(known, 2, "{status}");
}

/// A file keeps its blocks where it is not chosen, though it is the first; what receipts tell of it holds on where not
/// all was given back; and what a guest has in common with itself is its own affair.
#[test]
fn the_first_the_left_out_and_the_own() {
    let lab = lab!(Disk::Xfs);
    let guests = shared(&lab);
    let [a, b, c] = &guests;
    let clone = |from: &str, to: &str| {
        let mut clone = Command::new("cp");
        clone.arg("--reflink=always").arg(c.host(from));
        assert!(clone.arg(c.host(to)).status().unwrap().success());
    };
    c.put("/usr/share/own", &File::new(text("own")));
    clone("/usr/share/own", "/usr/share/own2");
    use std::os::unix::fs::FileExt;
    let patched = std::fs::File::options()
        .write(true)
        .open(a.host("/usr/share/one"));
    patched.unwrap().write_all_at(&[7; 4096], 0).unwrap();
    let before = guests.each_ref().map(|guest| exact(guest.root()));
    let args = guests.each_ref().map(Guest::arg);
    let undo = |more: &[&str], named: &[&String], code: i32| {
        let named = named.iter().flat_map(|arg| ["--guest", arg.as_str()]);
        let all = ["--run", "all", "--from-disk", "--yes"].into_iter();
        let all: Vec<&str> = all.chain(more.iter().copied()).chain(named).collect();
        lab.on_base("undo", &all).expect(code)
    };
    let known = || {
        let status = lab.on_base("status", &["--json"]).expect(0).json();
        let guests = status["guests"].as_array().unwrap().clone();
        let counts = guests
            .iter()
            .map(|one| one["reflinked_files"].as_u64().unwrap());
        counts.sum::<u64>()
    };
    let [one, two, three] = &args;

    // Not of a guest without a place, nor one that is not given.
    undo(&["--not-guest", "stranger"], &[one, two], 2);
    // The first file of all alone.
    undo(&["--path", "a:/usr/share/two"], &[one, two, three], 0);
    assert!(soon_has_its_own(&a.host("/usr/share/two")));
    assert!(shares_blocks(&b.host("/usr/share/two")));
    // What receipts tell of a file holds on where it shares with a guest that was not named.
    undo(&[], &[one, three], 0);
    assert!(shares_blocks(&c.host("/usr/share/one")));
    assert_eq!(known(), 4);
    undo(&["--not-guest", "a"], &[one, two], 0);
    assert!(soon_has_its_own(&a.host("/usr/share/one")));
    assert!(shares_blocks(&b.host("/usr/share/two")));
    assert_eq!(known(), 4);
    undo(&[], &args.each_ref(), 0);
    assert!(soon_has_its_own(&c.host("/usr/share/one")));
    assert!(soon_has_its_own(&b.host("/usr/share/two")));
    assert!(known() < 4);
    for path in ["/usr/share/own", "/usr/share/own2"] {
        assert!(shares_blocks(&c.host(path)), "{path}");
    }
    assert_exact(&before, &[a, b, c], "after undo");
}
