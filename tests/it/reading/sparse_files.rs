//! Equal bytes are equal whether a disk stores them or not, and what was a hole stays one.

use crate::support::{Disk, File, content, cycle, disk_use, id, listings, unchanged};

const MIB: u64 = 1 << 20;

#[test]
fn sparse_files_go_the_whole_way() {
    for disk in [Disk::Ext4, Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let file = File::new(content("in the middle of nothing")).in_holes_of(40 * MIB);
        let [web, db] = lab.twins(&[
            ("/usr/share/sparse", file),
            ("/usr/share/plain", File::new(content(1))),
        ]);
        let used = disk_use(&[web.root(), db.root()]);
        assert!(used < MIB, "the file system keeps holes");
        cycle(&lab, &[&web, &db], &[]);
    }
}

/// The same bytes, once stored and once not: the one becomes the other without a byte's difference.
#[test]
fn a_hole_equals_zeroes() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    let middle = content("data");
    let zeroes = vec![0; MIB as usize];
    web.put("/usr/share/f", &File::new(middle.clone()).in_holes_of(MIB));
    db.put(
        "/usr/share/f",
        &File::new([&zeroes[..], &middle, &zeroes].concat()),
    );
    let before = listings(&[&web, &db]);
    let used = disk_use(&[web.root(), db.root()]);
    let plan = lab.plan(&[&web, &db], &[]);
    let promised = plan.promised();
    plan.apply().expect(0);
    unchanged(&[&web, &db], &before, "after apply");
    assert_eq!(id(&web.host("/usr/share/f")), id(&db.host("/usr/share/f")));
    let freed = used - disk_use(&[web.root(), db.root(), &lab.base().join("objects")]);
    assert_eq!(freed, promised, "bytes freed, against what `show` promised");
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    unchanged(&[&web, &db], &before, "after undo");
}
