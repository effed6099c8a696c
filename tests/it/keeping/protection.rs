//! Flags vanish without us: `lxc-destroy`, `chattr -R -i` and restored backups take them off. `status` and `plan` say
//! so, and `recover` puts it right without a plan.

use std::fs::{self, File as HostFile};

use rustix::fs::{FlockOperation, flock};

use super::{FILES, alike, are_protected};
use crate::support::{
    Disk, File, Guest, Lab, content, is_immutable, lift_flags, listings, unchanged, unify,
    unify_with,
};

/// Three guests that share all their files, of which one was opened to the others.
fn opened(lab: &Lab) -> [Guest; 3] {
    let guests = alike(lab);
    lab.plan(&guests.each_ref(), &[]).apply().expect(0);
    lift_flags(guests[0].root());
    guests
}

#[test]
fn status_and_plan_see_it_and_recover_puts_it_right() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = opened(&lab);
    let guests = [&a, &b, &c];
    let before = listings(&guests);
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    assert_eq!(status["unprotected_objects"], 3);
    assert_eq!(status["guests"][1]["unprotected_names"], 3);
    let said = lab.on_base("status", &["--exit-code"]).expect(10);
    assert!(
        said.stdout.contains("UNPROTECTED: 3 shared files"),
        "{said:?}"
    );
    assert!(said.stdout.contains("(a, b, c)"), "{said:?}");

    // A plan of guests that have nothing to do with it says so as well.
    let [d, e] = ["d", "e"].map(|name| lab.guest(name));
    let plan = lab.path("other.json");
    let base = lab.base();
    let args = [
        "plan",
        "--exit-code",
        "--base",
        base.to_str().unwrap(),
        "-o",
    ];
    let args = args.map(str::to_owned).into_iter();
    let args = args.chain([plan.to_str().unwrap().to_owned(), d.arg(), e.arg()]);
    let said = unify(&args.collect::<Vec<_>>()).expect(10);
    assert!(
        said.stderr.contains("UNPROTECTED: 3 shared files"),
        "{said:?}"
    );

    let healed = lab.on_base("recover", &["--json"]).expect(0).json();
    assert_eq!(
        (&healed["flags_lost"], &healed["flags"]),
        (&3.into(), &3.into())
    );
    assert_eq!(
        healed["were_open"],
        serde_json::json!({"a": 3, "b": 3, "c": 3})
    );
    assert!(are_protected(&lab));
    unchanged(&guests, &before, "after recover");
    lab.on_base("status", &["--exit-code"]).expect(0);
    let said = lab.on_base("recover", &[]).expect(0);
    assert!(said.stdout.contains("nothing was changed"), "{said:?}");
}

/// The plan has a line for each of them, and something to do is not "nothing to link".
#[test]
fn a_plan_that_has_only_flags_to_set_is_something_to_do() {
    let lab = lab!(Disk::Own);
    let [a, b, c] = opened(&lab);
    let (said, plan) = lab.try_plan(&[&a, &b, &c], &["--exit-code"]);
    assert_eq!(said.code, 10, "{said:?}");
    assert!(!said.stderr.contains("Nothing to link"), "{said:?}");
    assert!(
        said.stderr.contains("UNPROTECTED: 3 shared files"),
        "{said:?}"
    );
    plan.unwrap().apply().expect(0);
    assert!(are_protected(&lab));
}

#[test]
fn what_was_written_meanwhile_is_found_by_recover() {
    let lab = lab!(Disk::Own);
    let [a, b, _] = opened(&lab);
    fs::write(a.host(FILES[0]), "poison").unwrap();
    let healed = lab.on_base("recover", &["--json"]).expect(12).json();
    let spoiled = &healed["spoiled"][0];
    let named: Vec<&str> = spoiled["left"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| left["guest"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["a", "b", "c"], "{healed}");
    assert!(are_protected(&lab), "nobody writes more to it");
    assert_eq!(fs::read(b.host(FILES[0])).unwrap(), b"poison");
}

/// A run takes flags off for a moment: what is seen then is not judged.
#[test]
fn flags_that_a_run_may_have_off_are_not_judged() {
    let lab = lab!(Disk::Own);
    opened(&lab);
    let lock = HostFile::open(lab.base().join("lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let said = lab.on_base("status", &["--exit-code"]).expect(0);
    assert!(
        said.stderr
            .contains("what lacks its protection was not judged"),
        "{said:?}"
    );
    assert!(!said.stdout.contains("UNPROTECTED"), "{said:?}");
    lab.on_base("recover", &[]).expect(7);
    assert!(!are_protected(&lab));
}

/// Who asked for no protection is not told that there is none.
#[test]
fn a_base_without_protection_is_as_it_was_asked_for() {
    let lab = lab!(Disk::Own);
    let [a, b] = lab.twins(&[(FILES[0], File::new(content(1)))]);
    let options = ["--protect", "none", "--protect", "none"];
    lab.plan(&[&a, &b], &options).apply().expect(0);
    let status = lab.on_base("status", &["--json", "--exit-code"]).expect(0);
    assert_eq!(status.json()["unprotected_objects"], 0);
    lab.on_base("recover", &[]).expect(0);
    assert!(!is_immutable(&a.host(FILES[0])));
}

/// Where nothing is wrong, `recover` looks over the objects once.
#[test]
fn what_is_whole_is_looked_at_once() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    for seed in 0..16u32 {
        for guest in [&web, &db] {
            guest.put(format!("/usr/f{seed}"), &File::new(content(seed)));
        }
    }
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let (base, trace) = (lab.base(), lab.path("trace"));
    let trace_to = [("UNIFY_FAULT_TRACE", trace.to_str().unwrap())];
    unify_with(&trace_to, &["recover", "--base", base.to_str().unwrap()]).expect(0);
    let calls = fs::read_to_string(&trace).unwrap();
    let lists = calls.lines().filter(|line| line.contains("list")).count();
    let fans = fs::read_dir(base.join("objects")).unwrap().count();
    assert!(fans > 10 && lists < 2 * fans, "{lists} of {fans}");
}

/// Objects that a plan of another policy made are known as what they are, with the time of their files or without:
/// their lost flags come back by the lines of any plan.
#[test]
fn flags_come_back_whichever_policy_made_the_objects() {
    for (made, then) in [
        (&["--ignore", "mtime"][..], &[][..]),
        (&[], &["--ignore", "mtime"]),
    ] {
        let lab = lab!(Disk::Own);
        let guests = ["a", "b"].map(|name| {
            let guest = lab.guest(name);
            let time = if made.is_empty() {
                0
            } else {
                guest.name().as_bytes()[0].into()
            };
            guest.put(
                "/usr/f",
                &File::new(content(1)).mtime(1_700_000_000 + time, 0),
            );
            guest
        });
        let [a, b] = &guests;
        lab.plan(&[a, b], made).apply().expect(0);
        lift_flags(a.root());
        assert!(!is_immutable(&a.host("/usr/f")));
        let plan = lab.plan(&[a, b], then);
        assert_eq!(plan.actions("flag").len(), 1, "{then:?}");
        plan.apply().expect(0);
        assert!(is_immutable(&a.host("/usr/f")), "{then:?}");
        // What is damaged stays bare, whichever policy made it.
        lift_flags(a.root());
        let plan = lab.plan(&[a, b], then);
        fs::write(a.host("/usr/f"), content(2)).unwrap();
        plan.apply().expect(4);
        assert!(!is_immutable(&a.host("/usr/f")), "{then:?}");
    }
}
