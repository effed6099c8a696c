//! Guests stand still for a bounded time, whatever the run, its watchdog or the disk wait for.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{
    ALIVE, BIN, Cgroup, Disk, File, Guest, Lab, assert_alive, content, id, is_immutable, line_of,
    listings, nlink, strings_in, unchanged, unify, unify_with,
};

/// An apply that is killed: what goes on after it keeps its standard error open, and is not waited for.
fn killed(lab: &Lab, guests: &[Guest; 2], fault: &str) {
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    let mut apply = Command::new(BIN);
    let apply = apply
        .args(["apply", "--yes", "--allow-running"])
        .arg(&plan.path);
    let apply = apply.env("UNIFY_FAULT", fault).current_dir("/");
    let status = apply
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert_eq!(status.unwrap().code(), None, "it was not killed");
}

fn two(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[
        ("/usr/f", File::new(content(1))),
        ("/usr/g", File::new(content(2))),
    ])
}

fn apply(lab: &Lab, guests: &[Guest; 2], fault: &str, budget: &[&str]) -> crate::support::Out {
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    let plan = plan.path.to_str().unwrap();
    let args = [&["apply", "--yes", "--allow-running"], budget, &[plan]].concat();
    unify_with(&[("UNIFY_FAULT", fault)], &args)
}

/// Waits for what comes on its own; it takes so long only where it does not come.
#[track_caller]
fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(120), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_protected(lab: &Lab) -> bool {
    let objects = lab.objects();
    let mut shared = objects.iter().filter(|object| nlink(object) > 1);
    shared.all(|object| is_immutable(object))
}

#[track_caller]
fn assert_protected(lab: &Lab) {
    assert!(is_protected(lab), "shared and not flagged");
}

fn is_healed(lab: &Lab) -> bool {
    lab.staged().is_empty() && !lab.base().join("frozen").exists()
}

/// The run is killed, and another process has the lock of the base, for as long as it likes. Either may be quicker; the
/// watchdog is so seldom.
#[test]
fn a_lock_keeps_no_guest_frozen() {
    armed!();
    for _ in 0..5 {
        let lab = lab!(Disk::Own);
        let cgroup = cgroup!("locked");
        if the_lock_is_held(&lab, &cgroup) {
            return;
        }
    }
    panic!("the watchdog was quicker each time, or guests went on without flags");
}

/// False where the watchdog got the lock first, and has healed.
fn the_lock_is_held(lab: &Lab, cgroup: &Cgroup) -> bool {
    let guests = two(lab);
    let before = listings(&[&guests[0], &guests[1]]);
    let _guest = cgroup.start(guests[1].root(), ALIVE);
    let held = lab.path("held");
    let lock = lab.base().join("lock");
    let taken = format!(
        "exchange#2=run:flock '{}' sh -c 'echo $$ > {held}; exec sleep 600' <&- >&- 2>&- & sleep 0.3; kill -KILL $PPID",
        lock.display(),
        held = held.display()
    );
    killed(lab, &guests, &taken);
    wait_for("nobody has the lock", || {
        std::fs::read_to_string(&held).is_ok_and(|pid| pid.ends_with('\n'))
    });
    wait_for("the guest stands still", || !cgroup.is_frozen());
    // A watchdog that does heal takes flags off for moments.
    let cannot_heal = !lab.staged().is_empty() && is_protected(lab);
    assert_alive(lab, "while the lock is held");
    let pid = std::fs::read_to_string(&held).unwrap();
    let killed = Command::new("kill").args(["-KILL", pid.trim()]).status();
    assert!(killed.unwrap().success());
    wait_for("it is not healed", || is_healed(lab));
    assert!(!cgroup.is_frozen());
    assert_protected(lab);
    assert_alive(lab, "in the end");
    unchanged(&[&guests[0], &guests[1]], &before, "in the end");
    cannot_heal
}

/// A file system on which every write waits until this is dropped.
struct Suspended(PathBuf);

