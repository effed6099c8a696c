//! One guest of a batch does not freeze when it should. It keeps its own names and what it holds, and costs no
//! other guest anything.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{
    ALIVE, Cgroup, Disk, File, Guest, LONG, Lab, Out, Planned, assert_alive, calls_of_apply,
    content, id, is_immutable, line_of, listings, nlink, strings_in, unchanged, unify_with,
    until_a_writer_waits,
};

/// A process that enters a guest right before a batch is frozen, from where it cannot be frozen.
struct Intruder {
    pid: PathBuf,
    fault: String,
}

impl Intruder {
    fn new(lab: &Lab, guest: &Guest) -> Intruder {
        let pid = lab.path("intruder");
        // The watchdog is started when all guests were looked at.
        let fault = format!(
            "spawn#1=run:cd '{}' && {{ sleep 600 <&- >&- 2>&- & echo $! > '{}'; }}",
            guest.root().display(),
            pid.display()
        );
        Intruder { pid, fault }
    }

    fn run(&self, args: &[&str]) -> Out {
        let out = unify_with(&[("UNIFY_FAULT", &self.fault)], args);
        assert!(self.pid.exists(), "nobody came in: {}", out.stderr);
        out
    }

    /// The same, and at the first exchange of others this name must be flagged: it is not lifted for a moment.
    fn run_while_flagged(&self, args: &[&str], name: &Path) -> Out {
        let seen = self.pid.with_extension("flags");
        let look = format!("lsattr '{}' > '{}'", name.display(), seen.display());
        let faults = format!("{}\nexchange#1=run:{look}", self.fault);
        let out = unify_with(&[("UNIFY_FAULT", &faults)], args);
        let flags = std::fs::read_to_string(&seen).unwrap();
        let flags = flags.split(' ').next().unwrap();
        assert!(flags.contains('i'), "{args:?}: {flags}");
        std::fs::remove_file(seen).unwrap();
        out
    }
}

impl Drop for Intruder {
    fn drop(&mut self) {
        let Ok(pid) = std::fs::read_to_string(&self.pid) else {
            return;
        };
        Command::new("kill")
            .args(["-KILL", pid.trim()])
            .status()
            .ok();
        std::fs::remove_file(&self.pid).ok();
    }
}

fn apply_args(plan: &Planned) -> Vec<&str> {
    let plan = plan.path.to_str().unwrap();
    [&["apply", "--yes"], &LONG[..], &[plan]].concat()
}

fn assert_refused(lab: &Lab, guest: &Guest, path: &str, code: &str) {
    let line = line_of(&lab.receipt(), guest.name(), path).clone();
    assert!(strings_in(&line).contains(&code), "{code}: {line}");
}

fn shared(path: &str, guests: &[&Guest]) -> bool {
    let mut inodes: Vec<_> = guests.iter().map(|guest| id(&guest.host(path))).collect();
    inodes.dedup();
    inodes.len() == 1
}

/// What is shared is protected, and no guest is frozen any more.
fn assert_whole(lab: &Lab, cgroup: &Cgroup, what: &str) {
    for object in lab.objects().iter().filter(|object| nlink(object) > 1) {
        assert!(is_immutable(object), "{what}: shared and not flagged");
    }
    assert!(!cgroup.is_frozen() && lab.staged().is_empty(), "{what}");
    assert_alive(lab, what);
}

const F: &str = "/usr/f";
const G: &str = "/usr/g";
const H: &str = "/usr/h";

/// `app` and `web` have F and G, `db` has F; `db` and `web` have H.
fn three(lab: &Lab) -> [Guest; 3] {
    let guests = ["app", "db", "web"].map(|name| lab.guest(name));
    let [app, db, web] = &guests;
    for (guest, path) in [
        (app, F),
        (app, G),
        (db, F),
        (db, H),
        (web, F),
        (web, G),
        (web, H),
    ] {
        guest.put(path, &File::new(content(path)));
    }
    guests
}

