//! The same as a race: a process that holds a file handle, and neither a name nor a descriptor, tries without pause
//! while `apply`, `undo`, `recover` and `gc` are at work (`accomplice.c`).
//!
//! `UNIFY_LONG=1` runs each attack 200 times against each command on each file system, with `--allow-running` and
//! without.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::is_immutable;
use crate::support::{
    Disk, File, Guest, Lab, content, figure, lift_flags, listings, unchanged, unify, unify_with,
};

const FILES: usize = 24;

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
    rounds: u32,
    /// In how many the process changed the file.
    hit: u32,
    /// In how many exit code 12 was given.
    said: u32,
}

/// The process at work.
struct Accomplice {
    child: Child,
    count: PathBuf,
}

impl Accomplice {
    fn on(program: &Path, lab: &Lab, file: &Path, what: &str) -> Accomplice {
        let count = lab.path("count");
        let child = Command::new(program)
            .args([lab.guests().as_path(), file, Path::new(what), &count])
            .spawn()
            .unwrap();
        Accomplice { child, count }
    }

    /// How often it did what it wanted.
    fn stop(mut self) -> u64 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut wins = [0; 8];
        let log = std::fs::File::open(&self.count).unwrap();
        log.read_exact_at(&mut wins, 0)
            .map_or(0, |()| u64::from_ne_bytes(wins))
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

/// One round: returns how often the file was changed, and the exit code.
fn round(lab: &Lab, program: &Path, at: At, what: &str, options: &[&str]) -> (u64, i32) {
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
    let accomplice = Accomplice::on(program, lab, &a.host(path(0)), what);
    std::thread::sleep(std::time::Duration::from_millis(20));
    let mut out = unify(&args);
    let wins = accomplice.stop();
    if out.code == 9 {
        // It was seen at work, so nothing was healed while it was there.
        out = unify(&on_base("recover", &[]));
    }
    let what = format!("{at:?}, {what}: {wins} times; {}{}", out.stdout, out.stderr);
    unchanged(&guests.each_ref(), &before, &what);
    assert!([0, 4, 12].contains(&out.code), "{what}");
    assert_eq!(lab.staged().len(), 0, "{what}");
    let shared = guests
        .iter()
        .flat_map(|guest| (0..FILES).map(|file| guest.host(path(file))));
    for name in shared.filter(|name| crate::support::nlink(name) > 1) {
        assert!(is_immutable(&name), "{name:?}: {what}");
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
    let rounds = if std::env::var_os("UNIFY_LONG").is_some() {
        200
    } else {
        2
    };
    for at in [At::Apply, At::Undo, At::Recover, At::Gc] {
        for what in ["truncate", "mode", "write"] {
            for options in [&[][..], &["--allow-running"]] {
                let mut tally = Tally::default();
                for _ in 0..rounds {
                    let part = lab.part("round");
                    let (wins, code) = round(&part, &program, at, what, options);
                    lift_flags(&part.guests());
                    tally.rounds += 1;
                    tally.hit += u32::from(wins > 0);
                    tally.said += u32::from(code == 12);
                    assert!(
                        code == 12 || wins == 0,
                        "{at:?} {what} {options:?}: not said"
                    );
                    // An interrupted run has left it off.
                    let kept_out = holds && at != At::Recover && what == "write";
                    assert!(!kept_out || wins == 0, "the flag kept nobody out");
                }
                let Tally { rounds, hit, said } = tally;
                figure(&format!(
                    "unseen {disk:?} {at:?} {what} {}: {rounds} rounds, {hit} with a hit, {said} said",
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
