//! A process enters a guest while a run is at work, or opens a file whose flag is off for the moment. The run stands
//! still at the call in question until the test lets it go on.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::support::{
    BIN, Disk, File, Lab, Planned, content, id, inside, is_immutable, line_of, listings,
    strings_in, unchanged, until,
};

/// An apply that is held at a call.
struct HeldApply {
    run: Child,
    goes_on: PathBuf,
}

impl HeldApply {
    /// Starts it, and waits until it is at this call.
    fn at(lab: &Lab, plan: &Planned, call: &str) -> HeldApply {
        let [stands, goes_on] = ["stands", "goes-on"].map(|name| lab.path(name));
        let held = until(&goes_on);
        let fault = format!("{call}=run:touch '{}'; {held}", stands.display());
        let run = Command::new(BIN)
            .args(["apply", "--yes", plan.path.to_str().unwrap()])
            .env("UNIFY_FAULT", fault)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while !stands.exists() {
            let waited = start.elapsed();
            assert!(waited < Duration::from_secs(60), "it is not at {call}");
            std::thread::sleep(Duration::from_millis(5));
        }
        HeldApply { run, goes_on }
    }

    /// Lets it go on, and gives its exit code.
    fn goes_on(mut self) -> Option<i32> {
        std::fs::write(&self.goes_on, "").unwrap();
        self.run.wait().unwrap().code()
    }
}

#[test]
fn a_guest_that_starts_in_the_middle_is_left_alone() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let before = listings(&[&web, &db]);
    let was = id(&db.host("/usr/f"));
    let plan = lab.plan(&[&web, &db], &[]);
    // Before the first exchange.
    let run = HeldApply::at(&lab, &plan, "syncfs#1");
    let process = inside("sh", &["-c", "echo inside; read wait"], &db.host("/usr"));
    assert!(process.is_some());
    assert_eq!(run.goes_on(), Some(4));
    assert_eq!(id(&db.host("/usr/f")), was, "db keeps its file");
    let line = line_of(&lab.receipt(), "db", "/usr/f").clone();
    assert!(strings_in(&line).contains(&"guest-running"), "{line}");
    unchanged(&[&web, &db], &before, "after the refusal");
    drop(process);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
}

/// Before the commit all flags are on and all content is equal: to roll names back would lift a flag under the
/// guest.
#[test]
fn a_guest_that_starts_after_the_exchange_keeps_what_it_sees() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let before = listings(&[&web, &db]);
    let plan = lab.plan(&[&web, &db], &[]);
    let run = HeldApply::at(&lab, &plan, "syncfs#2");
    let process = inside("sh", &["-c", "echo inside; read wait"], &db.host("/usr"));
    assert!(process.is_some());
    assert_eq!(run.goes_on(), Some(0));
    assert_eq!(id(&web.host("/usr/f")), id(&db.host("/usr/f")));
    assert!(
        is_immutable(&db.host("/usr/f")),
        "it is protected from the guest"
    );
    unchanged(&[&web, &db], &before, "after apply");
    assert_eq!(lab.staged().len(), 0);
}

/// The flag of an object is off while it gets a name. A process that opens it for writing then meets a lease, and
/// the run rolls back what it did.
#[test]
fn an_object_opened_for_writing_while_its_flag_is_off() {
    armed!();
    for disk in [Disk::Own, Disk::Xfs] {
        let lab = lab!(disk);
        let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
        lab.plan(&[&web, &db], &[]).apply().expect(0);
        let third = lab.guest("third");
        third.put("/usr/f", &File::new(content(1)));
        let was = id(&third.host("/usr/f"));
        let before = listings(&[&web, &db, &third]);
        let plan = lab.plan(&[&third], &[]);
        let run = HeldApply::at(&lab, &plan, "exchange#1");
        let answer = open_for_writing(&web.host("/usr/f"));
        assert_eq!(answer, Errno::AGAIN, "the lease keeps the writer out");
        assert_eq!(run.goes_on(), Some(4));
        assert_eq!(
            id(&third.host("/usr/f")),
            was,
            "the new name was taken back"
        );
        let line = line_of(&lab.receipt(), "third", "/usr/f").clone();
        assert!(strings_in(&line).contains(&"open-for-writing"), "{line}");
        assert!(is_immutable(&web.host("/usr/f")), "the flag is on again");
        unchanged(&[&web, &db, &third], &before, "after the refusal");
        assert_eq!(lab.staged().len(), 0);
    }
}

/// Why it cannot be opened. Were the flag on, that would be `EPERM`.
fn open_for_writing(path: &Path) -> Errno {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Err(why) => why,
        Ok(_) => panic!("a shared file was opened for writing"),
    }
}
