//! The same as a race: a process that holds a file handle, and neither a name nor a descriptor, tries without pause
//! while `apply`, `undo`, `recover` and `gc` are at work (`accomplice.c`).
//!
//! Each round attacks several files in turn. `UNIFY_LONG=1` attacks 200 files in 10 rounds with each attack against
//! each command on each file system, with `--allow-running` and without.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::is_immutable;
use crate::support::{
    Disk, File, Guest, Lab, content, figure, lift_flags, listings, unchanged, unify, unify_with,
};

const FILES: usize = 24;

/// The first of them are attacked.
const ATTACKED: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Apply,
    Undo,
    Recover,
    Gc,
}

/// What came of the rounds of one attack against one command.
#[derive(Default)]
struct Tally {
    /// Files that were attacked.
    attacks: usize,
    /// How many of them the process changed.
    hit: usize,
    /// In how many rounds exit code 12 was given.
    said: u32,
}

/// The process at work.
struct Accomplice {
    child: Child,
    count: PathBuf,
}

impl Accomplice {
    fn on(program: &Path, lab: &Lab, guest: &Guest, what: &str) -> Accomplice {
        let count = lab.path("count");
        // It may be killed before it makes that itself.
        drop(std::fs::File::create(&count).unwrap());
        let child = Command::new(program)
            .args([lab.guests().as_path(), Path::new(what), &count])
            .args((0..ATTACKED).map(|file| guest.host(path(file))))
            .spawn()
            .unwrap();
        Accomplice { child, count }
    }

    /// The files with which it did what it wanted.
    fn stop(mut self) -> Vec<usize> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let log = std::fs::File::open(&self.count).unwrap();
        let wins = |file: &usize| {
            let mut wins = [0; 8];
            // Where nothing was written yet, there was no win.
            log.read_at(&mut wins, *file as u64 * 8).unwrap();
            u64::from_ne_bytes(wins)
        };
        (0..ATTACKED).filter(|file| wins(file) > 0).collect()
    }
}

fn compiled(lab: &Lab) -> PathBuf {
    let program = lab.path("accomplice");
    let source = "tests/it/live_guests/unseen_writers/accomplice.c";
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let done = Command::new("cc")
        .args(["-O1", "-w", "-o"])
        .arg(&program)
        .arg(source)
        .status();
    assert!(done.unwrap().success());
    program
}

fn path(file: usize) -> String {
    format!("/usr/lib/{file}")
}

fn guests(lab: &Lab) -> [Guest; 3] {
    ["a", "b", "c"].map(|name| {
        let guest = lab.guest(name);
        (0..FILES).for_each(|file| guest.put(path(file), &File::new(content(file))));
        guest
    })
}

/// One round: returns which files were changed, and the exit code.
fn round(lab: &Lab, program: &Path, at: At, what: &str, options: &[&str]) -> (Vec<usize>, i32) {
    let guests = guests(lab);
    let [a, b, _] = &guests;
    lab.plan(&[a, b], &[]).apply().expect(0);
    let base = lab.base();
    let on_base = |command: &str, more: &[&str]| {
        let args = [&[command][..], more, &["--base", base.to_str().unwrap()]].concat();
        args.iter()
            .map(|arg| (*arg).to_owned())
            .collect::<Vec<String>>()
    };
    let plan = lab.plan(&guests.each_ref(), &[]);
    let apply = ["apply", "--yes", plan.path.to_str().unwrap()].map(str::to_owned);
    let undo = on_base("undo", &["--yes", "--run", "all", "--guest", "c"]);
    let (first, mut args): (Vec<Vec<String>>, Vec<String>) = match at {
        At::Apply => (vec![], apply.to_vec()),
        At::Undo => (vec![apply.to_vec()], undo),
        At::Recover => (vec![], on_base("recover", &[])),
        At::Gc => (vec![apply.to_vec(), undo], on_base("gc", &[])),
    };
    first.iter().for_each(|args| drop(unify(args).expect(0)));
    if at == At::Recover {
        // Two calls are those of the self-test; then all flags come off, and the run dies before one is set again.
        let cut = format!("setflags#{}=kill", FILES + 3);
        unify_with(&[("UNIFY_FAULT", &cut)], &apply);
        assert!(!is_immutable(&a.host(path(0))));
    }
    if at != At::Gc {
        args.extend(options.iter().map(|option| (*option).to_owned()));
    }
    let before = listings(&guests.each_ref());
    let accomplice = Accomplice::on(program, lab, a, what);
    std::thread::sleep(std::time::Duration::from_millis(20));
    let mut out = unify(&args);
    let wins = accomplice.stop();
    if out.code == 9 {
        // It was seen at work, so nothing was healed while it was there.
        out = unify(&on_base("recover", &[]));
    }
    let what = format!("{at:?}, {what}: {wins:?}; {}{}", out.stdout, out.stderr);
    unchanged(&guests.each_ref(), &before, &what);
    assert!([0, 4, 12].contains(&out.code), "{what}");
    assert_eq!(lab.staged().len(), 0, "{what}");
    let shared = guests
        .iter()
        .flat_map(|guest| (0..FILES).map(|file| guest.host(path(file))));
    for name in shared.filter(|name| crate::support::nlink(name) > 1) {
        assert!(is_immutable(&name), "{name:?}: {what}");
    }
    for file in &wins {
        let holder = format!("a:{}", path(*file));
        assert!(
            out.stdout.contains(&holder) || out.stderr.contains(&holder),
            "{what}"
        );
    }
    (wins, out.code)
}

fn soak(disk: Disk) {
    let lab = match Lab::in_memory(disk) {
        Ok(lab) => lab,
        Err(why) => return crate::support::skipped("unseen_writers::soak", &why),
    };
    let program = compiled(&lab);
    let holds = lab.flag_holds_against_all();
    let rounds = if crate::support::is_long() {
        200 / ATTACKED
    } else {
        1
    };
    for at in [At::Apply, At::Undo, At::Recover, At::Gc] {
        for what in ["truncate", "mode", "write"] {
            for options in [&[][..], &["--allow-running"]] {
                let mut tally = Tally::default();
                for _ in 0..rounds {
                    let part = lab.part("round");
                    let (wins, code) = round(&part, &program, at, what, options);
                    lift_flags(&part.guests());
                    tally.attacks += ATTACKED;
                    tally.hit += wins.len();
                    tally.said += u32::from(code == 12);
                    assert!(
                        code == 12 || wins.is_empty(),
                        "{at:?} {what} {options:?}: not said"
                    );
                    // An interrupted run has left it off.
                    let kept_out = holds && at != At::Recover && what == "write";
                    assert!(!kept_out || wins.is_empty(), "the flag kept nobody out");
                }
                let Tally { attacks, hit, said } = tally;
                figure(&format!(
                    "unseen {disk:?} {at:?} {what} {}: {attacks} attacks in {rounds} rounds, {hit} hit, {said} rounds said so",
                    options.first().unwrap_or(&"")
                ));
            }
        }
    }
}

#[test]
fn on_ext4() {
    soak(Disk::Ext4);
}

#[test]
fn on_xfs() {
    soak(Disk::Xfs);
}

#[test]
fn on_btrfs() {
    soak(Disk::Btrfs);
}
