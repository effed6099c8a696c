//! A guest's files of equal content are one object. What it writes to one of them is not for the others, wherever it
//! has moved them since, and however new the record is that says which is which.

use super::OPEN;
use crate::support::{Disk, File, Guest, Kernel, Lab, content, id, nlink};

/// Two guests with these files, all of one content, and the second name of the first one.
fn twins(lab: &Lab, files: &[&str], link: &str) -> [Guest; 2] {
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for path in files {
            guest.put(path, &File::new(content(1)));
        }
        guest.hard_link(files[0], link);
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    let all = files.iter().map(|path| id(&guests[0].host(path)));
    assert!(
        all.collect::<Vec<_>>()
            .windows(2)
            .all(|two| two[0] == two[1])
    );
    guests
}

fn rename(guest: &Guest, old: &str, new: &str) {
    std::fs::rename(guest.host(old), guest.host(new)).unwrap();
}

fn added(more: &[u8]) -> Vec<u8> {
    [&content(1)[..], more].concat()
}

/// The guest writes to one: so many names of it are one file then, and these others have what they had.
#[track_caller]
fn writes(kernel: &mut Kernel, guest: &Guest, names: &[&str], others: &[&str], more: &[u8]) {
    let before: Vec<_> = others.iter().map(|name| guest.read(name)).collect();
    kernel.write(&guest.host(names[0]), more);
    for name in names {
        assert_eq!(id(&guest.host(name)), id(&guest.host(names[0])), "{name}");
        assert!(guest.read(name) == added(more), "{name}");
    }
    assert_eq!(nlink(&guest.host(names[0])), names.len() as u64);
    let after: Vec<_> = others.iter().map(|name| guest.read(name)).collect();
    assert!(after == before, "another file of the guest has changed");
}

#[test]
fn a_file_that_was_moved_is_not_its_twin() {
    armed!();
    let lab = lab!(Disk::Own);
    for first in [0, 1] {
        let lab = lab.part(["one", "other"][first]);
        let [web, db] = twins(&lab, &["/opt/app/x", "/opt/app.bak/x"], "/opt/app/y");
        let mut kernel = Kernel::start(&lab, &[], &[]);
        rename(&web, "/opt/app.bak", "/opt/app.old");
        let app = ["/opt/app/x", "/opt/app/y"];
        if first == 0 {
            writes(&mut kernel, &web, &["/opt/app.old/x"], &app, b"old");
            writes(&mut kernel, &web, &app, &["/opt/app.old/x"], b"app");
        } else {
            writes(&mut kernel, &web, &app, &["/opt/app.old/x"], b"app");
            writes(&mut kernel, &web, &["/opt/app.old/x"], &app, b"old");
        }
        assert!(db.read("/opt/app/x") == content(1) && db.read("/opt/app.bak/x") == content(1));
    }
}

#[test]
fn files_that_were_moved_together_are_told_apart() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, _] = twins(&lab, &["/opt/app/x", "/opt/app/z"], "/opt/app/y");
    let mut kernel = Kernel::start(&lab, &[], &[]);
    rename(&web, "/opt/app", "/opt/new");
    let both = ["/opt/new/x", "/opt/new/y"];
    writes(&mut kernel, &web, &["/opt/new/z"], &both, b"z");
    writes(&mut kernel, &web, &both, &["/opt/new/z"], b"x");
}

/// A run has shared one more file of the guest since the daemon read what there is.
#[test]
fn a_file_that_a_later_run_has_shared_is_one_of_its_own() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = twins(&lab, &["/usr/a"], "/usr/a2");
    let mut kernel = Kernel::start(&lab, &[], &[]);
    web.put("/usr/b", &File::new(content(1)));
    lab.plan(&[&web, &db], &OPEN).apply().expect_one_of(&[0, 4]);
    assert_eq!(id(&web.host("/usr/a")), id(&web.host("/usr/b")));
    writes(&mut kernel, &web, &["/usr/b"], &["/usr/a", "/usr/a2"], b"b");
    writes(&mut kernel, &web, &["/usr/a", "/usr/a2"], &["/usr/b"], b"a");
}

/// Nobody can tell of which of two files a name is that was made of one, once they have lost theirs: it is a file of
/// its own then, and no other one is changed.
#[test]
fn a_name_that_may_be_of_two_files_is_one_by_itself() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, _] = twins(&lab, &["/usr/a", "/opt/b"], "/usr/a2");
    let mut kernel = Kernel::start(&lab, &[], &[]);
    rename(&web, "/opt/b", "/usr/c");
    writes(&mut kernel, &web, &["/usr/c"], &["/usr/a", "/usr/a2"], b"c");
}