#[test]
fn one_guest_that_moves_costs_its_batch_nothing_else() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = three(&lab);
    let [app, db, web] = &guests;
    let all = [app, db, web];
    let before = listings(&all);
    let cgroup = cgroup!("batch");
    let _guest = cgroup.start(web.root(), ALIVE);
    let plan = lab.plan(&all, &[]);
    let own = id(&db.host(H));

    let intruder = Intruder::new(&lab, db);
    intruder.run(&apply_args(&plan)).expect(4);
    assert!(
        shared(F, &[app, web]) && shared(G, &[app, web]),
        "they go on"
    );
    assert!(!shared(F, &[app, db]), "db has its own");
    for path in [F, H] {
        assert_refused(&lab, db, path, "guest-running");
    }
    // Its inode was to be the object.
    assert!(!shared(H, &[db, web]));
    assert_refused(&lab, web, H, "holder-running");
    let left = (id(&db.host(H)), nlink(&db.host(H)));
    assert_eq!(left, (own, 1), "the inode is db's alone");
    assert!(!is_immutable(&db.host(H)));
    unchanged(&all, &before, "after the first apply");
    assert_whole(&lab, &cgroup, "after the first apply");

    drop(intruder);
    // The name that db's inode had in the base changed its ctime.
    let plan = lab.plan(&all, &[]);
    unify_with(&[], &apply_args(&plan)).expect(0);
    assert!(shared(F, &all) && shared(H, &[db, web]));
    plan.verify().expect(0);
    unchanged(&all, &before, "after the second apply");
    assert_whole(&lab, &cgroup, "after the second apply");
}

/// The file that an object was made from is refused: the room that it takes is not counted as given back.
#[test]
fn what_is_saved_is_true_without_the_maker() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = ["app", "db", "web"].map(|name| lab.guest(name));
    let [app, db, web] = &guests;
    for guest in &guests {
        guest.put(F, &File::new(content(F)));
    }
    let (cgroup, other) = (cgroup!("maker-1"), cgroup!("maker-2"));
    let _guests = [
        cgroup.start(app.root(), ALIVE),
        other.start(web.root(), ALIVE),
    ];
    let plan = lab.plan(&[app, db, web], &[]);
    let intruder = Intruder::new(&lab, app);
    intruder.run(&apply_args(&plan)).expect(4);
    assert_refused(&lab, app, F, "guest-running");
    assert!(shared(F, &[db, web]));
    let room = |guest: &Guest| {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(guest.host(F)).unwrap().blocks() * 512
    };
    let receipt = lab.receipt();
    let saved = ["db", "web"].map(|guest| line_of(&receipt, guest, F)["saved"].as_u64());
    let saved: u64 = saved.into_iter().flatten().sum();
    assert_eq!(saved, room(db), "two files went, one object came");
}

/// A holder of an object runs: the object's flag stays on, and the run goes on with guests that have nothing of
/// it, in apply and in undo.
#[test]
fn what_a_guest_that_moves_holds_stays_closed() {
    armed!();
    let lab = lab!(Disk::Own);
    let guests = three(&lab);
    let [app, db, web] = &guests;
    lab.plan(&[app, db, web], &[]).apply().expect(0);
    let zoe = lab.guest("zoe");
    for path in [F, G] {
        zoe.put(path, &File::new(content(path)));
    }
    let all = [app, db, web, &zoe];
    let before = listings(&all);
    let cgroup = cgroup!("holds");
    let _guest = cgroup.start(zoe.root(), ALIVE);
    let plan = lab.plan(&[&zoe], &[]);
    let intruder = Intruder::new(&lab, db);
    let closed = db.host(F);
    let out = intruder.run_while_flagged(&apply_args(&plan), &closed);
    out.expect(4);
    assert!(shared(G, &[app, &zoe]), "db has nothing of it");
    assert!(!shared(F, &[app, &zoe]));
    assert_refused(&lab, &zoe, F, "holder-running");
    assert_whole(&lab, &cgroup, "after apply");
    drop(intruder);

    let base = lab.base();
    let undo = ["undo", "--yes", "--run", "all", "--base"];
    let undo = [&undo[..], &[base.to_str().unwrap()], &LONG].concat();
    let intruder = Intruder::new(&lab, db);
    intruder.run_while_flagged(&undo, &closed).expect(4);
    assert!(!shared(G, &[app, web]) && !shared(G, &[web, &zoe]));
    assert!(shared(F, &[app, db, web]) && shared(H, &[db, web]));
    assert!(is_immutable(&db.host(F)) && is_immutable(&db.host(H)));
    assert_refused(&lab, db, F, "guest-running");
    assert_refused(&lab, app, F, "holder-running");
    assert_whole(&lab, &cgroup, "after undo");
    drop(intruder);

    unify_with(&[], &undo).expect(0);
    assert!(!shared(F, &[app, web]) && !shared(H, &[db, web]));
    unchanged(&all, &before, "after all");
}

