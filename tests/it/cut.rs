//! A run that is cut at a chosen system call, by `strace`: what a random kill meets once in a thousand times.

use std::os::unix::fs::FileTypeExt;
use std::process::Command;

use crate::support::{Disk, File, Guest, Lab, content, id, listings, unchanged};

/// Runs `unify` and kills it as it enters the `nth` call of `call`.
fn cut(call: &str, nth: usize, args: &[&str]) {
    let inject = format!("inject={call}:signal=KILL:when={nth}");
    let status = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", &inject])
        .arg(env!("CARGO_BIN_EXE_unify"))
        .args(args)
        .output()
        .expect("strace runs");
    assert!(!status.status.success(), "{call} {nth} was not reached");
}

fn has_strace() -> bool {
    Command::new("strace").arg("-V").output().is_ok()
}

/// Two guests that share one file, which has two names in each.
fn with_two_names(lab: &Lab) -> [Guest; 2] {
    ["a", "b"].map(|name| {
        let guest = lab.guest(name);
        guest.put("/usr/f", &File::new(content(7)));
        guest.hard_link("/usr/f", "/usr/g");
        guest
    })
}

#[test]
fn names_of_one_file_stay_together() {
    if !has_strace() {
        skip!("strace is not here");
    }
    for nth in [1, 2] {
        let lab = lab!(Disk::Own);
        let [a, b] = with_two_names(&lab);
        let before = listings(&[&a, &b]);
        let plan = lab.plan(&[&a, &b], &[]);
        cut(
            "renameat2",
            nth,
            &["apply", "--yes", plan.path.to_str().unwrap()],
        );
        lab.on_base("recover", &[]).expect(0);
        for guest in [&a, &b] {
            assert_eq!(
                id(&guest.host("/usr/f")),
                id(&guest.host("/usr/g")),
                "{}",
                guest.name()
            );
        }
        unchanged(&[&a, &b], &before, "after recover");
        assert_eq!(lab.staged().len(), 0, "nothing is left in staging");
        plan.apply().expect_one_of(&[0, 4]);
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
        lab.on_base("gc", &[]).expect(0);
        assert_eq!(lab.objects().len(), 0, "no name was forgotten");
        unchanged(&[&a, &b], &before, "after undo");
    }
}

#[test]
fn a_plan_does_not_take_the_place_of_a_fifo() {
    let lab = lab!(Disk::Own);
    let [a, b] = with_two_names(&lab);
    let fifo = lab.path("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let roots = [a.root(), b.root()].map(|root| root.to_str().unwrap().to_owned());
    crate::support::unify(&["plan", "-o", fifo.to_str().unwrap(), &roots[0], &roots[1]]).expect(1);
    assert!(
        std::fs::symlink_metadata(&fifo)
            .unwrap()
            .file_type()
            .is_fifo()
    );
}
