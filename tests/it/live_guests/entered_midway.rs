//! A process enters a guest while a run is at work, or opens a file whose flag is off for the moment. `strace`
//! holds the run at the system call in question, so that the moment lasts.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::support::{
    Disk, File, Lab, Planned, content, id, inside, is_immutable, line_of, listings, strings_in,
    unchanged,
};

/// Starts `unify apply`, which will be held for two seconds as it enters the `nth` call of `call`.
fn slow_apply(plan: &Planned, call: &str, nth: usize) -> Child {
    let inject = format!("inject={call}:delay_enter=2000000:when={nth}");
    Command::new("strace")
        .args(["-f", "-o", "/dev/null", "-e", &inject])
        .arg(env!("CARGO_BIN_EXE_unify"))
        .args(["apply", "--yes", plan.path.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("strace runs")
}

/// Waits until the journal of the newest run announces a name.
fn wait_for_intent(lab: &Lab) {
    let start = Instant::now();
    while !newest_journal(lab).is_some_and(|text| text.contains("intent")) {
        assert!(start.elapsed() < Duration::from_secs(60), "no intent");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn newest_journal(lab: &Lab) -> Option<String> {
    let runs = std::fs::read_dir(lab.base().join("runs")).ok()?;
    let mut runs: Vec<PathBuf> = runs.map(|run| run.unwrap().path()).collect();
    runs.sort_by_key(|run| run.to_string_lossy().rsplit('-').next().map(str::to_owned));
    std::fs::read_to_string(runs.pop()?.join("journal")).ok()
}

fn code(mut child: Child) -> i32 {
    child.wait().unwrap().code().unwrap_or(-1)
}

#[test]
fn a_guest_that_starts_in_the_middle_is_left_alone() {
    traced!();
    {
        // Before the first exchange.
        let (call, nth) = ("syncfs", 1);
        let lab = lab!(Disk::Own);
        let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
        let before = listings(&[&web, &db]);
        let was = id(&db.host("/usr/f"));
        let plan = lab.plan(&[&web, &db], &[]);
        let run = slow_apply(&plan, call, nth);
        wait_for_intent(&lab);
        let process = inside("sh", &["-c", "echo inside; read wait"], &db.host("/usr"));
        assert!(process.is_some());
        assert_eq!(code(run), 4, "{call} {nth}");
        assert_eq!(
            id(&db.host("/usr/f")),
            was,
            "{call} {nth}: db keeps its file"
        );
        let line = line_of(&lab.receipt(), "db", "/usr/f").clone();
        assert!(strings_in(&line).contains(&"guest-running"), "{line}");
        unchanged(&[&web, &db], &before, "after the refusal");
        drop(process);
        lab.plan(&[&web, &db], &[]).apply().expect(0);
    }
}

/// Before the commit all flags are on and all content is equal: to roll names back would lift a flag under the
/// guest.
#[test]
fn a_guest_that_starts_after_the_exchange_keeps_what_it_sees() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    let before = listings(&[&web, &db]);
    let plan = lab.plan(&[&web, &db], &[]);
    let run = slow_apply(&plan, "syncfs", 2);
    wait_for_intent(&lab);
    std::thread::sleep(Duration::from_millis(500));
    let process = inside("sh", &["-c", "echo inside; read wait"], &db.host("/usr"));
    assert!(process.is_some());
    assert_eq!(code(run), 0);
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
    traced!();
    for disk in [Disk::Own, Disk::Xfs] {
        let lab = lab!(disk);
        let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
        lab.plan(&[&web, &db], &[]).apply().expect(0);
        let third = lab.guest("third");
        third.put("/usr/f", &File::new(content(1)));
        let was = id(&third.host("/usr/f"));
        let before = listings(&[&web, &db, &third]);
        let plan = lab.plan(&[&third], &[]);
        let run = slow_apply(&plan, "renameat2", 1);
        let answer = open_for_writing_until_not_flagged(&web.host("/usr/f"));
        assert_eq!(answer, Errno::AGAIN, "the lease keeps the writer out");
        assert_eq!(code(run), 4);
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

/// What opening says once it is not `EPERM` any more.
fn open_for_writing_until_not_flagged(path: &std::path::Path) -> Errno {
    let start = Instant::now();
    loop {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()) {
            Err(Errno::PERM) => assert!(start.elapsed() < Duration::from_secs(60)),
            Err(other) => return other,
            Ok(_) => panic!("a shared file was opened for writing"),
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