/// Has a file open for reading, and opens it for writing by that descriptor when a file `trigger` appears.
const REOPENS: &str = "perl -e 'open(F, \"<\", \"usr/f\"); \
    open(O, \">\", \"../opened\"); close O; \
    select(undef, undef, undef, 0.01) until -e \"../trigger\"; \
    open(W, \">>\", \"/proc/self/fd/\" . fileno(F)); print W \"late\"; close W; \
    open(D, \">\", \"../written\")' & ";

/// The guest goes on before what came out is dropped. A process that had that open already can write to it, and
/// waits for us.
#[test]
fn what_is_opened_for_writing_after_the_thaw_is_kept() {
    armed!();
    let disk = lab!(Disk::Own);
    let cgroup = cgroup!("late");
    // Right after the thaw the paper that says what is frozen is removed; the last sync before the drop is the
    // receipt's.
    let calls = calls_of_apply(&disk, &cgroup);
    let thaw = calls.iter().rposition(|call| call == "thaw").unwrap();
    let unlinks: Vec<usize> = (thaw..calls.len())
        .filter(|at| calls[*at] == "unlink")
        .collect();
    let nth = |name: &str, upto: usize| calls[..upto].iter().filter(|call| *call == name).count();
    let paper = format!("unlink#{}", nth("unlink", thaw) + 1);
    let receipt = format!("sync#{}", nth("sync", unlinks[1]));
    for when in [&paper, &receipt] {
        let lab = disk.part("case");
        let guests = lab.twins(&[("/usr/f", File::new(content(1)))]);
        let [web, db] = &guests;
        let _guest = cgroup.start(web.root(), &format!("{REOPENS}{ALIVE}"));
        let seen = |name: &str| wait_for(&lab.guests().join(name));
        seen("opened");
        let plan = lab.plan(&[web, db], &["--allow", "open"]);
        let trigger = lab.guests().join("trigger");
        // It has written, or waits for us.
        let written = lab.guests().join("written");
        let opens = until_a_writer_waits(&web.host("/usr/f"), &written);
        let fault = format!("{when}=run:touch '{}'; {opens}", trigger.display());
        let out = unify_with(&[("UNIFY_FAULT", &fault)], &apply_args(&plan));
        seen("written");
        assert!(shared("/usr/f", &[web, db]), "{when}: {}", out.stderr);
        let quarantine = Command::new("grep")
            .args(["-rl", "late"])
            .arg(lab.base().join("quarantine"))
            .output();
        let kept = String::from_utf8(quarantine.unwrap().stdout).unwrap();
        if *when == paper {
            let receipt = lab.receipt();
            assert_eq!(line_of(&receipt, "web", "/usr/f")["saved"], 0);
        }
        assert_eq!(kept.lines().count(), 1, "{when}: what it wrote is there");
        out.expect(12);
        assert!(!cgroup.is_frozen() && lab.staged().is_empty());
        assert!(is_immutable(&db.host("/usr/f")));
    }
}

fn wait_for(path: &Path) {
    let start = std::time::Instant::now();
    while !path.exists() {
        assert!(start.elapsed().as_secs() < 60, "{path:?} does not appear");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
