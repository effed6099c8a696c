//! What is changed where a run was interrupted, before and while it is healed.

use super::Scene;
use super::attack::ATTACKS;
use crate::support::{Disk, File, Lab, content, id, is_immutable, unchanged};

/// An interrupted run leaves the flag off: what is changed before healing, and while it drops a name, is found by it.
#[test]
fn while_a_run_is_healed() {
    armed!();
    for attack in ATTACKS {
        for moment in ["", "unlink#1"] {
            let scene = Scene::new(lab!(Disk::Own));
            let hit = scene.guests[0].host("/usr/f");
            let fault = if moment.is_empty() {
                scene.is_cut("setflags#4");
                attack.now(&hit);
                String::new()
            } else {
                scene.is_cut("exchange#1");
                format!("{moment}=run:{}", attack.on(&hit))
            };
            let out = scene.under_fault(&fault, "recover", &[]);
            let what = format!("{attack:?} {moment}: {}{}", out.stdout, out.stderr);
            assert_eq!(out.code, 12, "{what}");
            scene.is_put_right(&out, &["a", "b"], &what);
        }
    }
}

/// The run dies when it has found what was changed, at every call until all is put right: healing finds it as well.
#[test]
fn while_it_is_put_right() {
    armed!();
    let attack = &ATTACKS[0];
    let hit_and = |more: String| {
        let scene = Scene::new(Lab::on(Disk::Own).unwrap());
        let hit = scene.guests[0].host("/usr/f");
        let out = scene.join(&format!("exchange#1=run:{}\n{more}", attack.on(&hit)));
        (scene, out)
    };
    let (scene, out) = hit_and(String::new());
    scene.is_put_right(&out, &["a", "b"], "not interrupted");
    // From the exchange on.
    let mut cut = 0;
    for call in [
        "exchange", "link", "unlink", "setflags", "syncfs", "sync", "rename", "chmod",
    ] {
        for nth in 1..=12 {
            let (scene, out) = hit_and(format!("{call}#{nth}=kill"));
            if out.code == 12 {
                break;
            }
            let what = format!("killed at {call} {nth}: {}{}", out.stdout, out.stderr);
            let healed = scene.under_fault("", "recover", &[]);
            let what = format!("{what}; then {}{}", healed.stdout, healed.stderr);
            let all = scene.guests.each_ref();
            unchanged(&all, &scene.before, &what);
            assert_eq!(scene.lab.staged().len(), 0, "{what}");
            scene.lab.on_base("recover", &[]).expect_one_of(&[0, 12]);
            scene.lab.plan(&all, &[]).apply().expect(0);
            unchanged(&all, &scene.before, &what);
            cut += 1;
        }
    }
    assert!(cut > 20, "{cut}");
}

/// The next `apply` heals first, and says so as well.
#[test]
fn while_an_apply_heals() {
    armed!();
    let scene = Scene::new(lab!(Disk::Own));
    let attack = &ATTACKS[0];
    scene.is_cut("setflags#4");
    attack.now(&scene.guests[0].host("/usr/f"));
    let [a, _, _] = &scene.guests;
    let other = scene.lab.guest("other");
    other.put("/usr/f", &File::new(content(1)));
    let plan = scene.lab.plan(&[a, &other], &[]);
    let out = plan.apply();
    let what = format!("{}{}", out.stdout, out.stderr);
    assert_eq!(out.code, 12, "{what}");
    scene.is_put_right(&out, &["a", "b"], &what);
}

/// Where no equal file is left, nothing can be put right: the holders are named, and what they have stays under its
/// flag.
#[test]
fn nothing_is_left_to_put_it_right_with() {
    armed!();
    let scene = Scene::new(lab!(Disk::Own));
    let [a, b, c] = &scene.guests;
    let hit = a.host("/usr/f");
    let attack = &ATTACKS[0];
    let other = File::new(content(2));
    scene.is_cut("setflags#4");
    attack.now(&hit);
    // The third guest's own file lies in staging, and is hit as well.
    attack.now_on_all_in(&scene.lab.base().join("staging"));
    let out = scene.under_fault("", "recover", &[]);
    assert_eq!(out.code, 12, "{}", out.stdout);
    for name in ["a", "b"] {
        let line = format!("STILL REFERS to the changed file: {name}:/usr/f");
        assert!(out.stdout.contains(&line), "{}", out.stdout);
    }
    assert!(is_immutable(&b.host("/usr/f")));
    assert_eq!(id(&hit), id(&b.host("/usr/f")));
    c.put("/usr/other", &other);
    assert_eq!(scene.lab.staged().len(), 0);
}
