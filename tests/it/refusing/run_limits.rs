//! A run keeps the limits that it is given, of actions, speed and failures, and ends in order on a signal.

use std::process::Command;

use crate::support::{
    BIN, Disk, File, Guest, Lab, content, id, is_immutable, listings, nlink, unchanged, unify,
    unify_with,
};

const FILES: usize = 10;

fn furnished(lab: &Lab) -> [Guest; 2] {
    ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for n in 0..FILES {
            guest.put(format!("/usr/{n}"), &File::new(content(n)));
        }
        guest
    })
}

fn shared([web, db]: &[Guest; 2]) -> usize {
    let same = |n: &usize| id(&web.host(format!("/usr/{n}"))) == id(&db.host(format!("/usr/{n}")));
    (0..FILES).filter(same).count()
}

/// The same command again goes on from there, until all is done.
#[test]
fn a_run_ends_after_so_many_actions() {
    let lab = lab!(Disk::Own);
    let guests = furnished(&lab);
    let before = listings(&[&guests[0], &guests[1]]);
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    let plan = plan.path.to_str().unwrap();
    // Two actions a file: the one that makes the object, and the one that links.
    let apply = ["apply", "--yes", "--max-actions", "8", plan];
    let mut runs = vec![shared(&guests)];
    for _ in 0..10 {
        let code = unify(&apply).expect_one_of(&[0, 4]).code;
        runs.push(shared(&guests));
        unchanged(&[&guests[0], &guests[1]], &before, "between two runs");
        let held = lab.objects().into_iter().filter(|o| nlink(o) > 1);
        held.for_each(|object| assert!(is_immutable(&object), "{object:?} is unprotected"));
        if code == 0 {
            break;
        }
    }
    assert_eq!(runs.last(), Some(&FILES), "{runs:?}");
    assert!(
        runs.len() >= 3 && runs.windows(2).all(|two| two[1] - two[0] <= 8),
        "{runs:?}"
    );
    let base = lab.base();
    let undo = [
        "undo",
        "--run",
        "all",
        "--yes",
        "--base",
        base.to_str().unwrap(),
    ];
    unify(&[&undo[..], &["--max-actions", "5"]].concat()).expect(4);
    let left = shared(&guests);
    assert!(left > 0 && left < FILES, "{left}");
    unify(&undo).expect(0);
    assert_eq!(shared(&guests), 0);
    unchanged(&[&guests[0], &guests[1]], &before, "after undo");
}

#[test]
fn a_run_ends_at_the_first_failure_if_it_shall() {
    let lab = lab!(Disk::Own);
    let guests = furnished(&lab);
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    std::fs::write(guests[1].host("/usr/0"), "changed").unwrap();
    let path = plan.path.to_str().unwrap();
    // Batches of one action each, so that the first failure is met early.
    let apply = ["apply", "--yes", "--max-failures", "1", "--rate", "4", path];
    unify(&apply).expect(4);
    assert!(shared(&guests) < FILES - 1, "it went on after a failure");
    unify(&["apply", "--yes", path]).expect(4);
    assert_eq!(
        shared(&guests),
        FILES - 1,
        "without the limit the rest is done"
    );
}

#[test]
fn the_background_is_asked_for() {
    traced!();
    let lab = lab!(Disk::Own);
    let guests = furnished(&lab);
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    let trace = lab.path("strace");
    let args = [
        "apply",
        "--yes",
        "--background",
        plan.path.to_str().unwrap(),
    ];
    let out = Command::new("strace")
        .args([
            "-f",
            "-e",
            "trace=ioprio_set,setpriority",
            "-o",
            trace.to_str().unwrap(),
            BIN,
        ])
        .args(args)
        .output()
        .unwrap();
    assert!(out.status.success());
    let calls = std::fs::read_to_string(trace).unwrap();
    assert!(
        calls.contains("IOPRIO_CLASS_IDLE") && calls.contains("PRIO_PROCESS, 0, 19)"),
        "{calls}"
    );
    assert_eq!(shared(&guests), FILES);
}

/// Asked to stop in the middle of a batch, a run finishes that batch, and the same command goes on.
#[test]
fn a_signal_ends_a_run_between_two_batches() {
    armed!();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let lab = lab!(Disk::Own);
        let guests = furnished(&lab);
        let before = listings(&[&guests[0], &guests[1]]);
        let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
        let path = plan.path.to_str().unwrap();
        let fault = format!("exchange#1=run:kill -{signal} $PPID");
        let out = unify_with(
            &[("UNIFY_FAULT", &fault)],
            &["apply", "--yes", "--rate", "16", path],
        );
        out.expect(code);
        let (done, staged) = (shared(&guests), lab.staged());
        assert!(done > 0 && done < FILES, "{done} files are shared");
        assert_eq!(staged.len(), 0);
        unchanged(&[&guests[0], &guests[1]], &before, "after the signal");
        plan.apply().expect(0);
        assert_eq!(shared(&guests), FILES);
    }
}

/// Runs a command that can start no thread; it ends with one of these codes.
fn without_threads(errno: &str, args: &[&str], codes: &[i32]) {
    let inject = format!("inject=clone3,clone:error={errno}");
    let out = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null"])
        .args(["-e", "trace=clone3,clone", "-e", &inject])
        .arg(BIN)
        .args(args)
        .output()
        .unwrap();
    let code = out.status.code().unwrap_or(-1);
    assert!(codes.contains(&code), "{errno} {args:?}: {code} {out:?}");
}

/// Where no thread can be started, a command does without, or says so; none ends in the middle.
#[test]
fn no_thread_can_be_started() {
    traced!();
    const MANY: usize = 80;
    let lab = lab!(Disk::Own);
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for n in 0..MANY {
            guest.put(format!("/usr/{n}"), &File::new(content(n)));
        }
        guest
    });
    let both = [&guests[0], &guests[1]];
    let before = listings(&both);
    let base = lab.base().display().to_string();
    let shared = |n: &usize| nlink(&guests[0].host(format!("/usr/{n}"))) > 1;
    let again = lab.path("again.json").display().to_string();
    let roots = both.map(|guest| guest.root().to_str().unwrap());
    for errno in ["EAGAIN", "EPERM"] {
        let plan = lab.plan(&both, &[]);
        let plan = plan.path.to_str().unwrap();
        let planning = ["plan", "--no-cache", "-o", &again, "--base", &base];
        without_threads(errno, &[&planning[..], &roots].concat(), &[0, 8]);
        without_threads(errno, &["apply", "--yes", plan], &[0]);
        assert_eq!((0..MANY).filter(shared).count(), MANY);
        without_threads(errno, &["verify", plan], &[0, 8]);
        without_threads(errno, &["verify", "--base", &base], &[0, 8]);
        without_threads(errno, &["status", "--base", &base], &[0, 8]);
        let undo = ["undo", "--yes", "--run", "all", "--base", &base];
        without_threads(errno, &undo, &[0]);
        assert_eq!((0..MANY).filter(shared).count(), 0);
        without_threads(errno, &["gc", "--base", &base], &[0]);
        assert!(lab.staged().is_empty());
        unchanged(&both, &before, errno);
    }
}
