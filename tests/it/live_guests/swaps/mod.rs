//! An attacker exchanges names of a guest all the time, from a place in which no look at processes finds it,
//! while every command is at work: directories for links, mounts, FIFOs and other directories, files for links,
//! FIFOs and devices.
//!
//! | module | what it does |
//! | --- | --- |
//! | `hostile` | the games, played by a thread with its working directory outside of the guest |
//! | `audit` | the system calls of one quiet run: which of them name a path that a guest could have exchanged |
//! | `moments` | single acts at the worst moments: leases, growing files, mounts, a mode on an open object |

mod audit;
mod hostile;
mod moments;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{
    BIN, Disk, File, Guest, Lab, Listing, Out, Stamps, assert_same, content, figure, has_strace,
    nlink, unify,
};
use hostile::{Game, Hostile};

const DIRS: usize = 9;
const FILES: usize = 6;
const MANY: usize = 90;

/// What a command may answer while it is attacked: done, in part, not all could be read, differences, quarantine.
const ANSWERS: &[i32] = &[0, 3, 4, 6, 12];

/// A tree outside of all guests that no command may look into, with twins of the guest's files.
struct Canary {
    listing: Listing,
    stamps: Stamps,
    links: u64,
}

impl Canary {
    fn of(lab: &Lab) -> Canary {
        let top = lab.path("canary");
        Canary {
            listing: Listing::of(&top),
            stamps: Stamps::of(&top),
            links: nlink(&top.join("dir-0/0")),
        }
    }

    /// As it was: contents, metadata, link counts and all times.
    fn assert_unmoved(&self, lab: &Lab, what: &str) {
        let now = Canary::of(lab);
        assert_eq!(self.stamps.diff(&now.stamps), [""; 0], "{what}");
        assert_same(&self.listing, &now.listing, what);
        assert_eq!(self.links, now.links, "{what}");
    }
}

/// Files of one directory of the scene.
fn file(dir: usize, file: usize) -> File {
    File::new(content(format!("{dir} {file}")))
}

/// Two guests with the same directories, and the canary, which has them too.
fn scene(lab: &Lab) -> [Guest; 2] {
    let guests = ["web", "db"].map(|name| lab.guest(name));
    let canary = lab.guest("canary");
    for dir in 0..DIRS {
        for at in 0..FILES {
            for guest in guests.iter().chain([&canary]) {
                let top = if guest.name() == "canary" { "" } else { "/usr" };
                guest.put(format!("{top}/dir-{dir}/{at}"), &file(dir, at));
            }
        }
        canary.put(
            format!("/dir-{dir}/canary-a"),
            &File::new(content("canary")),
        );
    }
    for at in 0..MANY {
        for guest in &guests {
            guest.put(format!("/usr/many/{at}"), &file(DIRS, at));
        }
    }
    std::fs::rename(canary.root(), lab.path("canary")).unwrap();
    guests
}

/// Every game there is, played in `db`.
fn games(lab: &Lab, db: &Guest) -> Vec<Game> {
    let canary = |dir: usize| lab.path(&format!("canary/dir-{dir}"));
    let dir = |dir: usize| db.host(format!("/usr/dir-{dir}"));
    let link = |target: &Path, name: &str| db.symlink(target.to_str().unwrap(), name);
    link(&canary(0), "/usr/x0");
    link(&canary(5).join("0"), "/usr/dir-5/x0");
    db.fifo("/usr/x1");
    db.fifo("/usr/dir-5/x1");
    hostile::null_device(&db.host("/usr/dir-5/x2"));
    db.dir("/usr/elsewhere");
    db.put("/usr/other/0", &File::new(content("other")));
    let exchange = |a: &str, b: &str| Game::Exchange(db.host(a), db.host(b));
    let mut games = many(db);
    games.extend([
        exchange("/usr/dir-0", "/usr/x0"),
        exchange("/usr/dir-1", "/usr/x1"),
        Game::Mount(canary(2), dir(2)),
        Game::Move(dir(3), db.host("/usr/elsewhere/moved")),
        exchange("/usr/dir-4", "/usr/other"),
        exchange("/usr/dir-5/0", "/usr/dir-5/x0"),
        exchange("/usr/dir-5/1", "/usr/dir-5/x1"),
        exchange("/usr/dir-5/2", "/usr/dir-5/x2"),
        exchange("/usr/dir-8/0", "/usr/dir-8/1"),
        exchange("/usr/dir-6", "/usr/dir-7"),
    ]);
    games
}

/// Many names that change places now and then: seldom enough to be planned, and often enough for some of them to
/// be exchanged within the moment between the last look at a file and its exchange.
fn many(db: &Guest) -> Vec<Game> {
    let name = |at: usize| format!("/usr/many/{at}");
    (0..MANY)
        .map(|at| {
            let other = format!("/usr/many/x{at}");
            match at % 3 {
                0 => db.symlink("nowhere", &other),
                1 => db.fifo(&other),
                _ => db.put(&other, &File::new(content(format!("other {at}")))),
            }
            Game::Exchange(db.host(name(at)), db.host(other))
        })
        .collect()
}

fn quick(args: &[&str]) -> Out {
    let start = Instant::now();
    let out = unify(args);
    assert!(start.elapsed() < Duration::from_secs(300), "{args:?} hung");
    out
}

