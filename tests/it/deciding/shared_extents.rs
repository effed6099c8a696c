//! Copies that share their extents take no room and no time to make: a plan reads one of them, is not kept busy by
//! many, and is never wrong about what is in them.

use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use crate::support::{Disk, File, Guest, Lab, content, unify_with};

const MIB: u64 = 1 << 20;

/// Makes copies that share all extents; false where this disk has none.
fn copies(guest: &Guest, of: &str, number: usize) -> bool {
    let from = guest.host(of);
    (0..number).all(|n| {
        let to = guest.host(format!("{of}-{n}"));
        let mut cp = Command::new("cp");
        let cp = cp.args(["-a", "--reflink=always"]).args([&from, &to]);
        cp.status().unwrap().success()
    })
}

fn large(guest: &Guest, path: &str, mib: u64) {
    let bytes: Vec<u8> = (0..mib * MIB / 8)
        .flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
        .collect();
    guest.put(path, &File::new(bytes));
    sync();
}

fn sync() {
    assert!(Command::new("sync").status().unwrap().success());
}

/// How often a plan reads.
fn reads(lab: &Lab, guests: &[&Guest], calls: &str) -> usize {
    let trace = lab.path("trace");
    std::fs::remove_file(&trace).ok();
    let base = lab.base().display().to_string();
    let out = lab.path("out.json").display().to_string();
    let mut args = vec![
        "plan".to_owned(),
        "--protect".into(),
        "immutable".into(),
        "--no-cache".into(),
        "--base".into(),
        base,
    ];
    args.extend(["-o".into(), out]);
    args.extend(
        guests
            .iter()
            .map(|guest| guest.root().display().to_string()),
    );
    unify_with(&[("UNIFY_FAULT_TRACE", trace.to_str().unwrap())], &args).expect(0);
    let text = std::fs::read_to_string(&trace).unwrap();
    text.lines().filter(|call| *call == calls).count()
}

#[test]
fn copies_are_read_once() {
    armed!();
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let [web, db] = lab.twins(&[("/usr/honest", File::new(content(1)))]);
        large(&web, "/usr/f", 8);
        assert!(copies(&web, "/usr/f", 1), "{disk:?}");
        let few = reads(&lab, &[&web, &db], "read");
        // Held open together, and then more than are.
        for number in [40, 100] {
            assert!(copies(&web, "/usr/f", number), "{disk:?}");
            let many = reads(&lab, &[&web, &db], "read");
            let each = number * 10;
            assert!(
                many < few + each,
                "{disk:?}: {many} reads of {number}, {few} of two"
            );
            let plan = lab.plan(&[&web, &db], &["--no-cache"]);
            assert_eq!(plan.names().len(), 2 + 1 + number, "{disk:?}");
        }
    }
}

/// Sets the time that a file had, and writes nothing out.
fn change_in_memory(path: &Path, at: u64) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let time = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(b"changed", at).unwrap();
    file.set_times(std::fs::FileTimes::new().set_modified(time))
        .unwrap();
}

/// What has changed is seen, on disk or still in memory, in the first byte of a piece or the last of the file.
#[test]
fn a_copy_that_changed_is_no_copy() {
    for disk in [Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let [web, db] = lab.twins(&[("/usr/honest", File::new(content(1)))]);
        large(&web, "/usr/f", 4);
        assert!(copies(&web, "/usr/f", 80), "{disk:?}");
        change_in_memory(&web.host("/usr/f-3"), 0);
        change_in_memory(&web.host("/usr/f-7"), 4 * MIB - 7);
        sync();
        change_in_memory(&web.host("/usr/f-20"), 2 * MIB);
        change_in_memory(&web.host("/usr/f-60"), MIB - 3);
        let plan = lab.plan(&[&web, &db], &["--no-cache"]);
        for n in 0..80 {
            let linked = plan.link("web", format!("/usr/f-{n}")).is_some();
            assert_eq!(linked, ![3, 7, 20, 60].contains(&n), "{disk:?}: {n}");
        }
        plan.apply().expect(0);
    }
}

/// Each has a time of its own, so that no two look alike: of all together not more is read than could be stored.
#[test]
fn a_guest_has_no_more_read_than_its_disk_stores() {
    let lab = lab!(Disk::Xfs);
    let [web, db] = lab.twins(&[("/usr/share/honest", File::new(content(1)))]);
    let path = web.host("/usr/f");
    let mut dd = Command::new("dd");
    let dd = dd.args([
        "if=/dev/zero",
        "bs=1M",
        "count=512",
        "conv=fsync",
        "status=none",
    ]);
    let made = dd.arg(format!("of={}", path.display())).status().unwrap();
    assert!(made.success() && copies(&web, "/usr/f", 40));
    for n in 0..40 {
        let path = web.host(format!("/usr/f-{n}"));
        let file = std::fs::File::options().write(true).open(path).unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + n);
        file.set_times(std::fs::FileTimes::new().set_modified(time))
            .unwrap();
    }
    let plan = lab.plan(&[&web, &db], &[]);
    assert!(plan.link("web", "/usr/share/honest").is_some());
    let skipped = &plan.json["summary"]["skipped"]["more-than-stored"]["files"];
    // 41 of half a GiB are 20.5 GiB, and 16 GiB may be read of any guest.
    assert!([8, 9].contains(&skipped.as_u64().unwrap()), "{skipped}");
}
