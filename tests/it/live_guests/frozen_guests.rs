//! A run freezes running guests for moments, and they go on: on real cgroups, with processes as a container has them.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{
    ALIVE, Cgroup, Disk, File, Guest, LONG, Lab, Listing, Planned, assert_alive, assert_same,
    calls_of_apply, content, id, is_immutable, line_of, listings, nlink, strings_in, unchanged,
    unify, unify_with,
};

fn apply(plan: &Planned, env: &[(&str, &str)]) -> crate::support::Out {
    let plan = plan.path.to_str().unwrap();
    unify_with(env, &[&["apply", "--yes"], &LONG[..], &[plan]].concat())
}

fn shared(web: &Guest, db: &Guest) -> bool {
    id(&web.host("/usr/f")) == id(&db.host("/usr/f"))
}

fn two(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[
        ("/usr/f", File::new(content(1))),
        ("/usr/g", File::new(content(2))),
    ])
}

#[test]
fn a_running_guest_is_frozen_and_goes_on() {
    for disk in [Disk::Own, Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let [web, db] = two(&lab);
        let cgroup = cgroup!("goes-on");
        let before = listings(&[&web, &db]);
        let _guest = cgroup.start(db.root(), ALIVE);
        let plan = lab.plan(&[&web, &db], &[]);
        plan.apply().expect(4);
        assert!(!shared(&web, &db), "not without being asked for");
        let out = apply(&plan, &[]).expect(0);
        assert!(
            out.stdout.contains("Running guests were frozen"),
            "{}",
            out.stdout
        );
        assert!(shared(&web, &db), "{disk:?}");
        assert!(is_immutable(&db.host("/usr/f")));
        assert!(!cgroup.is_frozen());
        assert_alive(&lab, "after apply");
        unchanged(&[&web, &db], &before, "after apply");
        let base = lab.base();
        let undo = [
            "undo",
            "--run",
            "all",
            "--yes",
            "--base",
            base.to_str().unwrap(),
        ];
        unify(&undo).expect(4);
        assert!(shared(&web, &db), "undo waits too");
        unify(&[&undo[..], &LONG].concat()).expect(0);
        assert!(!shared(&web, &db));
        assert_alive(&lab, "after undo");
        unchanged(&[&web, &db], &before, "after undo");
    }
}

/// The object's holder runs, and the plan is about others.
#[test]
fn a_holder_that_is_not_in_the_plan_is_frozen_too() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let third = lab.guest("third");
    third.put("/usr/f", &File::new(content(1)));
    let cgroup = cgroup!("holder");
    let _guest = cgroup.start(db.root(), ALIVE);
    let plan = lab.plan(&[&third], &[]);
    plan.apply().expect(4);
    let out = apply(&plan, &[]).expect(0);
    assert!(out.stdout.contains("frozen 1 time"), "{}", out.stdout);
    assert!(shared(&web, &third));
    assert_alive(&lab, "the holder");
}

/// Fails unless the names are refused, with the reason, and all is as if nothing had been tried.
fn assert_refused(lab: &Lab, guests: [&Guest; 2], why: &str) {
    let [web, db] = guests;
    let before = listings(&[web, db]);
    apply(&lab.plan(&[web, db], &[]), &[]).expect(4);
    assert!(!shared(web, db), "{why}");
    let line = line_of(&lab.receipt(), "db", "/usr/f").clone();
    assert!(
        strings_in(&line).iter().any(|text| text.contains(why)),
        "{line}"
    );
    unchanged(&[web, db], &before, why);
}

#[test]
fn a_guest_that_may_clear_flags_is_refused() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let cgroup = cgroup!("mighty");
    let _guest = cgroup.start_mighty(db.root(), "sleep 600 & wait");
    assert_refused(&lab, [&web, &db], "CAP_LINUX_IMMUTABLE");
}

#[test]
fn a_cgroup_that_holds_others_is_not_frozen() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let cgroup = cgroup!("others");
    let _guest = cgroup.start(db.root(), "sleep 600 & wait");
    let _other = cgroup.start(Path::new("/"), "sleep 600 & wait");
    assert_refused(&lab, [&web, &db], "which is not in the guest");
    assert!(!cgroup.is_frozen());
}

/// What an operator froze stays frozen, and is as good as ours.
#[test]
fn somebody_elses_freeze_stays() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let cgroup = cgroup!("operator");
    let _guest = cgroup.start(db.root(), ALIVE);
    let plan = lab.plan(&[&web, &db], &[]);
    cgroup.freeze();
    apply(&plan, &[]).expect(0);
    assert!(shared(&web, &db));
    assert!(cgroup.is_frozen(), "it was not ours to thaw");
    cgroup.thaw();
}

/// A run is killed at every call between freeze and thaw: the watchdog heals, and lets the guest go on.
#[test]
fn the_watchdog_survives_apply() {
    armed!();
    let disk = match Lab::in_memory(Disk::Ext4) {
        Ok(lab) => lab,
        Err(why) => skip!("{why}"),
    };
    let cgroup = cgroup!("watchdog");
    let (first, last) = frozen_calls(&disk, &cgroup);
    let step = if crate::support::is_long() { 1 } else { 4 };
    for call in (first..=last).step_by(step) {
        killed_while_frozen(&disk, &cgroup, call);
    }
    crate::support::figure(&format!(
        "watchdog: {} calls while frozen, every {step}. killed",
        last - first + 1
    ));
}