impl Drop for Suspended {
    fn drop(&mut self) {
        Command::new("fsfreeze")
            .arg("-u")
            .arg(&self.0)
            .status()
            .ok();
    }
}

fn mount_of(path: &Path) -> PathBuf {
    let out = Command::new("stat").args(["-c", "%m"]).arg(path).output();
    PathBuf::from(String::from_utf8(out.unwrap().stdout).unwrap().trim())
}

/// The run is killed, and nothing can be written any more: not the flags, not the lock.
#[test]
fn a_disk_that_does_not_answer_keeps_no_guest_frozen() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let guests = two(&lab);
    let cgroup = cgroup!("suspended");
    let _guest = cgroup.start(guests[1].root(), "while :; do sleep 0.01; done");
    let mount = mount_of(&lab.guests());
    assert_ne!(mount, mount_of(Path::new("/")), "a disk of its own");
    let suspended = Suspended(mount.clone());
    let fault = format!(
        "exchange#2=run:fsfreeze -f '{}' && kill -KILL $PPID",
        mount.display()
    );
    killed(&lab, &guests, &fault);
    wait_for("the guest stands still", || !cgroup.is_frozen());
    drop(suspended);
    wait_for("it is not healed", || is_healed(&lab));
    assert!(!cgroup.is_frozen());
    assert_protected(&lab);
}

/// The run lives, and does not go on. When it does, it finds that guests did not wait for it, and exchanges nothing
/// more.
#[test]
fn a_run_that_hangs_keeps_no_guest_frozen() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = two(&lab);
    let before = listings(&[&guests[0], &guests[1]]);
    let cgroup = cgroup!("hangs");
    let _guest = cgroup.start(guests[1].root(), ALIVE);
    let (pulse, gone_on) = (lab.path("guests/pulse"), lab.path("gone-on"));
    // It goes on when the guest has.
    let fault = format!(
        "exchange#2=run:n=$(wc -c < '{p}'); i=0; while [ $i -lt 1200 ]; do i=$((i + 1)); sleep 0.1; \
         [ $(wc -c < '{p}') -gt $n ] && {{ touch '{g}'; break; }}; done",
        p = pulse.display(),
        g = gone_on.display()
    );
    let out = apply(&lab, &guests, &fault, &[]).expect(9);
    assert!(gone_on.exists(), "the guest stood still: {}", out.stderr);
    assert!(out.stderr.contains("let go on"), "{}", out.stderr);
    wait_for("it is not healed", || is_healed(&lab));
    assert_alive(&lab, "in the end");
    assert!(!cgroup.is_frozen());
    assert_protected(&lab);
    unchanged(&[&guests[0], &guests[1]], &before, "in the end");
}

/// Somebody else lets the guest go on, right before a flag would come off.
#[test]
fn no_flag_comes_off_once_a_guest_goes_on() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = two(&lab);
    lab.plan(&[&guests[0], &guests[1]], &[]).apply().expect(0);
    let before = listings(&[&guests[0], &guests[1]]);
    let cgroup = cgroup!("let-go");
    let _guest = cgroup.start(guests[1].root(), ALIVE);
    let undo = |env: &[(&str, &str)]| {
        let base = lab.base().display().to_string();
        let args = [
            "undo",
            "--yes",
            "--run",
            "all",
            "--allow-running",
            "--max-freeze",
            "60s",
            "--base",
            &base,
        ];
        unify_with(env, &args)
    };
    // A lease for each name is taken before the freeze, those on the objects after it.
    let (thawed, lifted) = (lab.path("thawed"), lab.path("lifted"));
    let faults = format!(
        "lease#5=run:echo 0 > '{}'; touch '{}'\nsetflags#1=run:touch '{}'",
        cgroup.control().display(),
        thawed.display(),
        lifted.display()
    );
    undo(&[("UNIFY_FAULT", &faults)]).expect(9);
    assert!(thawed.exists() && !lifted.exists(), "a flag came off");
    wait_for("it is not healed", || is_healed(&lab));
    // Who healed it may have the base still.
    let lock = std::fs::File::open(lab.base().join("lock")).unwrap();
    drop(nix::fcntl::Flock::lock(lock, nix::fcntl::FlockArg::LockExclusive).unwrap());
    unchanged(&[&guests[0], &guests[1]], &before, "after it");
    assert_protected(&lab);
    undo(&[]).expect(0);
}

