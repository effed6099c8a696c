//! `recover`, `gc` and the healing of an `undo` are themselves killed, at every call that changes anything (on a commit
//! at every second), once and then twice more: no shared object is ever left without its flag, whatever state it began
//! with.
//!
//! The states are those that no journal explains, beside some that one does. A kill before a call that only looks
//! leaves what a kill before the next change leaves, so the calls that only look are passed over.

mod scene;

use crate::support::{Disk, Lab, is_immutable, nlink};
use scene::{Scene, State};

/// Calls that leave the disk as it is.
const LOOKS: &[&str] = &[
    "dup",
    "getflags",
    "getlease",
    "getxattr",
    "list",
    "listxattr",
    "open",
    "proc",
    "project",
    "read",
    "realpath",
    "seek",
    "stat",
    "statfs",
    "sysfs",
    "uuid",
    "view",
    "lease",
];

/// The numbers and names of the calls of a command that change anything.
fn changes(scene: &Scene, fault: &str, args: &[String]) -> Vec<(usize, String)> {
    let file = scene.lab.path("trace");
    let env = [
        ("UNIFY_FAULT_TRACE", file.to_str().unwrap()),
        ("UNIFY_FAULT", fault),
    ];
    scene.unify(&env, args).expect_one_of(&[0, 12]);
    let text = std::fs::read_to_string(&file).unwrap();
    let calls = text
        .lines()
        .enumerate()
        .filter(|(_, name)| !LOOKS.contains(name));
    calls.map(|(at, name)| (at + 1, name.to_owned())).collect()
}

fn kill_at(call: usize) -> String {
    format!("{call}=kill")
}

/// Kills `recover` at each of its changes; then it is let be, or killed twice more at others first.
fn recoveries(state: State) {
    armed!();
    let lab = match Lab::in_memory(Disk::Ext4) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let begin = || {
        let scene = Scene::new(&lab);
        scene.make(state);
        scene
    };
    let whole = begin();
    let recover = whole.on_base(&["recover"]);
    let changes = changes(&whole, "", &recover);
    whole.judge(&format!("{state:?}, not interrupted"));
    drop(whole);
    for (nth, (call, name)) in changes.iter().enumerate() {
        let tried = [0, 2].into_iter().filter(|further| is_tried(nth + further));
        for further in tried {
            let scene = begin();
            let mut what = format!("{state:?}, recover killed at {call} ({name})");
            scene.killed(&call.to_string(), &recover);
            for step in 1..=further {
                let (other, name) = &changes[(nth + 5 * step) % changes.len()];
                what = format!("{what}, at {other} ({name})");
                scene.unify(&[("UNIFY_FAULT", &kill_at(*other))], &recover);
            }
            scene.unify(&[], &recover).expect_one_of(&[0, 12]);
            scene.judge(&what);
        }
    }
    if state == State::Stray {
        failures(&begin, &changes, &recover);
    }
    crate::support::figure(&format!(
        "recover interrupted, {state:?}: {} changes",
        changes.len()
    ));
}

/// On a commit every second change is tried, killed once or three times by turns; by night all, both ways.
fn is_tried(at: usize) -> bool {
    crate::support::is_long() || at.is_multiple_of(4)
}

/// The same with each of them failing.
fn failures(begin: &dyn Fn() -> Scene, changes: &[(usize, String)], recover: &[String]) {
    for (call, name) in changes {
        let scene = begin();
        scene.unify(&[("UNIFY_FAULT", &format!("{call}=EIO"))], recover);
        scene.unify(&[], recover).expect_one_of(&[0, 12]);
        scene.judge(&format!("recover whose call {call} ({name}) fails"));
    }
}

#[test]
fn names_that_no_journal_explains() {
    recoveries(State::Stray);
}

#[test]
fn names_that_no_journal_explains_of_objects_without_flags() {
    recoveries(State::StrayUnflagged);
}

#[test]
fn an_apply() {
    recoveries(State::Apply);
    recoveries(State::ApplyFlagged);
}

#[test]
fn an_apply_whose_journal_is_gone() {
    recoveries(State::ApplyWithoutJournal);
}

#[test]
fn an_apply_whose_journal_is_torn_or_cut() {
    recoveries(State::ApplyWithTornJournal);
    recoveries(State::ApplyWithCutJournal);
}

#[test]
fn an_undo() {
    recoveries(State::Undo);
    recoveries(State::UndoUnflagged);
}

#[test]
fn an_undo_whose_journal_is_gone() {
    recoveries(State::UndoWithoutJournal);
}

#[test]
fn an_undo_that_says_too_early_that_it_is_over() {
    recoveries(State::UndoHalfDone);
}

/// The inode of a guest's file was to be the object, and a name that no journal explains makes it look shared at first.
#[test]
fn a_name_that_no_journal_explains_of_an_adopted_file() {
    armed!();
    let lab = match Lab::in_memory(Disk::Ext4) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let begin = || {
        let scene = Scene::bare(&lab);
        scene.killed("exchange#1", &scene.apply(2, "adopt"));
        scene.stray("-i");
        scene
    };
    let whole = begin();
    let recover = whole.on_base(&["recover"]);
    let changes = changes(&whole, "", &recover);
    whole.judge_sharing("not interrupted", 0);
    drop(whole);
    for (call, name) in changes {
        let scene = begin();
        scene.killed(&call.to_string(), &recover);
        scene.unify(&[], &recover).expect_one_of(&[0, 12]);
        scene.judge_sharing(&format!("recover killed at {call} ({name})"), 0);
    }
}

/// An object that nobody uses gets a name right after `gc` has taken its flag off; `gc` is killed at each of its
/// changes from there on.
#[test]
fn gc_of_an_object_that_is_given_a_name() {
    armed!();
    let lab = match Lab::in_memory(Disk::Ext4) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let begin = || {
        let scene = Scene::new(&lab);
        let undo = scene.on_base(&["undo", "--run", "all", "--yes"]);
        scene.unify(&[], &undo).expect(0);
        scene
    };
    let whole = begin();
    let gc = whole.on_base(&["gc"]);
    let trace = whole.lab.path("trace");
    drop(changes(&whole, "", &gc));
    let text = std::fs::read_to_string(trace).unwrap();
    let lifted = 2 + text.lines().position(|name| name == "setflags").unwrap();
    drop(whole);
    let stray = |scene: &Scene| {
        let (objects, stray) = (scene.lab.base().join("objects"), scene.lab.path("stray"));
        // Whichever of the two it is: the one whose flag is off lets itself be linked.
        format!(
            "{lifted}=run:for o in {}/*/*; do ln $o {} 2>/dev/null; done; true",
            objects.display(),
            stray.display()
        )
    };
    let scene = begin();
    let changes = changes(&scene, &stray(&scene), &gc);
    drop(scene);
    for (call, name) in changes.iter().filter(|(call, _)| *call > lifted) {
        let scene = begin();
        let what = format!("gc killed at {call} ({name})");
        scene.killed_while(&stray(&scene), *call, &gc);
        scene.unify(&[], &scene.on_base(&["recover"])).expect(0);
        let stray = scene.lab.path("stray");
        assert!(nlink(&stray) == 1 || is_immutable(&stray), "{what}");
        for object in scene.lab.objects() {
            let shared = nlink(&object) > 1;
            assert!(!shared || is_immutable(&object), "{what}: {object:?}");
        }
    }
}