/// The first and the last call that is made while the guest is frozen.
fn frozen_calls(disk: &Lab, cgroup: &Cgroup) -> (usize, usize) {
    let calls = calls_of_apply(disk, cgroup);
    let first = calls.iter().position(|call| call == "spawn").unwrap() + 2;
    let last = calls.iter().rposition(|call| call == "thaw").unwrap() + 2;
    (first, last)
}

fn killed_while_frozen(disk: &Lab, cgroup: &Cgroup, call: usize) {
    let lab = disk.part("case");
    let guests = two(&lab);
    let [web, db] = &guests;
    let before = guests
        .each_ref()
        .map(|guest| Listing::of(guest.root()).without_directory_times());
    let _guest = cgroup.start(db.root(), ALIVE);
    let plan = lab.plan(&[web, db], &[]);
    let out = apply(&plan, &[("UNIFY_FAULT", &format!("{call}=kill"))]).expect(-1);
    let what = format!("killed at call {call}, it said {}", out.stderr);
    assert_alive(&lab, &what);
    // The healing may freeze it once more.
    wait_until_healed(&lab, &what);
    assert!(!cgroup.is_frozen(), "{what}");
    for object in lab.objects().iter().filter(|object| nlink(object) > 1) {
        assert!(
            is_immutable(object),
            "{what}: shared, running and not flagged"
        );
    }
    for (guest, before) in guests.iter().zip(&before) {
        let after = Listing::of(guest.root()).without_directory_times();
        assert_same(before, &after, &what);
    }
}

fn wait_until_healed(lab: &Lab, what: &str) {
    let start = Instant::now();
    while !lab.staged().is_empty() || lab.base().join("frozen").exists() {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "{what}: {:?}",
            lab.staged()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Apply and its watchdog are killed: the guest stays frozen until `recover` runs.
#[test]
fn recover_lets_go_what_was_left_frozen() {
    armed!();
    let disk = memory_lab!(Disk::Ext4);
    drop(cgroup!("left"));
    assert!((0..5).any(|attempt| is_let_go(&disk, attempt)));
}

/// False where the machine was too slow: a healing that takes a second is ended, so that the guest goes on.
fn is_let_go(disk: &Lab, attempt: u32) -> bool {
    let lab = disk.part(&format!("case-{attempt}"));
    let cgroup = Cgroup::new(&format!("left-{attempt}")).unwrap();
    let [web, db] = two(&lab);
    let before = [&web, &db].map(|guest| Listing::of(guest.root()).without_directory_times());
    let _guest = cgroup.start(db.root(), ALIVE);
    let plan = lab.plan(&[&web, &db], &[]);
    let base = lab.base();
    let fault = format!(
        "exchange#2=run:pkill -KILL -f 'watchdog [-]-base {}'; kill -KILL $PPID",
        base.display()
    );
    apply(&plan, &[("UNIFY_FAULT", &fault)]).expect(-1);
    assert!(cgroup.is_frozen(), "nobody was left to let it go");
    assert_ne!(lab.staged().len(), 0);
    let recovered = unify(&["recover", "--base", base.to_str().unwrap()]).expect_one_of(&[0, -1]);
    if recovered.code == -1 {
        return false;
    }
    assert!(!cgroup.is_frozen());
    assert_eq!(lab.staged().len(), 0);
    assert_alive(&lab, "after recover");
    for (before, guest) in before.iter().zip([&web, &db]) {
        let after = Listing::of(guest.root()).without_directory_times();
        assert_same(before, &after, "after recover");
    }
    true
}

/// No flag is off while the guest runs: all changes of flags but the self-test's lie between freeze and thaw.
#[test]
fn flags_are_off_only_while_all_stands_still() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let third = lab.guest("third");
    third.put("/usr/f", &File::new(content(1)));
    let cgroup = cgroup!("still");
    let _guest = cgroup.start(db.root(), ALIVE);
    let base = lab.base().display().to_string();
    let trace = lab.path("trace");
    let traced = |args: &[&str], tests: usize| {
        std::fs::remove_file(&trace).ok();
        unify_with(&[("UNIFY_FAULT_TRACE", trace.to_str().unwrap())], args).expect(0);
        let text = std::fs::read_to_string(&trace).unwrap();
        let mut still = false;
        let mut flags = 0;
        for call in text.lines() {
            match call {
                "freeze" => still = true,
                "thaw" => still = false,
                "setflags" => {
                    flags += 1;
                    assert!(
                        still || flags <= tests,
                        "{args:?}: flag change {flags} while the guest moves"
                    );
                }
                _ => {}
            }
        }
        assert!(flags > tests, "{args:?}: flags were changed");
    };
    for guests in [vec![&web, &db], vec![&third]] {
        let plan = lab.plan(&guests, &[]);
        let plan = plan.path.to_str().unwrap();
        traced(&[&["apply", "--yes"], &LONG[..], &[plan]].concat(), 2);
    }
    let undo = ["undo", "--yes", "--run", "all", "--base", &base];
    traced(&[&undo[..], &LONG].concat(), 0);
}

/// A running guest may hold descriptors of its files that no other process sees, so its inodes are never shared.
#[test]
fn objects_of_running_guests_are_copies() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let (cgroup, other) = (cgroup!("copies-1"), cgroup!("copies-2"));
    let was = [&web, &db].map(|guest| id(&guest.host("/usr/f")));
    let _guests = [
        cgroup.start(db.root(), ALIVE),
        other.start(web.root(), ALIVE),
    ];
    apply(&lab.plan(&[&web, &db], &[]), &[]).expect(0);
    assert!(shared(&web, &db));
    assert!(
        !was.contains(&id(&db.host("/usr/f"))),
        "an inode of a running guest is shared"
    );
}