/// Apply and its watchdog are killed: who asks is told first of all that guests stand still.
#[test]
fn guests_that_were_left_frozen_are_named_first() {
    armed!();
    let disk = memory_lab!(Disk::Ext4);
    drop(cgroup!("named"));
    assert!((0..5).any(|attempt| are_named(&disk, attempt)));
}

/// False where the machine was too slow: a healing that takes a second is ended, so that guests go on.
fn are_named(disk: &Lab, attempt: u32) -> bool {
    let lab = disk.part(&format!("case-{attempt}"));
    let cgroup = Cgroup::new(&format!("named-{attempt}")).unwrap();
    let guests = two(&lab);
    let _guest = cgroup.start(guests[1].root(), ALIVE);
    let base = lab.base().display().to_string();
    let status = ["status", "--exit-code", "--base", &base];
    let fault =
        format!("exchange#2=run:pkill -KILL -f 'watchdog [-]-base {base}'; kill -KILL $PPID");
    apply(&lab, &guests, &fault, &["--max-freeze", "60s"]).expect(-1);
    assert!(cgroup.is_frozen(), "nobody was left to let it go");
    let out = unify(&status).expect(10);
    assert!(
        out.stdout.starts_with("GUESTS STAND STILL"),
        "{}",
        out.stdout
    );
    let frozen = unify(&["status", "--json", "--base", &base])
        .expect(9)
        .json()["frozen"]
        .clone();
    assert_eq!(frozen.as_array().unwrap().len(), 1, "{frozen}");
    let (out, _) = lab.try_plan(&[&guests[0], &guests[1]], &[]);
    assert!(out.stderr.contains("guests stand still"), "{}", out.stderr);
    let recovered = unify(&["recover", "--base", &base]).expect_one_of(&[0, -1]);
    if recovered.code == -1 {
        return false;
    }
    assert!(!cgroup.is_frozen());
    let out = unify(&["status", "--base", &base]).expect(0);
    assert!(!out.stdout.contains("STAND STILL"), "{}", out.stdout);
    assert_alive(&lab, "after recover");
    true
}

fn furnished(lab: &Lab, files: usize) -> [Guest; 2] {
    ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for n in 0..files {
            guest.put(format!("/usr/{n}"), &File::new(content(n)));
        }
        guest
    })
}

/// How often guests were frozen, and how often for longer than allowed, in an apply and the undo of it.
fn freezes(lab: &Lab, guests: &[Guest; 2], most: &str) -> [(u64, u64); 2] {
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    let (plan, base) = (
        plan.path.to_str().unwrap(),
        lab.base().display().to_string(),
    );
    let budget = ["--yes", "--json", "--allow-running", "--max-freeze", most];
    let undo = ["undo", "--run", "all", "--base", &base];
    [&["apply", plan][..], &undo].map(|args| {
        let frozen = unify(&[args, &budget].concat()).expect(0).json()["freezes"].clone();
        let number = |key: &str| frozen[key].as_u64().unwrap();
        (number("moments"), number("exceeded"))
    })
}

