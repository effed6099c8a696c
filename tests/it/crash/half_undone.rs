//! An undo or an apply was interrupted while flags were off, and guests wrote before a run healed it. No such
//! write is lost.

use std::io::Write;

use crate::support::{Disk, File, Guest, Lab, content, id, interrupt, is_immutable, nlink};

/// Two guests that share a file with two names, and an undo that is interrupted.
fn undo_cut(lab: &Lab, (call, nth): (&str, usize)) -> [Guest; 2] {
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(1)));
        guest.hard_link("/usr/f", "/usr/g");
        guest
    });
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    let base = lab.base();
    let base = base.to_str().unwrap();
    interrupt(
        call,
        nth,
        &["undo", "--run", "all", "--yes", "--base", base],
    );
    guests
}

/// The machine started again before a run healed the undo, and the guest wrote to a file that was its own again.
#[test]
fn what_a_guest_wrote_after_a_cut_undo_is_not_lost() {
    traced!();
    for at in [("syncfs", 2), ("unlinkat", 1)] {
        let lab = lab!(Disk::Own);
        let guests = undo_cut(&lab, at);
        for guest in &guests {
            let file = std::fs::File::options()
                .append(true)
                .open(guest.host("/usr/f"));
            file.unwrap().write_all(guest.name().as_bytes()).unwrap();
        }
        lab.on_base("recover", &[]).expect(0);
        for guest in &guests {
            let wanted = [&content(1)[..], guest.name().as_bytes()].concat();
            for name in ["/usr/f", "/usr/g"] {
                assert!(std::fs::read(guest.host(name)).unwrap() == wanted, "{at:?}");
            }
        }
        assert_eq!(lab.staged().len(), 0);
        lab.on_base("undo", &["--run", "all", "--yes"])
            .expect_one_of(&[0, 2, 4]);
        lab.on_base("gc", &[]).expect(0);
        assert_eq!(lab.objects().len(), 0);
    }
}

/// The same where one of the file's names was not the guest's own again: what lies on the object belongs to all
/// guests, so that name follows the other, and both have what the guest wrote.
#[test]
fn half_an_undo_is_finished() {
    traced!();
    for call in ["renameat2", "linkat"] {
        let lab = lab!(Disk::Own);
        let guests = undo_cut(&lab, (call, 2));
        let names = ["/usr/f", "/usr/g"];
        let split = |g: &&Guest| id(&g.host(names[0])) != id(&g.host(names[1]));
        let Some(own) = guests.iter().find(split) else {
            continue;
        };
        let [first, second] = names.map(|name| own.host(name));
        let private = if is_immutable(&first) || nlink(&first) > 2 {
            &second
        } else {
            &first
        };
        let wrote = id(private);
        append(private, b"more");
        let other = guests.iter().find(|g| g.name() != own.name()).unwrap();
        append(&other.host(names[0]), b"evil");
        lab.on_base("recover", &[]).expect(12);
        assert_eq!([id(&first), id(&second)], [wrote, wrote]);
        let wanted = [&content(1)[..], b"more"].concat();
        assert!(std::fs::read(&first).unwrap() == wanted);
        assert_eq!(nlink(&first), 2);
        assert!(!is_immutable(&first));
        assert_eq!(lab.staged().len(), 0);
        let status = lab.on_base("status", &["--json"]).expect(0).json();
        let guest = status["guests"].as_array().unwrap().iter();
        let mut guest = guest.filter(|guest| guest["name"] == own.name());
        assert!(
            guest.all(|one| one["shared_names"] == 0 && one["drifted"] == serde_json::json!([])),
            "{status}"
        );
    }
}

fn append(file: &std::path::Path, bytes: &[u8]) {
    let open = std::fs::File::options().append(true).open(file);
    open.unwrap().write_all(bytes).unwrap();
}

