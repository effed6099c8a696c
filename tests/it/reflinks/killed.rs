//! Runs that share blocks, or give files their own again, are killed at their calls. Every name keeps what it has, the
//! next `recover` heals, and receipts tell of all that is shared, and of nothing else.

use std::time::{Duration, Instant};

use crate::support::{
    Disk, Exact, File, Guest, Lab, assert_exact, content, exact, figure, is_long, shares_blocks,
    unify_with,
};

const FILES: usize = 5;
const REFLINK: &[&str] = &["--method", "reflink"];

fn guests(lab: &Lab) -> [Guest; 2] {
    ["a", "b"].map(|name| {
        let guest = lab.apart(name);
        for file in 0..FILES {
            let text: Vec<u8> = (0..20)
                .flat_map(|n| content(format!("{file}.{n}")))
                .collect();
            guest.put(format!("/usr/share/{file}"), &File::new(&*text));
        }
        guest
    })
}

/// Files that share blocks by what the file system says: those of one guest, for the others are their sources.
fn shared(guests: &[Guest; 2]) -> u64 {
    let shares = |file: usize| shares_blocks(&guests[0].host(format!("/usr/share/{file}")));
    (0..FILES).filter(|file| shares(*file)).count() as u64
}

/// The same when what is freed in the background is freed: until then it is too much, so no more than `most` is waited
/// for.
fn settled(guests: &[Guest; 2], most: u64) -> u64 {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        rustix::fs::sync();
        let shared = shared(guests);
        if shared <= most || Instant::now() > end {
            return shared;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn known(lab: &Lab) -> u64 {
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    let guests = status["guests"].as_array().unwrap().iter();
    guests
        .map(|guest| guest["reflinked_files"].as_u64().unwrap())
        .sum()
}

/// The names of all calls that a command makes.
fn calls(lab: &Lab, args: &[&str]) -> Vec<String> {
    let trace = lab.path("trace");
    std::fs::remove_file(&trace).ok();
    unify_with(&[("UNIFY_FAULT_TRACE", trace.to_str().unwrap())], args).expect(0);
    std::fs::read_to_string(&trace)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// Calls that are killed: a night's work are all; a commit's, some of those by which it is known how far a run came.
fn chosen(calls: &[String], every: usize) -> Vec<usize> {
    let steps = ["dedupe", "syncfs", "sync"];
    let numbered = calls.iter().enumerate().map(|(at, name)| (at + 1, name));
    match is_long() {
        true => numbered.map(|(at, _)| at).collect(),
        false => {
            let steps = numbered.filter(|(_, name)| steps.contains(&name.as_str()));
            steps.step_by(every).map(|(at, _)| at).collect()
        }
    }
}

struct Scene<'a> {
    lab: &'a Lab,
    guests: &'a [Guest; 2],
    before: &'a [Exact; 2],
}

impl Scene<'_> {
    /// Kills a command at a call, and proves what must hold then, and after it was healed.
    fn kill(&self, args: &[&str], at: usize) {
        let [a, b] = self.guests;
        let when = format!("{} killed at call {at}", args[0]);
        unify_with(&[("UNIFY_FAULT", &format!("{at}=kill"))], args);
        assert_exact(self.before, &[a, b], &when);
        self.lab.on_base("recover", &[]).expect(0);
        assert_exact(self.before, &[a, b], &format!("{when}, and healed"));
        assert_eq!(
            self.lab.staged().len(),
            0,
            "{when}: nothing is left in staging"
        );
        let known = known(self.lab);
        let shared = settled(self.guests, known);
        let what = "what receipts tell of is shared, and nothing else";
        assert_eq!(known, shared, "{when}: {what}");
    }

    /// However a run has ended: each file has its content, what is shared is known, and all of it is given back.
    fn ends_well(&self, when: &str) {
        let [a, b] = self.guests;
        assert_exact(self.before, &[a, b], when);
        self.lab.on_base("recover", &[]).expect(0);
        assert_exact(self.before, &[a, b], &format!("{when}, and healed"));
        let told = known(self.lab);
        assert!(
            told >= settled(self.guests, told),
            "{when}: what is shared is known"
        );
        let all = ["--run", "all", "--yes"];
        self.lab.on_base("undo", &all).expect(0);
        assert_eq!(
            (settled(self.guests, 0), known(self.lab)),
            (0, 0),
            "{when}, and undone"
        );
    }
}

fn sweep(disk: Disk, every: usize) {
    armed!();
    let lab = memory_lab!(disk);
    let guests = guests(&lab);
    let [a, b] = &guests;
    let before = [exact(a.root()), exact(b.root())];
    let scene = Scene {
        lab: &lab,
        guests: &guests,
        before: &before,
    };
    let plan = lab.plan(&[a, b], REFLINK);
    let apply = ["apply", "--yes", plan.path.to_str().unwrap()];
    let base = lab.base();
    let undo = [
        "undo",
        "--base",
        base.to_str().unwrap(),
        "--run",
        "all",
        "--yes",
    ];
    let of_apply = chosen(&calls(&lab, &apply), every);
    let of_undo = chosen(&calls(&lab, &undo), every);
    for at in &of_apply {
        scene.kill(&apply, *at);
        // What the killed run did not come to is done by the next.
        plan.apply().expect(0);
        assert_eq!(shared(&guests), FILES as u64);
        lab.on_base("undo", &undo[3..]).expect(0);
        assert_eq!((settled(&guests, 0), known(&lab)), (0, 0));
    }
    for at in &of_undo {
        plan.apply().expect(0);
        scene.kill(&undo, *at);
        lab.on_base("undo", &undo[3..]).expect_one_of(&[0]);
        assert_eq!((settled(&guests, 0), known(&lab)), (0, 0));
    }
    figure(&format!(
        "reflinks on {disk:?}: killed at {} calls of apply and {} of undo",
        of_apply.len(),
        of_undo.len()
    ));
}

#[test]
fn at_calls_on_xfs() {
    sweep(Disk::Xfs, 2);
}

#[test]
fn at_calls_on_btrfs() {
    sweep(Disk::Btrfs, 5);
}

/// Every call fails with what it can answer, once: each file has its content, and what is shared is known.
fn errors(disk: Disk, every: usize) {
    armed!();
    let lab = lab!(disk);
    let guests = guests(&lab);
    let [a, b] = &guests;
    let before = [exact(a.root()), exact(b.root())];
    let scene = Scene {
        lab: &lab,
        guests: &guests,
        before: &before,
    };
    let plan = lab.plan(&[a, b], REFLINK);
    let apply = ["apply", "--yes", plan.path.to_str().unwrap()];
    let base = lab.base();
    let undo = [
        "undo",
        "--base",
        base.to_str().unwrap(),
        "--run",
        "all",
        "--yes",
    ];
    let every = if is_long() { 1 } else { every };
    let mut failed = 0;
    let [of_apply, of_undo] = [&apply[..], &undo[..]].map(|args| calls(&lab, args));
    for (args, all) in [(&apply[..], of_apply), (&undo[..], of_undo)] {
        for (at, name) in all.iter().enumerate().step_by(every) {
            let errnos = errnos(name);
            let some = if is_long() {
                errnos
            } else {
                &errnos[at % errnos.len()..][..1]
            };
            for errno in some {
                if args[0] == "undo" {
                    plan.apply().expect(0);
                }
                let when = format!("{}: {errno} at call {} ({name})", args[0], at + 1);
                unify_with(&[("UNIFY_FAULT", &format!("{}={errno}", at + 1))], args);
                scene.ends_well(&when);
                failed += 1;
            }
        }
    }
    figure(&format!("reflinks on {disk:?}: {failed} calls failed"));
}

/// What a call can answer.
fn errnos(call: &str) -> &'static [&'static str] {
    match call {
        "dedupe" => &["EIO", "ENOSPC", "EPERM", "EINVAL", "ETXTBSY"],
        "open" => &["EIO", "EMFILE", "ENOENT", "EAGAIN"],
        "sync" | "syncfs" => &["EIO", "ENOSPC"],
        "write" | "create" | "mkdir" | "tmpfile" | "truncate" => &["ENOSPC", "EIO"],
        _ => &["EIO", "ENOMEM"],
    }
}

