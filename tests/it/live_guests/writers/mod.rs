//! Guests that run and write all the time, in every way that there is, while `apply` and `undo`, both with
//! `--allow-running`, alternate beneath them.
//!
//! The writer (`writers/writer.c`) lives in a cgroup of its own and keeps a log of what the kernel accepted. It looks
//! at its file before and after every write: what was accepted is there, and what was removed stays away. The other
//! guest holds every version of every file that the writer ever makes, so that there is always something to share.
//! `UNIFY_LONG=1` gives every kind of writer a minute on every file system.

use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{
    Cgroup, Disk, File, Guest, LONG, Lab, Listing, Out, Planned, assert_same, figure, id,
    is_immutable, listings, unchanged, unify,
};

const KINDS: &[&str] = &[
    "append", "rewrite", "wait", "truncate", "mmap", "rename", "unlink", "recreate", "chmod",
    "setxattr", "utimes", "link",
];
const FILES: usize = 12;
const VERSIONS: usize = 4;
/// The longest time that the writer rests between two writes, in microseconds.
const PAUSE: &str = "3000";

/// Places in the writer's log: the same as in `writer.c`.
const STOP: usize = 0;
const STOPPED: usize = 1;
const ACCEPTED: usize = 2;
const REFUSED: usize = 3;
const LOST: usize = 4;
const RESURRECTED: usize = 5;
const ODD: usize = 6;
const FIRST_FILE: usize = 16;

/// Fewer writes that were accepted say little.
const ENOUGH: i64 = 20;

/// May running guests be frozen?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Running {
    Allowed,
    LeftAlone,
}

/// What the writer knows.
struct Log(std::fs::File);

