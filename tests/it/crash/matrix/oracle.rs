//! The oracle says what must hold after a fault, and again after healing.

use super::cases::Fault;
use super::scene::{Command, Scene};
use crate::support::{Out, assert_same, id, is_immutable, nlink};

/// Holds a scene, on which a command just met `fault`, to every promise.
pub fn judge(scene: &Scene, command: &Command, out: &Out, fault: &Fault, what: &str) {
    let said = format!("{what}; it said {} and {}", out.code, out.stderr);
    unchanged(scene, &format!("{said}: at once"));
    answered(scene, command, out, fault, &said);
    if out.code == 12 {
        looked_after(scene, fault, &said);
    }
    if scene.lab.base().join("format").exists() {
        succeed(scene, &Command::Recover, &format!("{said}: healing"));
    }
    healed(scene, &format!("{said}: healed"));
    finishes(scene, &said);
}

fn unchanged(scene: &Scene, what: &str) {
    for (before, after) in scene.before.iter().zip(scene.listings()) {
        assert_same(before, &after, what);
    }
}

/// The exit code is true.
fn answered(scene: &Scene, command: &Command, out: &Out, fault: &Fault, what: &str) {
    if *fault == Fault::Kill {
        return;
    }
    let left = scene.lab.staged();
    if !left.is_empty() {
        // Whatever is left is left on purpose, and it says so.
        assert!([1, 9].contains(&out.code), "{what}: left {left:?}");
    }
    if let (0, Command::Apply(plan)) = (out.code, command) {
        let args = ["verify", plan.to_str().unwrap()];
        crate::support::unify(&args).expect(0);
    }
    assert!([0, 1, 3, 4, 7, 8, 9, 12].contains(&out.code), "{what}");
}

/// A lease that is not granted means that a process writes to the file: it is kept, and a person has looked at it.
fn looked_after(scene: &Scene, fault: &Fault, what: &str) {
    assert!(matches!(fault, Fault::Fail("EAGAIN", _)), "{what}");
    for file in scene.lab.quarantined() {
        std::fs::remove_file(&file).unwrap();
        std::fs::remove_dir(file.parent().unwrap()).ok();
    }
}

/// Nothing is in staging or quarantine, and no shared object is unprotected.
fn healed(scene: &Scene, what: &str) {
    unchanged(scene, what);
    let left = scene.lab.staged();
    assert!(left.is_empty(), "{what}: staging holds {left:?}");
    let quarantine = std::fs::read_dir(scene.lab.base().join("quarantine"));
    let kept = quarantine.map_or(0, Iterator::count);
    assert_eq!(kept, 0, "{what}: quarantine");
    for object in scene.lab.objects() {
        let shared = nlink(&object) > 1;
        assert!(
            !shared || is_immutable(&object),
            "{what}: {object:?} is shared and not flagged"
        );
    }
}

/// Everything can be shared, and given back.
fn finishes(scene: &Scene, what: &str) {
    let plan = Command::Apply(scene.plan(3).path);
    succeed(scene, &plan, &format!("{what}: applied"));
    healed(scene, &format!("{what}: applied"));
    let one = scene
        .guests
        .each_ref()
        .map(|guest| id(&guest.host("/usr/share/one")));
    assert!(
        one[0] == one[1] && one[1] == one[2],
        "{what}: all is shared"
    );
    succeed(scene, &Command::Undo, &format!("{what}: undone"));
    healed(scene, &format!("{what}: undone"));
    succeed(scene, &Command::Gc, &format!("{what}: collected"));
    unchanged(scene, &format!("{what}: collected"));
    let objects = scene.lab.objects();
    assert!(objects.is_empty(), "{what}: gc left {objects:?}");
}

fn succeed(scene: &Scene, command: &Command, what: &str) {
    let out = scene.unify(&[], command);
    assert_eq!(out.code, 0, "{what}: {}", out.stderr);
}
