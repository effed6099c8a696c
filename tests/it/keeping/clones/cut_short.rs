//! Whatever ends a clone before its end: there is nothing at its place, or all of it.

use super::{assert_equal, clone, clone_with, left_in};
use crate::keeping::{FILES, alike};
use crate::support::{
    Disk, File, Guest, Lab, Listing, assert_same, chattr, content, is_long, unify,
};

fn scene(lab: &Lab) -> Guest {
    let [a, b, c] = alike(lab);
    a.put("/etc/own", &File::new(content("own")).xattr("user.a", b"b"));
    a.symlink("own", "/etc/link");
    a.put("/var/append/only", &File::new("grows"));
    chattr("+a", &a.host("/var/append/only"));
    chattr("+a", &a.host("/var/append"));
    lab.plan(&[&a, &b, &c], &[]).apply().expect(0);
    a
}

/// Killed at one call after the other. The next command removes what is left, and the next clone is whole.
#[test]
fn killed_at_any_call() {
    armed!();
    let disk = match Lab::in_memory(Disk::Ext4) {
        Ok(disk) => disk,
        Err(why) => skip!("{why}"),
    };
    let calls = {
        let lab = disk.part("trace");
        let (guest, trace) = (scene(&lab), lab.path("trace"));
        let env = [("UNIFY_FAULT_TRACE", trace.to_str().unwrap())];
        clone_with(&lab, &guest, "new", &["--not-a-root"], &env)
            .0
            .expect(0);
        std::fs::read_to_string(trace).unwrap().lines().count()
    };
    assert!(calls > 200, "{calls} calls");
    let step = if is_long() { 1 } else { 131 };
    let (mut nothing, mut whole) = (0, 0);
    for at in (1..calls).step_by(step) {
        let lab = disk.part(&format!("at{at}"));
        let guest = scene(&lab);
        let before = Listing::of(guest.root());
        let fault = format!("{at}=kill");
        let env = [("UNIFY_FAULT", fault.as_str())];
        let (_, new) = clone_with(&lab, &guest, "new", &["--not-a-root"], &env);
        let what = format!("killed at call {at}");
        assert_same(&before, &Listing::of(guest.root()), &what);
        if new.root().exists() {
            whole += 1;
            // One that is killed while names are exchanged cannot put the times of directories back.
            let [was, is] =
                [&guest, &new].map(|one| Listing::of(one.root()).without_directory_times());
            assert_same(&was, &is, &what);
        } else {
            nothing += 1;
        }
        lab.on_base(["recover", "gc"][at / step % 2], &[]).expect(0);
        assert!(
            left_in(&lab.guests()).is_empty(),
            "{what}: {:?}",
            left_in(&lab.guests())
        );
        let (out, again) = clone(&lab, &guest, "again", &["--not-a-root"]);
        out.expect(0);
        assert_equal(&guest, &again);
        lab.on_base("status", &["--exit-code"]).expect(0);
    }
    assert!(nothing > 2 && whole > 2, "{nothing} nothing, {whole} whole");
}

/// Without a base the next clone in that directory removes what is left.
#[test]
fn what_is_left_goes_with_the_next_clone() {
    armed!();
    let lab = lab!(Disk::Own);
    let guest = lab.guest("web");
    guest.put("/usr/f", &File::new(content(1)));
    let env = [("UNIFY_FAULT", "syncfs#1=kill")];
    clone_with(&lab, &guest, "new", &["--not-a-root"], &env);
    assert_eq!(left_in(&lab.guests()).len(), 1);
    // What others made by such a name is left alone.
    let other = lab.guests().join(".unify-clone.4194305-00ff.part");
    std::fs::create_dir(&other).unwrap();
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    clone(&lab, &guest, "new", &["--not-a-root"]).0.expect(0);
    assert_eq!(left_in(&lab.guests()), [".unify-clone.4194305-00ff.part"]);
}

/// A signal, a full disk, a disk that fails: an error, and nothing is left.
#[test]
fn ended_before_its_end() {
    armed!();
    let lab = lab!(Disk::Own);
    let guest = scene(&lab);
    let before = Listing::of(&lab.guests()).without_directory_times();
    for (fault, code) in [
        ("link#2=run:kill -TERM $PPID; sleep 0.2", 143),
        ("link#2=run:kill -INT $PPID; sleep 0.2", 130),
        ("write#4=ENOSPC", 1),
        ("syncfs#1=EIO", 1),
        ("move#1=EIO", 1),
        ("setxattr#1=ENOSPC", 1),
        ("mkdir#3=ENOSPC", 1),
    ] {
        let env = [("UNIFY_FAULT", fault)];
        let (out, new) = clone_with(&lab, &guest, "new", &["--not-a-root"], &env);
        out.expect(code);
        assert!(!new.root().exists(), "{fault}");
        let after = Listing::of(&lab.guests()).without_directory_times();
        let differs = before.diff(&after);
        let differs: Vec<_> = differs
            .iter()
            .filter(|line| !line.contains("/lock"))
            .collect();
        assert!(differs.is_empty(), "{fault}: {differs:#?}");
    }
    lab.on_base("status", &["--exit-code"]).expect(0);
}

/// The copy is whole, and its names cannot be linked: it stays, private.
#[test]
fn a_base_that_fails_leaves_a_whole_guest() {
    armed!();
    let lab = lab!(Disk::Own);
    let guest = scene(&lab);
    let env = [("UNIFY_FAULT", "nameless#1=EIO")];
    let (out, new) = clone_with(&lab, &guest, "new", &["--not-a-root", "--json"], &env);
    let said = out.expect(4).json();
    assert!(said["not_linked"].is_string(), "{said}");
    assert_equal(&guest, &new);
    let name = new.arg();
    let plan = lab.path("later.json");
    let plan = plan.to_str().unwrap();
    unify(&["plan", "-q", "-o", plan, &guest.arg(), &name]).expect(0);
    unify(&["apply", "--yes", plan]).expect(0);
    assert_eq!(
        crate::support::id(&new.host(FILES[0])),
        crate::support::id(&guest.host(FILES[0]))
    );
}