impl Log {
    fn new(path: &Path) -> Log {
        let options = std::fs::File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path);
        let log = options.unwrap();
        log.set_len(4096).unwrap();
        Log(log)
    }

    fn get(&self, place: usize) -> i64 {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, place as u64 * 8).unwrap();
        i64::from_ne_bytes(bytes)
    }

    /// Asks the writer to end after the write that it is at.
    fn stop(&self) {
        self.0
            .write_all_at(&1_i64.to_ne_bytes(), STOP as u64 * 8)
            .unwrap();
        let start = Instant::now();
        while self.get(STOPPED) == 0 {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "the writer hangs"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// What became of the lines of all receipts.
#[derive(Debug, Default)]
struct Raced {
    rounds: u64,
    done: u64,
    changed: u64,
    gone: u64,
    busy: u64,
}

impl Raced {
    fn count(&mut self, lab: &Lab) {
        for line in lab.receipt() {
            let text = line.to_string();
            let about = |word: &str| text.contains(&format!("\"{word}\""));
            let slot = match () {
                () if about("done") => &mut self.done,
                () if about("open-for-writing") => &mut self.busy,
                () if about("gone") || about("path-changed") => &mut self.gone,
                () if about("changed") => &mut self.changed,
                () => continue,
            };
            *slot += 1;
        }
    }
}

/// The two guests: `db` has the writer's files, `web` all versions of them. Both have others.
fn guests(lab: &Lab, kind: &str) -> [Guest; 2] {
    let guests = lab.twins(&[
        ("/usr/o/1", File::new(crate::support::content(1))),
        ("/usr/o/2", File::new(crate::support::content(2))),
    ]);
    for file in 0..FILES {
        guests[1].put(format!("/w/{file}"), &version_of(kind, file, 0));
        for version in 0..VERSIONS {
            let name = format!("/usr/w/{file}.{version}");
            guests[0].put(name, &version_of(kind, file, version));
        }
    }
    guests
}

/// One version of a file as `writer.c` makes it.
fn version_of(kind: &str, file: usize, version: usize) -> File {
    let same = ["append", "truncate", "chmod", "setxattr", "utimes", "link"].contains(&kind);
    let line = format!("file {file} version {}\n", if same { 0 } else { version });
    let mut content: Vec<u8> = line.bytes().cycle().take(9_000).collect();
    if ["append", "truncate"].contains(&kind) {
        content.extend(b"appended\n".repeat(version));
    }
    let made = File::new(content);
    match kind {
        "chmod" => made.mode(0o644 | (version as u32 & 1) << 6 | (version as u32 & 2) << 3),
        "setxattr" => made.xattr("user.v", version.to_string().as_bytes()),
        "utimes" => made.mtime(1_700_000_000 + version as i64, 123_456_789),
        _ => made,
    }
}

/// The writer as a program, made with the compiler that links this test.
fn compiled(lab: &Lab) -> PathBuf {
    let source = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/it/live_guests/writers/writer.c"
    );
    let program = lab.path("writer");
    let made = std::process::Command::new("cc")
        .args(["-O1", "-o", program.to_str().unwrap(), source])
        .status();
    assert!(made.expect("a C compiler").success());
    program
}

/// One kind of writer on one disk.
fn storm(disk: &Lab, on: Disk, kind: &str, time: Duration, running: Running) {
    let cgroup = match Cgroup::new(&format!("{on:?}-{kind}-{running:?}")) {
        Ok(cgroup) => cgroup,
        Err(why) => return crate::support::skipped("live_guests::writers::storm", &why),
    };
    let lab = disk.part(&format!("{kind}-{running:?}"));
    let program = compiled(disk);
    let [web, db] = guests(&lab, kind);
    let others = [Listing::of(web.root()), Listing::of(&db.host("/usr"))];
    let log = Log::new(&lab.path("log"));
    let (program, log_path) = (program.display(), lab.path("log"));
    let command = format!(
        "{program} {kind} {FILES} {VERSIONS} {PAUSE} {} & wait",
        log_path.display()
    );
    let process = cgroup.start(db.root(), &command);
    let (start, mut raced) = (Instant::now(), Raced::default());
    let most = Duration::from_secs(120);
    while start.elapsed() < time || (log.get(ACCEPTED) <= ENOUGH && start.elapsed() < most) {
        to_and_fro(&lab, [&web, &db], running, &mut raced);
        let what = format!("{on:?} {kind}, round {}", raced.rounds);
        assert_same(&others[0], &Listing::of(web.root()), &what);
    }
    log.stop();
    drop(process);
    let what = format!("{on:?} {kind} {running:?}");
    judge(&lab, [&web, &db], &log, kind, &what);
    assert_same(&others[0], &Listing::of(web.root()), &what);
    assert_same(&others[1], &Listing::of(&db.host("/usr")), &what);
    say(&what, &log, &raced);
    ends_well(&lab, [&web, &db], &what);
}

fn say(what: &str, log: &Log, raced: &Raced) {
    let count = |place| log.get(place);
    let Raced {
        rounds,
        done,
        changed,
        gone,
        busy,
    } = raced;
    figure(&format!(
        "writers {what}: {} writes, {} refused to the guest, {} lost, {} resurrected; {rounds} rounds, {done} names \
         moved, {changed} changed, {gone} gone, {busy} open for writing",
        count(ACCEPTED),
        count(REFUSED),
        count(LOST),
        count(RESURRECTED)
    ));
}

/// Shares what can be shared, and gives all of it back.
fn to_and_fro(lab: &Lab, guests: [&Guest; 2], running: Running, raced: &mut Raced) {
    let (out, plan) = lab.try_plan(&guests, &[]);
    out.expect_one_of(&[0, 3]);
    let plan = plan.expect("a plan");
    apply(&plan, running).expect_one_of(&[0, 4]);
    raced.count(lab);
    if running == Running::LeftAlone {
        assert_untouched(lab, guests[1]);
    }
    undo(lab, running).expect_one_of(&[0, 4]);
    raced.rounds += 1;
    std::fs::remove_file(plan.path).unwrap();
}

fn apply(plan: &Planned, running: Running) -> Out {
    let plan = plan.path.to_str().unwrap();
    match running {
        Running::Allowed => unify(&[&["apply", "--yes"], &LONG[..], &[plan]].concat()),
        Running::LeftAlone => unify(&["apply", "--yes", plan]),
    }
}

fn undo(lab: &Lab, running: Running) -> Out {
    let allowed: &[&str] = match running {
        Running::Allowed => &LONG,
        Running::LeftAlone => &[],
    };
    lab.on_base("undo", &[&["--run", "all", "--yes"], allowed].concat())
}

/// Nothing in a guest that runs was shared or flagged, or could not be written.
fn assert_untouched(lab: &Lab, db: &Guest) {
    let objects: Vec<_> = lab.objects().iter().map(|object| id(object)).collect();
    for name in std::fs::read_dir(db.host("/w")).unwrap() {
        let path = name.unwrap().path();
        let Ok(meta) = path.symlink_metadata() else {
            continue;
        };
        assert!(!objects.contains(&(meta.dev(), meta.ino())), "{path:?}");
    }
    assert!(!is_immutable(&db.host("/usr/o/1")));
}

/// What the writer says, and what is there: both are the same.
fn judge(lab: &Lab, [web, db]: [&Guest; 2], log: &Log, kind: &str, what: &str) {
    assert!(log.get(ACCEPTED) > ENOUGH, "{what}: {}", log.get(ACCEPTED));
    for (place, name) in [(LOST, "lost"), (RESURRECTED, "resurrected"), (ODD, "odd")] {
        let (errno, line) = (log.get(ODD + 1), log.get(ODD + 2));
        let text = format!("{what}: {name} (odd: errno {errno} in line {line})");
        assert_eq!(log.get(place), 0, "{text}");
    }
    for file in 0..FILES {
        let (name, version) = (db.host(format!("/w/{file}")), log.get(FIRST_FILE + file));
        if version < 0 {
            assert!(!name.exists(), "{what}: {name:?} was deleted");
            continue;
        }
        let twin = web.host(format!("/usr/w/{file}.{version}"));
        let facts = |path: &Path| {
            let meta = path.symlink_metadata().unwrap();
            let mtime = (meta.mtime(), meta.mtime_nsec());
            (std::fs::read(path).unwrap(), meta.mode(), mtime)
        };
        assert_eq!(facts(&name), facts(&twin), "{what}: {name:?} of {kind}");
    }
    if lab.base().exists() {
        lab.on_base("verify", &[]).expect(0);
    }
}

/// Once it is quiet: all is given back, and nothing of it moves a file.
fn ends_well(lab: &Lab, guests: [&Guest; 2], what: &str) {
    let before = listings(&guests);
    lab.on_base("recover", &[]).expect(0);
    lab.plan(&guests, &[]).apply().expect(0);
    unchanged(&guests, &before, what);
    lab.on_base("undo", &["--run", "all", "--yes"]).expect(0);
    unchanged(&guests, &before, what);
    lab.on_base("gc", &[]).expect(0);
    assert_eq!(lab.objects().len() + lab.staged().len(), 0, "{what}");
}

/// Several kinds on one disk, each for this many seconds, or a minute if there is time.
fn storms(on: Disk, kinds: &[&str], seconds: u64, running: Running) {
    let disk = match Lab::in_memory(on) {
        Ok(disk) => disk,
        Err(why) => return crate::support::skipped("live_guests::writers::storms", &why),
    };
    let long = crate::support::is_long();
    let long = long && running == Running::Allowed;
    let (kinds, seconds) = if long { (KINDS, 60) } else { (kinds, seconds) };
    for kind in kinds {
        storm(&disk, on, kind, Duration::from_secs(seconds), running);
    }
}

#[test]
fn contents_on_ext4() {
    storms(Disk::Ext4, &KINDS[..5], 2, Running::Allowed);
}

#[test]
fn names_and_metadata_on_ext4() {
    if !crate::support::is_long() {
        storms(Disk::Ext4, &KINDS[5..], 2, Running::Allowed);
    }
}

#[test]
fn some_on_xfs() {
    let kinds = ["append", "mmap", "rename", "recreate", "chmod"];
    storms(Disk::Xfs, &kinds, 1, Running::Allowed);
}

#[test]
fn some_on_btrfs() {
    let kinds = ["rewrite", "wait", "rename", "unlink", "link"];
    storms(Disk::Btrfs, &kinds, 1, Running::Allowed);
}

/// Without being allowed to freeze it, nothing in a guest that runs is touched.
#[test]
fn left_alone() {
    storms(Disk::Ext4, &["rename", "wait"], 1, Running::LeftAlone);
}
