//! Receipts that are lost or damaged: what a base does not remember is found on the disk.

use std::path::PathBuf;

use crate::support::{
    Disk, File, Guest, Lab, Listing, content, is_immutable, listings, nlink, unchanged,
};

/// Three guests that share two files.
fn shared(lab: &Lab) -> ([Guest; 3], Vec<Listing>) {
    let guests = ["a", "b", "c"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(1)));
        guest.put("/usr/g", &File::new(content(2)));
        guest
    });
    let before = listings(&guests.each_ref());
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    (guests, before)
}

/// The receipts of all runs.
fn receipts(lab: &Lab) -> Vec<PathBuf> {
    let runs = std::fs::read_dir(lab.base().join("runs")).unwrap();
    let all = runs.map(|run| run.unwrap().path().join("receipt.jsonl"));
    let mut all: Vec<PathBuf> = all.filter(|path| path.exists()).collect();
    all.sort();
    all
}

#[track_caller]
fn all_private(lab: &Lab, guests: &[Guest; 3], before: &[Listing]) {
    for guest in guests {
        for name in ["/usr/f", "/usr/g"] {
            let file = guest.host(name);
            assert!(
                !is_immutable(&file) && nlink(&file) == 1,
                "{}",
                file.display()
            );
        }
    }
    unchanged(&guests.each_ref(), before, "after undo");
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.objects().len(), 0);
}

#[test]
fn undo_finds_on_the_disk_what_no_receipt_tells() {
    let lab = lab!(Disk::Own);
    let (guests, before) = shared(&lab);
    for receipt in receipts(&lab) {
        std::fs::remove_file(receipt).unwrap();
    }
    let status = lab.on_base("status", &[]).expect(3).stdout;
    assert!(status.contains("UNKNOWN: 6 names"), "{status}");
    let undo = |wanted: &[&Guest], code| {
        let args: Vec<String> = wanted.iter().map(|guest| guest.arg()).collect();
        let args = args.iter().flat_map(|arg| ["--guest", arg]);
        let args: Vec<&str> = ["--run", "all", "--yes"].into_iter().chain(args).collect();
        lab.on_base("undo", &args).expect(code)
    };
    let [a, b, c] = &guests;
    // Somebody else holds the other names, and whether he runs nobody knows.
    undo(&[a], 4);
    assert!(is_immutable(&a.host("/usr/f")) && nlink(&a.host("/usr/f")) == 4);
    let args = ["--run", "last", "--guest", &a.arg(), "--yes"];
    lab.on_base("undo", &args).expect(2);
    // A receipt could not be read, which is told; nothing else is wrong.
    let said = undo(&[a, b, c], 3).stderr;
    assert!(said.contains("found on the disk"), "{said}");
    all_private(&lab, &guests, &before);
}

#[test]
fn a_base_without_receipts_learns_from_the_disk() {
    let lab = lab!(Disk::Own);
    let (guests, before) = shared(&lab);
    std::fs::remove_dir_all(lab.base().join("runs")).unwrap();
    std::fs::create_dir(lab.base().join("runs")).unwrap();
    let restored = |guests: &[&Guest]| {
        let args: Vec<String> = guests.iter().map(|guest| guest.arg()).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        lab.on_base("recover", &[&["--restored"], &args[..]].concat())
    };
    restored(&[]).expect(8);
    let said = restored(&[&guests[0]]).expect(3).stdout;
    assert!(said.contains("UNKNOWN: 4 names of 2 objects"), "{said}");
    restored(&guests.each_ref()).expect(0);
    lab.on_base("status", &["--exit-code"]).expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    all_private(&lab, &guests, &before);
}