/// The same with two milliseconds in front of every exchange, so that names are exchanged in that moment too.
fn slow(args: &[&str]) -> Out {
    let start = Instant::now();
    let out = std::process::Command::new("strace")
        .args(["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null"])
        .args([
            "-e",
            "trace=renameat2",
            "-e",
            "inject=renameat2:delay_enter=2000",
            BIN,
        ])
        .args(args)
        .current_dir("/")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(start.elapsed() < Duration::from_secs(300), "{args:?} hung");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Out {
        args: args.join(" "),
        code: out.status.code().unwrap_or(-1),
        stdout: text(&out.stdout),
        stderr: text(&out.stderr),
    }
}

/// One round of all commands; gives how many.
fn round(lab: &Lab, guests: [&Guest; 2]) -> u64 {
    let base = lab.base();
    let base = base.to_str().unwrap();
    let plan = lab.path("plan.json");
    let plan = plan.to_str().unwrap();
    let [web, db] = guests.map(Guest::arg);
    let commands: &[&[&str]] = &[
        &[
            "plan",
            "--protect",
            "immutable",
            "--skips",
            "all",
            "--base",
            base,
            "-o",
            plan,
            &web,
            &db,
        ],
        &["apply", "--yes", plan],
        &["verify", plan],
        &["verify", "--base", base],
        &["status", "--base", base],
        &["explain", "--plan", plan, "db:/usr/dir-0/0"],
        &["explain", "--plan", plan, "db:/usr/dir-5/1"],
        &["apply", "--yes", plan],
        &["undo", "--run", "all", "--yes", "--base", base],
    ];
    let strace = has_strace();
    for args in commands {
        let out = if strace && args[0] == "apply" {
            slow(args)
        } else {
            quick(args)
        };
        out.expect_one_of(ANSWERS);
        if args[0] == "plan" {
            let text = std::fs::read_to_string(plan).unwrap();
            assert!(!text.contains("canary"), "the plan lists the canary");
        }
    }
    commands.len() as u64
}

fn time() -> Duration {
    let long = crate::support::is_long();
    Duration::from_secs(if long { 300 } else { 4 })
}

fn attacked(on: Disk) {
    let disk = match Lab::in_memory(on) {
        Ok(disk) => disk,
        Err(why) => return crate::support::skipped("live_guests::swaps::attacked", &why),
    };
    let lab = disk.part("lab");
    let [web, db] = scene(&lab);
    let games = games(&lab, &db);
    let canary = Canary::of(&lab);
    let quiet = |guest: &Guest| Listing::of(guest.root()).without_directory_times();
    let before = [quiet(&web), quiet(&db)];
    let things = hostile::things(db.root());
    let hostile = Hostile::start(games, lab.base().join("staging"));
    let (start, mut commands) = (Instant::now(), 0);
    while start.elapsed() < time() {
        commands += round(&lab, [&web, &db]);
        assert_same(&before[0], &quiet(&web), "the guest that is left alone");
    }
    let mut beaten = hostile.stop();
    canary.assert_unmoved(&lab, "after the attack");
    let kept = calm_down(&lab, [&web, &db], &mut beaten);
    figure(&format!(
        "swaps {on:?}: {} swaps under {commands} commands, {} refused to the attacker, {} kept in quarantine",
        beaten.swaps,
        beaten.refused,
        kept.len()
    ));
    assert!(beaten.swaps > 200, "{} swaps", beaten.swaps);
    canary.assert_unmoved(&lab, "in the end");
    assert_same(&before[0], &quiet(&web), "web in the end");
    assert_nothing_lost(&things, &db, &kept);
    if kept.is_empty() {
        assert_same(&before[1], &quiet(&db), "db in the end");
    }
}

/// An attacker that exchanges a name again while its last exchange is being put right may find the file under its
/// other name, or in quarantine: there it is.
#[track_caller]
fn assert_nothing_lost(before: &[String], db: &Guest, kept: &[String]) {
    let mut now = [hostile::things(db.root()), kept.to_vec()].concat();
    let mut lost = Vec::new();
    for thing in before {
        match now.iter().position(|other| other == thing) {
            Some(at) => drop(now.swap_remove(at)),
            None => lost.push(thing),
        }
    }
    assert!(lost.is_empty(), "lost: {lost:#?}, kept: {kept:#?}");
}

/// The attacker has stopped: all is healed, given back and collected, and the names are put back. Names that were
/// shared in one place and moved to another are found by sharing once more. Gives what lies in quarantine.
fn calm_down(lab: &Lab, guests: [&Guest; 2], beaten: &mut hostile::Beaten) -> Vec<String> {
    lab.on_base("recover", &[]).expect_one_of(&[0, 12]);
    let undo = || lab.on_base("undo", &["--run", "all", "--yes"]);
    undo().expect_one_of(&[0, 4, 12]);
    beaten.put_back();
    let plan = lab.plan(&guests, &[]);
    plan.apply().expect_one_of(&[0, 12]);
    // 4: a directory that was shared in is a link for good, so the base cannot know what became of it.
    undo().expect_one_of(&[0, 4, 12]);
    beaten.put_back();
    lab.on_base("gc", &[]).expect_one_of(&[0, 12]);
    assert!(lab.staged().is_empty(), "{:?}", lab.staged());
    let kept = hostile::things(&lab.base().join("quarantine"));
    if kept.is_empty() {
        beaten.assert_put_back();
        assert!(lab.objects().is_empty(), "{:?}", lab.objects());
    }
    kept
}

#[test]
fn names_swapped_on_ext4() {
    attacked(Disk::Ext4);
}

#[test]
fn names_swapped_on_xfs() {
    attacked(Disk::Xfs);
}