/// Batches are small where little time is allowed, and grow where there is much.
#[test]
fn batches_are_as_large_as_the_budget_allows() {
    const FILES: usize = 150;
    let lab = lab!(Disk::Own);
    let guests = furnished(&lab, FILES);
    let before = listings(&[&guests[0], &guests[1]]);
    let cgroup = cgroup!("budget");
    let _guest = cgroup.start(guests[1].root(), ALIVE);
    let much = freezes(&lab, &guests, "60s");
    // Of 300 names 16, 24, 36, 54, 81 and the rest; of 150 files 16, 24, 36, 54 and the rest, and flags on the way.
    assert!(
        much.iter()
            .all(|(moments, exceeded)| *moments < 12 && *exceeded == 0),
        "{much:?}"
    );
    let little = freezes(&lab, &guests, "1ms");
    for ((few, _), (many, exceeded)) in much.into_iter().zip(little) {
        assert!(many > few && exceeded > 0, "{much:?} {little:?}");
    }
    let links = (0..FILES).all(|n| nlink(&guests[0].host(format!("/usr/{n}"))) == 1);
    assert!(links && !cgroup.is_frozen());
    assert_alive(&lab, "after all");
    unchanged(&[&guests[0], &guests[1]], &before, "after all");
}

/// A large file is not frozen for within a short time, and is done where more is allowed, or nobody has to wait.
#[test]
fn a_file_that_takes_too_long_is_refused() {
    let lab = lab!(Disk::Own);
    let large = File::new(vec![7; 4 << 20]);
    let guests = lab.twins(&[("/usr/large", large), ("/usr/small", File::new(content(1)))]);
    let cgroup = cgroup!("large");
    let _guest = cgroup.start(guests[1].root(), ALIVE);
    let plan = lab.plan(&[&guests[0], &guests[1]], &[]);
    let plan = plan.path.to_str().unwrap();
    let apply = |most| {
        unify(&[
            "apply",
            "--yes",
            "--allow-running",
            "--max-freeze",
            most,
            plan,
        ])
    };
    let shared = |path| id(&guests[0].host(path)) == id(&guests[1].host(path));
    apply("1ms").expect(4);
    assert!(!shared("/usr/large") && shared("/usr/small"));
    let line = line_of(&lab.receipt(), "db", "/usr/large").clone();
    assert!(strings_in(&line).contains(&"too-large-to-freeze"), "{line}");
    apply("100ms").expect(0);
    assert!(shared("/usr/large"));
    assert_alive(&lab, "after it");
}

#[test]
fn a_budget_is_for_those_who_freeze() {
    for args in [
        &["--max-freeze", "1s"][..],
        &["--allow-running", "--max-freeze", "1"],
        &["--allow-running", "--max-freeze", "0ms"],
    ] {
        for command in [&["apply", "plan"][..], &["recover", "--base", "b"]] {
            unify(&[command, args].concat()).expect(2);
        }
    }
}

/// Somebody runs who holds nothing of what is made one now: nobody has to wait, and batches grow as if somebody had.
#[test]
fn batches_grow_where_nobody_has_to_wait() {
    armed!();
    let lab = lab!(Disk::Own);
    let cgroup = cgroup!("bystander");
    let guests = two(&lab);
    lab.plan(&[&guests[0], &guests[1]], &[]).apply().expect(0);
    let _guest = cgroup.start(guests[1].root(), ALIVE);
    let others = ["three", "four"].map(|name| lab.guest(name));
    for guest in &others {
        (10..210).for_each(|n| guest.put(format!("/usr/f{n}"), &File::new(content(n))));
    }
    let plan = lab.plan(&[&others[0], &others[1]], &[]);
    let trace = lab.path("trace");
    let words = ["apply", "--yes", "--allow-running", "--max-freeze", "60s"];
    let words = [&words[..], &[plan.path.to_str().unwrap()]].concat();
    unify_with(&[("UNIFY_FAULT_TRACE", trace.to_str().unwrap())], &words).expect(0);
    for n in 10..210 {
        assert_eq!(nlink(&others[0].host(format!("/usr/f{n}"))), 3);
    }
    let calls = std::fs::read_to_string(trace).unwrap();
    let batches = calls.lines().filter(|call| *call == "syncfs").count();
    assert!(batches < 20, "{batches}");
    assert_alive(&lab, "in the end");
}