/// A process wrote to an object whose flag was off when a run was killed, by its name in the base or in a guest.
/// The write stays whether the guests' own files come back, as in an apply, or were copied before, as in an undo.
#[test]
fn what_was_written_to_an_object_after_a_cut_is_not_lost() {
    traced!();
    for undo in [false, true] {
        let lab = lab!(Disk::Own);
        let guests = if undo {
            undo_cut(&lab, ("syncfs", 2))
        } else {
            let guests = lab.twins(&[("/usr/f", File::new(content(1)))]);
            let plan = lab.plan(&guests.each_ref(), &["--objects", "copy"]);
            let plan = plan.path.to_str().unwrap();
            interrupt("syncfs", 2, &["apply", "--yes", plan]);
            guests
        };
        let [object] = &lab.objects()[..] else {
            panic!("one object");
        };
        let chattr = std::process::Command::new("chattr")
            .arg("-i")
            .arg(object)
            .status();
        assert!(chattr.unwrap().success());
        let mut file = std::fs::File::options().append(true).open(object).unwrap();
        file.write_all(b"more").unwrap();
        drop(file);
        lab.on_base("recover", &[]).expect(12);
        let written = [&content(1)[..], b"more"].concat();
        for guest in &guests {
            let now = std::fs::read(guest.host("/usr/f")).unwrap();
            assert!(now == content(1), "{undo}");
        }
        let aside = lab.quarantined();
        assert!(!aside.is_empty());
        for aside in aside {
            assert!(std::fs::read(&aside).unwrap() == written, "{undo}");
            assert!(!is_immutable(&aside), "a person may remove it");
            assert_eq!(nlink(&aside), 1, "it is no name of the object");
        }
        assert_eq!(lab.staged().len(), 0);
    }
}

/// A guest removes the file that it was given back, and makes another one, which the file system gives the number
/// of the first. Its other name gets the copy that was made for it.
#[test]
fn a_new_file_is_not_taken_for_the_copy_whatever_its_number() {
    traced!();
    let mut split = 0;
    for at in [
        ("renameat2", 2),
        ("linkat", 2),
        ("linkat", 3),
        ("linkat", 4),
    ] {
        let lab = lab!(Disk::Own);
        let guests = undo_cut(&lab, at);
        for guest in &guests {
            let [first, second] = ["/usr/f", "/usr/g"].map(|name| guest.host(name));
            if id(&first) == id(&second) {
                continue;
            }
            split += 1;
            let private = if is_immutable(&first) || nlink(&first) > 2 {
                [&second, &first]
            } else {
                [&first, &second]
            };
            std::fs::remove_file(private[0]).unwrap();
            std::fs::write(private[0], "another file").unwrap();
            lab.on_base("recover", &[]).expect(0);
            assert!(std::fs::read(private[0]).unwrap() == b"another file");
            assert!(std::fs::read(private[1]).unwrap() == content(1), "{at:?}");
            assert_eq!(nlink(private[0]), 1);
        }
    }
    assert!(split > 0, "no cut split a file");
}

/// A guest made one of a file's names a file of its own, which a second run linked again: it is given back as such.
#[test]
fn names_that_became_two_files_are_given_back_as_two() {
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(1)));
        guest
    });
    let [web, _] = &guests;
    web.hard_link("/usr/f", "/usr/g");
    let options = [
        "--protect",
        "none",
        "--protect",
        "none",
        "--objects",
        "copy",
    ];
    let run = || {
        let plan = lab.plan(&guests.each_ref(), &options);
        plan.apply().expect(0);
    };
    run();
    std::fs::remove_file(web.host("/usr/g")).unwrap();
    web.put("/usr/g", &File::new(content(1)));
    run();
    assert_eq!(
        id(&web.host("/usr/f")),
        id(&web.host("/usr/g")),
        "one object"
    );
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    assert_ne!(id(&web.host("/usr/f")), id(&web.host("/usr/g")));
    assert_eq!(nlink(&web.host("/usr/f")), 1);
}
