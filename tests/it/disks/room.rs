//! An undo needs room, and takes none that the file system keeps back for root: other users write by that.

use crate::support::{Disk, File, content, fill_disk, id};

#[test]
fn the_reserve_of_root_is_no_room_for_an_undo() {
    let lab = lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[("/usr/lib/a", File::new(content("a")))]);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    // A twentieth of 4 GiB is root's.
    let filler = lab.path("filler");
    fill_disk(&filler, 100 << 10);
    let out = lab.on_base("undo", &["--run", "all", "--yes"]).expect(8);
    assert!(out.stderr.contains("are free"), "{}", out.stderr);
    assert_eq!(id(&web.host("/usr/lib/a")), id(&db.host("/usr/lib/a")));
    std::fs::remove_dir_all(&filler).unwrap();
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert_ne!(id(&web.host("/usr/lib/a")), id(&db.host("/usr/lib/a")));
}
