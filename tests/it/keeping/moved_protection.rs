//! A base is moved from one protection to another, and none of its files is bare meanwhile. What a kernel without the
//! guard finds of a base that was under it is a disk on which nothing protects its files: that is how it is made here.
//! With a guard it is done in `tests/guard/inside.sh`.

use super::{FILES, alike, are_protected};
use crate::support::{
    Disk, Guest, Lab, id, is_immutable, lift_flags, listings, unchanged, unify, unify_with,
};

/// Guests on a base that was under the guard before this kernel was started.
fn after_a_restart(lab: &Lab) -> Option<[Guest; 3]> {
    if unify(&["guard", "--json"]).expect(0).json()["loaded"] == true {
        return None;
    }
    let guests = alike(lab);
    lab.plan(&guests.each_ref(), &["--protect", "immutable"])
        .apply()
        .expect(0);
    lift_flags(&lab.base());
    std::fs::write(lab.base().join("protection"), "guard\n").unwrap();
    Some(guests)
}

#[test]
fn a_base_of_the_guard_lives_on_a_kernel_without_it() {
    let lab = lab!(Disk::Own);
    let Some(guests) = after_a_restart(&lab) else {
        skip!("the guard is loaded into this kernel");
    };
    let [a, b, c] = &guests;
    let before = listings(&[a, b, c]);
    let base = lab.base();
    let out = lab.on_base("recover", &[]).expect(8);
    let command = format!("unify protect immutable --base {}", base.display());
    assert!(out.stderr.contains(&command), "{}", out.stderr);
    // Nothing needs a mark where a guest gets files of its own.
    lab.on_base("undo", &["--run", "all", "--guest", "a", "--yes"])
        .expect(0);
    assert_ne!(id(&a.host(FILES[0])), id(&b.host(FILES[0])));
    assert_eq!(id(&c.host(FILES[0])), id(&b.host(FILES[0])));
    unchanged(&[a, b, c], &before, "undone without a guard");
    // An undo that was cut short there is healed there.
    if cfg!(feature = "faults") {
        let words = [
            "undo",
            "--base",
            base.to_str().unwrap(),
            "--yes",
            "--run",
            "all",
        ];
        unify_with(&[("UNIFY_FAULT", "exchange#2=kill")], &words);
        assert!(!lab.staged().is_empty());
        lab.on_base("recover", &[]).expect_one_of(&[0, 8]);
        assert!(lab.staged().is_empty());
        unchanged(&[a, b, c], &before, "healed without a guard");
        lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    }
}

/// What protects the base says what its files have lost.
#[test]
fn what_is_lost_is_called_by_its_name() {
    let lab = lab!(Disk::Own);
    if after_a_restart(&lab).is_none() {
        skip!("the guard is loaded into this kernel");
    }
    let paper = lab.base().join("protection");
    for (by, its, their) in [
        ("guard", "its mark", "their marks"),
        ("verity", "its seal", "their seals"),
        ("iunlink", "its flags", "their flags"),
        ("immutable", "its flag", "their flags"),
    ] {
        std::fs::write(&paper, format!("{by}\n")).unwrap();
        let said = lab.on_base("status", &["--exit-code"]).expect(10).stdout;
        let want = format!("UNPROTECTED: 3 shared files are without {their}");
        assert!(said.contains(&want), "{by}: {said}");
        let said = lab.on_base("verify", &[]).expect(6).stdout;
        let want = format!("the object is without {its}");
        assert_eq!(said.matches(&want).count(), 3, "{by}: {said}");
    }
    std::fs::remove_file(paper).unwrap();
    let said = lab.on_base("recover", &[]).expect(0).stdout;
    assert!(
        said.contains("3 shared files have their flags again"),
        "{said}"
    );
    assert!(are_protected(&lab));
}