#[test]
fn errors_on_xfs() {
    errors(Disk::Xfs, 25);
}

#[test]
fn errors_on_btrfs() {
    errors(Disk::Btrfs, 60);
}

/// From outside, on the program as it is shipped: killed at the calls that change anything.
#[test]
fn strace_kills_at_the_calls_of_both() {
    traced!();
    let lab = lab!(Disk::Xfs);
    let guests = guests(&lab);
    let [a, b] = &guests;
    let before = [exact(a.root()), exact(b.root())];
    let scene = Scene {
        lab: &lab,
        guests: &guests,
        before: &before,
    };
    let plan = lab.plan(&[a, b], REFLINK);
    let base = lab.base();
    let undo = [
        "undo",
        "--base",
        base.to_str().unwrap(),
        "--run",
        "all",
        "--yes",
    ];
    let apply = ["apply", "--yes", plan.path.to_str().unwrap()];
    plan.apply().expect(0);
    lab.on_base("undo", &undo[3..]).expect(0);
    let most = if is_long() { 40 } else { 3 };
    let mut killed = 0;
    for (args, call) in [
        (&apply[..], "ioctl"),
        (&apply, "syncfs"),
        (&undo, "ioctl"),
        (&undo, "copy_file_range"),
    ] {
        for nth in (1..=most).map(|nth| nth * nth) {
            if args[0] == "undo" {
                plan.apply().expect(0);
            }
            let inject = format!("inject={call}:signal=KILL:when={nth}");
            let out = std::process::Command::new("strace")
                .args(["-f", "-o", "/dev/null", "-e", &inject, crate::support::BIN])
                .args(args)
                .output()
                .unwrap();
            let when = format!("{}: killed by strace at {call} {nth}", args[0]);
            scene.ends_well(&when);
            killed += usize::from(out.status.code().is_none_or(|code| code > 128));
            if out.status.success() {
                break;
            }
        }
    }
    assert!(killed > 2, "only {killed} were killed");
}
