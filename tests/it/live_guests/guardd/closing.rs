//! What was done is made durable beside the answers, however long the disk takes. The disk here takes as long as the
//! test wants.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};

use super::fairness::Held;
use super::runs::runs;
use super::shared;
use crate::support::{Asking, Disk, Kernel, Lab, id, nlink};

/// The daemon says of a run that it was not closed.
const NOT_CLOSED: &str = "could not be written down";

/// Waits until a burst is being closed.
fn await_closing(trace: &Path) {
    for _ in 0..6000 {
        let all = fs::read_to_string(trace).unwrap_or_default();
        if all.lines().any(|call| call == "syncfs") {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no burst is closed");
}

/// A daemon whose first burst, of one file, is being closed and held there.
fn closing(lab: &Lab, file: &Path, (held, fault): (&Held, &str)) -> Kernel {
    let trace = lab.path("trace");
    let fault = format!("{}\n{fault}", held.fault("syncfs#1"));
    let env = [
        ("UNIFY_FAULT", fault.as_str()),
        ("UNIFY_FAULT_TRACE", trace.to_str().unwrap()),
    ];
    let mut kernel = Kernel::start(lab, &env, &[]);
    kernel.write(file, b"+");
    await_closing(&trace);
    kernel
}

fn has_receipt(lab: &Lab, run: &str) -> bool {
    let receipt = lab.base().join("runs").join(run).join("receipt.jsonl");
    fs::read_to_string(receipt).is_ok_and(|text| text.contains("/usr/"))
}

/// Writers do not wait for the disk, and a receipt does. The runs are two, for one that is being closed goes on no
/// more.
#[test]
fn what_takes_long_to_be_durable_delays_nobody() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = shared(&lab);
    let before = runs(&lab).len();
    let held = Held::at(&lab);
    let mut kernel = closing(&lab, &web.host("/usr/lib/one"), (&held, ""));
    let first = runs(&lab).pop().unwrap();
    kernel.write(&db.host("/usr/lib/f"), b"db");
    // A pause longer than a burst waits for more.
    std::thread::sleep(Duration::from_millis(200));
    kernel.write(&web.host("/usr/lib/f"), b"web");
    assert_eq!(runs(&lab).len(), before + 2, "{:?}", runs(&lab));
    assert!(!has_receipt(&lab, &first), "it is not durable yet");
    held.let_go();
    kernel.settled(&lab);
    assert!(
        runs(&lab)
            .iter()
            .skip(before)
            .all(|run| has_receipt(&lab, run))
    );
    // The last one goes on as always.
    kernel.write(&db.host("/usr/lib/one"), b"db");
    kernel.settled(&lab);
    assert_eq!(runs(&lab).len(), before + 2);
    assert_eq!(kernel.end(), Some(0));
    lab.on_base("status", &["--exit-code"]).expect(0);
    lab.on_base("verify", &[]).expect(0);
}

/// Whoever wants the turn is the next to have it when all is closed, and no burst begins before.
#[test]
fn who_wants_the_turn_has_it_after_what_is_closed() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = shared(&lab);
    let held = Held::at(&lab);
    let mut kernel = closing(&lab, &web.host("/usr/lib/one"), (&held, ""));
    let lock = |name: &str| fs::File::open(lab.base().join(name)).unwrap();
    let door = Flock::lock(lock("turn.next"), FlockArg::LockExclusive).unwrap();
    let [f, theirs] = [&web, &db].map(|guest| guest.host("/usr/lib/f"));
    let asked = kernel.ask(&Asking::to(&f));
    // What needs no turn does not wait for it.
    let late = Asking {
        stale: true,
        ..Asking::to(&theirs)
    };
    kernel.meets(&late, "LookAgain");
    assert_eq!(id(&f), id(&theirs));
    held.let_go();
    let turn = Flock::lock(lock("turn"), FlockArg::LockExclusive).unwrap();
    drop(door);
    assert_eq!(lab.staged().len(), 0, "all is closed");
    assert_eq!(id(&f), id(&theirs));
    drop(turn);
    kernel.hears(asked, "LookAgain");
    assert_eq!(nlink(&theirs), 3);
    kernel.settled(&lab);
    assert_eq!(kernel.end(), Some(0));
    lab.on_base("status", &["--exit-code"]).expect(0);
}

/// What could not be made durable is healed, with all that came after it.
#[test]
fn what_cannot_be_made_durable_is_healed_with_what_came_after_it() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = shared(&lab);
    let held = Held::at(&lab);
    let one = web.host("/usr/lib/one");
    let mut kernel = closing(&lab, &one, (&held, "syncfs#1=EIO"));
    kernel.write(&db.host("/usr/lib/f"), b"db");
    held.let_go();
    kernel.says(NOT_CLOSED);
    kernel.write(&web.host("/usr/lib/f"), b"web");
    kernel.settled(&lab);
    assert_eq!(kernel.end(), Some(0));
    assert_eq!([nlink(&one), nlink(&db.host("/usr/lib/f"))], [1, 2]);
    lab.on_base("status", &["--exit-code"]).expect(0);
    lab.on_base("verify", &[]).expect(0);
}

/// A daemon that is asked to end does so when all is durable; one that is killed before leaves what is healed.
#[test]
fn a_daemon_ends_with_all_that_was_done_durable() {
    armed!();
    for is_killed in [false, true] {
        let lab = lab!(Disk::Ext4);
        let [web, db] = shared(&lab);
        let before = runs(&lab).len();
        let held = Held::at(&lab);
        let fault = if is_killed { "syncfs#1=kill" } else { "" };
        let one = web.host("/usr/lib/one");
        let mut kernel = closing(&lab, &one, (&held, fault));
        kernel.write(&db.host("/usr/lib/f"), b"db");
        kernel.ask_to_end();
        held.let_go();
        let code = kernel.last_words().0;
        if is_killed {
            assert_ne!(code, Some(0));
            assert_eq!(Kernel::start(&lab, &[], &[]).end(), Some(0));
        } else {
            assert_eq!(code, Some(0));
            assert!(
                runs(&lab)
                    .iter()
                    .skip(before)
                    .all(|run| has_receipt(&lab, run))
            );
        }
        assert_eq!(lab.staged().len(), 0);
        assert_eq!(nlink(&one), 1);
        assert_eq!(nlink(&db.host("/usr/lib/f")), 2);
        lab.on_base("status", &["--exit-code"]).expect(0);
        lab.on_base("verify", &[]).expect(0);
    }
}
