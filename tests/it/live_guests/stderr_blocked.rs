//! No process reads the standard error of the program, and its pipe is full. Frozen guests do not wait for that,
//! and go on.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{
    ALIVE, BIN, Cgroup, Disk, File, Guest, LONG, Lab, assert_alive, calls_of_apply, content, id,
    is_immutable, nlink, unify, unify_with,
};

/// Fills what standard error leads to, whatever is in it already, and waits for no reader.
const FILL: &str = "dd if=/dev/zero of=/proc/self/fd/3 bs=4096 count=1000 oflag=nonblock conv=notrunc \
                    3>&2 2> /dev/null";

/// The program, with a pipe at standard error that is read in the end only.
struct Stuck(Child);

impl Stuck {
    fn start(faults: &[String], args: &[&str]) -> Stuck {
        let child = Command::new(BIN)
            .args(args)
            .current_dir("/")
            .env("NO_COLOR", "1")
            .env("UNIFY_FAULT", faults.join("\n"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Stuck(child)
    }

    /// Nothing is frozen any more, although a process still waits for the reader. False where it was ended.
    fn lets_go(&mut self, lab: &Lab, cgroup: &Cgroup, begun: impl Fn() -> bool) -> bool {
        let start = Instant::now();
        while !begun() || lab.base().join("frozen").exists() {
            if self.was_ended() {
                return false;
            }
            let waited = start.elapsed();
            assert!(waited < Duration::from_secs(120), "the guest stands still");
            std::thread::sleep(Duration::from_millis(10));
        }
        if self.was_ended() {
            return false;
        }
        assert!(!cgroup.is_frozen());
        assert_alive(lab, "while nobody reads");
        std::thread::sleep(Duration::from_millis(300));
        assert!(
            self.0.try_wait().unwrap().is_none(),
            "it had no need to wait"
        );
        true
    }

    fn was_ended(&mut self) -> bool {
        let status = self.0.try_wait().unwrap();
        status.is_some_and(|status| status.code().is_none())
    }

    /// What it said once a process reads, and its exit code.
    fn ends(mut self) -> (String, Option<i32>) {
        let mut said = Vec::new();
        self.0
            .stderr
            .take()
            .unwrap()
            .read_to_end(&mut said)
            .unwrap();
        said.retain(|&byte| byte != 0);
        let code = self.0.wait().unwrap().code();
        (String::from_utf8_lossy(&said).into_owned(), code)
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn two(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[
        ("/usr/f", File::new(content(1))),
        ("/usr/g", File::new(content(2))),
    ])
}

fn assert_protected(lab: &Lab) {
    for object in lab.objects().iter().filter(|object| nlink(object) > 1) {
        assert!(is_immutable(object), "shared and not flagged");
    }
}

#[test]
fn an_undo_that_nobody_reads() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let cgroup = cgroup!("stuck-undo");
    let _guest = cgroup.start(db.root(), ALIVE);
    // Whatever comes second is refused, and that is to be said.
    let gone = [&web, &db].map(|guest| guest.host("/usr/g"));
    let remove = format!(
        "exchange#1=run:rm -f '{}' '{}'",
        gone[0].display(),
        gone[1].display()
    );
    let faults = [format!("spawn#1=run:{FILL}"), remove];
    let base = lab.base();
    let undo = ["undo", "--yes", "--run", "all", "--base"];
    let undo = [&undo[..], &[base.to_str().unwrap()], &LONG].concat();
    let mut stuck = Stuck::start(&faults, &undo);
    assert!(stuck.lets_go(&lab, &cgroup, || !gone[0].exists()));
    assert_ne!(
        id(&web.host("/usr/f")),
        id(&db.host("/usr/f")),
        "it is undone"
    );
    let (said, code) = stuck.ends();
    assert_eq!(code, Some(4), "{said}");
    assert!(
        said.contains("web:/usr/g"),
        "said when they went on: {said}"
    );
}

/// The run ends in an error half way, and neither that nor what the watchdog says finds a reader.
#[test]
fn an_apply_that_halts_and_nobody_reads() {
    armed!();
    let disk = lab!(Disk::Own);
    let cgroup = cgroup!("stuck-apply");
    let calls = calls_of_apply(&disk, &cgroup);
    let before = calls.iter().take_while(|call| *call != "exchange");
    let sync = before.filter(|call| *call == "syncfs").count() + 1;
    let lab = disk.part("case");
    let [web, db] = two(&lab);
    let _guest = cgroup.start(db.root(), ALIVE);
    let plan = lab.plan(&[&web, &db], &[]);
    let begun = lab.path("begun");
    let faults = [
        format!("spawn#1=run:{FILL}"),
        format!("exchange#1=run:touch '{}'", begun.display()),
        format!("syncfs#{sync}=EIO"),
    ];
    let args = ["apply", "--yes", plan.path.to_str().unwrap()];
    let mut stuck = Stuck::start(&faults, &[&args[..], &LONG].concat());
    assert!(stuck.lets_go(&lab, &cgroup, || begun.exists()));
    assert_protected(&lab);
    let (said, code) = stuck.ends();
    assert_eq!(code, Some(9), "{said}");
    // Guests went on before the sync that failed, so what is left is healed when the run has ended.
    let start = std::time::Instant::now();
    while !lab.staged().is_empty() {
        assert!(start.elapsed().as_secs() < 120, "it is healed");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_protected(&lab);
}

#[test]
fn a_recover_that_nobody_reads() {
    armed!();
    let disk = memory_lab!(Disk::Ext4);
    drop(cgroup!("stuck-recover"));
    assert!((0..5).any(|attempt| recovers(&disk, attempt)));
}

/// False where the machine was too slow: a healing that takes a second is ended, so that the guest goes on.
fn recovers(disk: &Lab, attempt: u32) -> bool {
    let lab = disk.part(&format!("case-{attempt}"));
    let cgroup = Cgroup::new(&format!("stuck-recover-{attempt}")).unwrap();
    let [web, db] = two(&lab);
    let _guest = cgroup.start(db.root(), ALIVE);
    let plan = lab.plan(&[&web, &db], &[]);
    let base = lab.base().display().to_string();
    // The shell's own parent is the run, whose other child is the watchdog.
    let children = "for child in $(cat /proc/$PPID/task/$PPID/children)";
    let kill = "do [ $child = $$ ] || kill -KILL $child; done; kill -KILL $PPID";
    let fault = format!("exchange#2=run:{children}; {kill}");
    let args = ["apply", "--yes", plan.path.to_str().unwrap()];
    let args = [&args[..], &LONG].concat();
    unify_with(&[("UNIFY_FAULT", &fault)], &args).expect(-1);
    assert!(cgroup.is_frozen() && !lab.staged().is_empty());
    let recover = ["recover", "--base", &base];
    let mut stuck = Stuck::start(&[format!("1=run:{FILL}")], &recover);
    if !stuck.lets_go(&lab, &cgroup, || lab.staged().is_empty()) {
        return false;
    }
    assert_protected(&lab);
    let (said, code) = stuck.ends();
    assert_eq!(code, Some(0), "{said}");
    unify(&recover).expect(0);
    true
}