/// Wherever the bit is: it is said, one command goes on, and every name is known again.
#[test]
fn a_flipped_bit_is_told_and_mended() {
    let lab = lab!(Disk::Own);
    let (guests, before) = shared(&lab);
    let receipt = receipts(&lab).remove(0);
    let whole = std::fs::read(&receipt).unwrap();
    let bits = whole.len() * 8;
    // Some of each line: a test of the ledger tries them all.
    let step = (bits / 12 / 64 * 64).max(64);
    for bit in (0..bits).step_by(step + 1) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&receipt, &bytes).unwrap();
        let status = lab.on_base("status", &["--json"]).expect(3).json();
        let damaged = status["damaged_lines"].as_array().unwrap();
        assert!((1..3).contains(&damaged.len()), "bit {bit}: {status}");
        lab.on_base("recover", &["--restored"]).expect(0);
        let status = lab.on_base("status", &["--json"]).expect(0).json();
        let names = |guest: &serde_json::Value| guest["shared_names"] == 2;
        assert!(
            status["guests"].as_array().unwrap().iter().all(names),
            "bit {bit}: {status}"
        );
    }
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    all_private(&lab, &guests, &before);
}

/// A receipt of which nothing is left is told, and all that follows is as with a damaged line.
#[test]
fn a_receipt_that_is_gone_or_emptied_is_told_and_mended() {
    let lab = lab!(Disk::Own);
    let (guests, before) = shared(&lab);
    let receipt = receipts(&lab).remove(0);
    let whole = std::fs::read(&receipt).unwrap();
    for (left, how) in [
        (Some(&whole[..0]), "it is empty"),
        (Some(&whole[..20]), "its first line is cut off"),
        (None, "it is not there"),
    ] {
        std::fs::remove_file(&receipt).unwrap();
        left.iter()
            .for_each(|left| std::fs::write(&receipt, left).unwrap());
        let status = lab.on_base("status", &["--json"]).expect(3).json();
        let damaged = status["damaged_lines"].as_array().unwrap();
        assert_eq!(damaged.len(), 1, "{status}");
        let why = damaged[0]["why"].as_str().unwrap();
        assert!(why.contains(how), "{why}");
        let said = lab.on_base("status", &[]).expect(3).stdout;
        assert!(said.contains("/receipt.jsonl, line 1: "), "{said}");
        let args = guests.each_ref().map(Guest::arg);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        lab.on_base("recover", &[&["--restored"], &args[..]].concat())
            .expect(0);
        let status = lab.on_base("status", &["--json"]).expect(0).json();
        assert_eq!(
            status["damaged_lines"].as_array().unwrap().len(),
            0,
            "{status}"
        );
        std::fs::write(&receipt, &whole).unwrap();
    }
    // A run that was killed before it did anything is nothing to be told of.
    let papers = receipt.parent().unwrap();
    let idle = papers.with_file_name("20200101T000000Z-00000001");
    std::fs::create_dir(&idle).unwrap();
    std::fs::copy(papers.join("plan"), idle.join("plan")).unwrap();
    lab.on_base("status", &["--exit-code"]).expect(0);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    all_private(&lab, &guests, &before);
}

/// What the damaged line told cannot be undone by receipts; all else can, and the rest is found by a walk.
#[test]
fn one_damaged_line_stops_nothing_else() {
    let lab = lab!(Disk::Own);
    let (guests, before) = shared(&lab);
    let receipt = receipts(&lab).remove(0);
    let text = std::fs::read_to_string(&receipt).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("\"b\"") && line.contains("/usr/f"));
    let damaged = line.unwrap().replacen("/usr/f", "/usr/e", 1);
    std::fs::write(&receipt, text.replace(line.unwrap(), &damaged)).unwrap();
    let said = lab
        .on_base("undo", &["--run", "all", "--yes"])
        .expect(4)
        .stderr;
    assert!(said.contains("damaged"), "{said}");
    for guest in &guests {
        assert!(!is_immutable(&guest.host("/usr/g")), "the other object");
        assert!(
            is_immutable(&guest.host("/usr/f")),
            "not every holder is known"
        );
    }
    let b = guests[1].arg();
    // All is done, and the line could not be read.
    lab.on_base("undo", &["--run", "all", "--guest", &b, "--yes"])
        .expect(3);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(3);
    all_private(&lab, &guests, &before);
}
