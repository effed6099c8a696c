//! What is to be done for a writer: as much as the kernel can, or less.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::shared;
use crate::support::{Asking, Disk, Kernel, append, content, id, nlink};

/// With `--level deny-first` the kernel denies a first write by itself; the copy is there for the next.
#[test]
fn a_write_that_was_denied_first_finds_its_copy() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = shared(&lab);
    let mut kernel = Kernel::start(&lab, &[], &["--level", "deny-first"]);
    assert_eq!(kernel.level, "DenyFirst");
    let [f, g] = ["/usr/lib/f", "/usr/other/g"].map(|name| web.host(name));
    let denied = Asking {
        waits: false,
        ..Asking::to(&f)
    };
    kernel.meets(&denied, "LookAgain");
    assert!(id(&f) == id(&g) && nlink(&f) == 2);
    append(&f, b"+");
    assert_eq!(web.read("/usr/other/g"), [&content(1)[..], b"+"].concat());
    assert_eq!(db.read("/usr/lib/f"), content(1));
    // A second one of the same moment, by a path that it walked before.
    let one = db.host("/usr/lib/one");
    let late = Asking {
        stale: true,
        waits: false,
        ..Asking::to(&one)
    };
    kernel.meets(&late, "LookAgain");
    assert_eq!(nlink(&one), 3);
    kernel.settled(&lab);
    assert_eq!(kernel.end(), Some(0));
    let kernel = Kernel::start(&lab, &[], &[]);
    assert_eq!(kernel.level, "RestartByTaskWork", "as much as can be done");
}

/// A process that does nothing until its input ends, under `strace`, and its number.
fn traced_process() -> (Child, u32) {
    let mut strace = Command::new("strace")
        .args(["-o", "/dev/null", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("strace runs");
    let parent = strace.id();
    let children = format!("/proc/{parent}/task/{parent}/children");
    for _ in 0..600 {
        let child = std::fs::read_to_string(&children).unwrap_or_default();
        let child = child.split_whitespace().next().unwrap_or_default();
        let state = std::fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
        if state.contains(&format!("TracerPid:\t{parent}\n")) {
            return (strace, child.parse().unwrap());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    strace.kill().ok();
    strace.wait().unwrap();
    panic!("strace traces nothing");
}

/// `status` tells of writes that were denied once, and of how many the writer was traced.
#[test]
fn a_write_that_was_denied_once_is_told_with_its_reason() {
    armed!();
    traced!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = shared(&lab);
    let mut kernel = Kernel::start(&lab, &[], &[]);
    let [f, one] = ["/usr/lib/f", "/usr/lib/one"].map(|name| web.host(name));
    let theirs = db.host("/usr/lib/f");
    let (mut strace, process) = traced_process();
    let of_traced = Asking {
        process,
        waits: false,
        ..Asking::to(&f)
    };
    kernel.meets(&of_traced, "LookAgain");
    drop(strace.stdin.take());
    strace.wait().unwrap();
    let denied = Asking {
        waits: false,
        ..Asking::to(&one)
    };
    kernel.meets(&denied, "LookAgain");
    assert_eq!(
        kernel.answer_to(&Asking::to(&theirs)).unwrap(),
        "LookAgain",
        "who waits is not denied"
    );
    kernel.settled(&lab);
    let said = kernel.said();
    assert!(
        said.contains("; it was denied once, and its process is traced"),
        "{said}"
    );
    assert!(
        said.contains("; it was denied once, as it could not wait"),
        "{said}"
    );
    assert_eq!(kernel.end(), Some(0));
    let written = &lab.on_base("status", &["--json"]).expect(0).json()["writers"]["guests"];
    let once = |at: usize| (&written[at]["denied_once"], &written[at]["traced"]);
    assert_eq!(once(0), (&0.into(), &0.into()), "{written}");
    assert_eq!(once(1), (&2.into(), &1.into()), "{written}");
    let said = lab.on_base("status", &[]).expect(0).stdout;
    assert!(
        said.contains("2 writes denied once, 1 of them traced"),
        "{said}"
    );
}