#[test]
fn it_moves_to_the_flag_and_what_was_open_is_proven() {
    armed!();
    let lab = lab!(Disk::Own);
    if after_a_restart(&lab).is_none() {
        skip!("the guard is loaded into this kernel");
    }
    let base = lab.base();
    let words = ["protect", "--base", base.to_str().unwrap(), "immutable"];
    unify_with(&[("UNIFY_FAULT", "setflags#2=kill")], &words);
    assert!(!are_protected(&lab), "it was killed");
    let moved = unify(&[&words[..], &["--json"]].concat()).expect(0).json();
    assert_eq!(moved["to"], "immutable");
    assert!(are_protected(&lab) && !base.join("protection").exists());
    let again = lab.on_base("protect", &["--json", "immutable"]).expect(0);
    assert_eq!(again.json()["objects"], 0);
    lab.on_base("status", &["--exit-code"]).expect(0);

    // Written to while it was open: everybody who shared it is told.
    let lab = lab!(Disk::Own);
    let guests = after_a_restart(&lab).unwrap();
    std::fs::write(guests[0].host(FILES[0]), "changed").unwrap();
    let out = lab.on_base("protect", &["immutable"]).expect(12);
    let told = "may have been written to";
    assert!(out.stderr.contains(told), "{}", out.stderr);
}

/// A move to the guard was cut short, and the machine was started without it: it goes back, and what was bare is
/// proven.
#[test]
fn a_move_that_cannot_go_on_goes_back() {
    let lab = lab!(Disk::Own);
    let guests = alike(&lab);
    if unify(&["guard", "--json"]).expect(0).json()["loaded"] == true {
        skip!("the guard is loaded into this kernel");
    }
    lab.plan(&guests.each_ref(), &["--protect", "immutable"])
        .apply()
        .expect(0);
    let base = lab.base();
    for (to, why) in [
        ("guard", "unify guard load"),
        ("verity", "plan anew"),
        ("none", "open to"),
    ] {
        let out = lab.on_base("protect", &[to]).expect(8);
        assert!(out.stderr.contains(why), "{to}: {}", out.stderr);
        assert!(are_protected(&lab) && !base.join("moving").exists());
    }
    lift_flags(&base.join("objects"));
    let bare = |lab: &Lab| {
        lab.objects()
            .iter()
            .filter(|one| !is_immutable(one))
            .count()
    };
    assert_eq!(bare(&lab), 3);
    std::fs::write(base.join("protection"), "guard\n").unwrap();
    std::fs::write(base.join("moving"), "immutable guard\n").unwrap();
    std::fs::write(guests[1].host(FILES[2]), "changed").unwrap();
    lab.on_base("recover", &[]).expect(12);
    assert!(!base.join("moving").exists() && !base.join("protection").exists());
    assert!(are_protected(&lab));
    lab.on_base("recover", &[]).expect_one_of(&[0, 12]);
    assert_eq!(id(&guests[0].host(FILES[0])), id(&guests[2].host(FILES[0])));
}

/// What this kernel has not is refused with the reason, and `auto` says what is missing for better protections.
#[test]
fn what_cannot_be_had_is_said() {
    let lab = lab!(Disk::Ext4);
    let guests = alike(&lab);
    let refs = guests.each_ref();
    let (out, plan) = lab.try_plan(&refs, &["--protect", "iunlink"]);
    assert!(plan.is_none());
    let out = out.expect(8);
    assert!(out.stderr.contains("no such flags"), "{}", out.stderr);
    let (out, plan) = lab.try_plan(&refs, &["--protect", "verity"]);
    if plan.is_none() {
        assert!(out.expect(8).stderr.contains("seals no file"));
    }
    let plan = lab.plan(&refs, &[]);
    let protection = &plan.json["protection"];
    let why = protection["why"].as_str().unwrap();
    if protection["mode"] == "immutable" {
        for better in ["better ones", "guard: ", "iunlink: ", "verity: "] {
            assert!(why.contains(better), "{why}");
        }
    }
}
