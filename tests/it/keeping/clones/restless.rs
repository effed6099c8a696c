//! A hostile guest that changes under the clone: nothing from outside comes in, nothing waits, and it is told.

use super::{clone_with, left_in};
use crate::support::{Disk, File, Guest, Lab, content, inside};

fn scene(lab: &Lab) -> Guest {
    let guest = lab.guest("web");
    guest.put("/a/f", &File::new(content(1)));
    guest.put("/usr/sub/f", &File::new(content(2)));
    guest.put("/usr/z", &File::new(content(3)));
    let outside = lab.path("outside");
    std::fs::create_dir_all(outside.join("sub")).unwrap();
    std::fs::write(outside.join("secret"), "secret").unwrap();
    std::fs::write(outside.join("sub/secret"), "secret").unwrap();
    guest
}

/// What the guest does when the first file is copied.
fn tricks(lab: &Lab, guest: &Guest) -> Vec<(&'static str, String)> {
    let (root, outside) = (guest.root().display(), lab.path("outside"));
    let outside = outside.display();
    vec![
        (
            "a directory becomes a link",
            format!("mv {root}/usr/sub {root}/usr/s2; ln -s {outside}/sub {root}/usr/sub"),
        ),
        (
            "a directory on the way becomes a link",
            format!("mv {root}/usr {root}/u2; ln -s {outside} {root}/usr"),
        ),
        (
            "a file becomes a link",
            format!("rm {root}/usr/z; ln -s {outside}/secret {root}/usr/z"),
        ),
        (
            "a file becomes a FIFO",
            format!("rm {root}/usr/z; mkfifo {root}/usr/z"),
        ),
        (
            "a file becomes a device",
            format!("rm {root}/usr/z; mknod {root}/usr/z c 1 5"),
        ),
        ("a file goes", format!("rm {root}/usr/z")),
        ("a directory goes", format!("rm -r {root}/usr/sub")),
    ]
}

fn holds_secret(new: &Guest) -> bool {
    let found = std::process::Command::new("grep")
        .args(["-rq", "secret"])
        .arg(new.root())
        .status();
    found.unwrap().success()
}

#[test]
fn whatever_it_becomes_nothing_from_outside_is_copied() {
    armed!();
    let lab = lab!(Disk::Own);
    for (n, (what, _)) in tricks(&lab, &lab.there("web")).iter().enumerate() {
        for runs in [false, true] {
            let lab = lab.part(&format!("{n}{runs}"));
            let guest = scene(&lab);
            let trick = &tricks(&lab, &guest)[n].1;
            let at_work = runs.then(|| inside("sh", &["-c", "echo inside; read x"], guest.root()));
            // The first file that is linked into the stage is /a/f.
            let fault = format!("link#1=run:{trick}");
            let options: &[&str] = if runs {
                &["--not-a-root", "--allow-running"]
            } else {
                &["--not-a-root"]
            };
            let (out, new) = clone_with(&lab, &guest, "new", options, &[("UNIFY_FAULT", &fault)]);
            // Not every change is one of what was seen already: the tree that is met is copied then.
            let out = if runs {
                out.expect(0)
            } else {
                out.expect_one_of(&[0, 1])
            };
            assert!(
                !new.root().exists() || !holds_secret(&new),
                "{what}: {out:?}"
            );
            assert!(left_in(&lab.guests()).is_empty(), "{what}");
            drop(at_work);
        }
    }
}

/// A file that is written to while it is copied.
#[test]
fn a_file_that_is_written_to() {
    armed!();
    let lab = lab!(Disk::Own);
    for (n, change) in ["echo more >> $f", "truncate -s 10 $f", "truncate -s 0 $f"]
        .iter()
        .enumerate()
    {
        let lab = lab.part(&format!("part{n}"));
        let guest = scene(&lab);
        let file = guest.host("/a/f").display().to_string();
        // Each of the three tries meets the file changed.
        let writes = ["write#1", "read#1"];
        let faults: Vec<String> = writes
            .iter()
            .map(|at| format!("{at}=run:{}", change.replace("$f", &file)))
            .collect();
        let fault = faults.join("\n");
        let (out, new) = clone_with(
            &lab,
            &guest,
            "new",
            &["--not-a-root"],
            &[("UNIFY_FAULT", &fault)],
        );
        out.expect_one_of(&[0, 1]);
        if new.root().exists() {
            assert_eq!(
                new.read("/a/f"),
                guest.read("/a/f"),
                "{change}: it was copied anew"
            );
        }
        assert!(left_in(&lab.guests()).is_empty());
    }
}
