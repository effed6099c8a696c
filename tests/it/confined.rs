//! Commands that only read give up everything else before they read what a guest wrote, and see as much as before.
//! `strace` holds them in the middle of the work; what Landlock denies is tried in `src/sys/confine/tests.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cut::has_strace;
use crate::support::{BIN, Disk, File, Guest, Lab, Planned, content, unify};

/// `linux/capability.h`
const DAC_OVERRIDE: u64 = 1 << 1;
const DAC_READ_SEARCH: u64 = 1 << 2;
const FOWNER: u64 = 1 << 3;
const SYS_ADMIN: u64 = 1 << 21;
const MAC_ADMIN: u64 = 1 << 33;
const READING: u64 = DAC_READ_SEARCH | SYS_ADMIN | MAC_ADMIN;

/// A command that stands still for three seconds as each of its threads enters `call` for the first time.
struct Held {
    strace: Child,
    what: String,
}

impl Held {
    fn new(call: &str, args: &[&str]) -> Held {
        let inject = format!("inject={call}:delay_enter=3000000:when=1");
        let strace = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &inject, BIN])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("strace runs");
        let what = format!("{args:?}, held at {call}");
        Held { strace, what }
    }

    /// The program's own directory in /proc, once it is there.
    fn process(&self) -> Option<PathBuf> {
        let parent = self.strace.id();
        let children = format!("/proc/{parent}/task/{parent}/children");
        let children = std::fs::read_to_string(children).ok()?;
        let process = Path::new("/proc").join(children.split_whitespace().next()?);
        let program = std::fs::read_link(process.join("exe")).ok()?;
        (program == Path::new(BIN)).then_some(process)
    }

    /// The status of all threads as soon as `enough` says so.
    fn threads(&mut self, enough: impl Fn(&[Status]) -> bool) -> Vec<Status> {
        let start = Instant::now();
        loop {
            let threads = self.process().map(|process| statuses(&process));
            if let Some(threads) = threads.filter(|threads| enough(threads)) {
                return threads;
            }
            let ended = self.strace.try_wait().unwrap();
            assert!(ended.is_none(), "{}: it ended before", self.what);
            assert!(start.elapsed() < Duration::from_secs(60), "{}", self.what);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn ends_with(mut self, code: i32) {
        assert_eq!(
            self.strace.wait().unwrap().code(),
            Some(code),
            "{}",
            self.what
        );
    }
}

/// Lines of `/proc/PID/task/TID/status`.
type Status = BTreeMap<String, String>;

fn statuses(process: &Path) -> Vec<Status> {
    let tasks = std::fs::read_dir(process.join("task"));
    let texts = (tasks.into_iter().flatten())
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("status")).ok());
    texts.map(|text| status(&text)).collect()
}

fn status(text: &str) -> Status {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

fn set(status: &Status, name: &str) -> u64 {
    u64::from_str_radix(&status[name], 16).unwrap()
}

/// What this test itself may do: nobody gets more by giving up.
fn own(name: &str) -> u64 {
    set(
        &status(&std::fs::read_to_string("/proc/self/status").unwrap()),
        name,
    )
}

fn is_confined(status: &Status, capabilities: u64) -> bool {
    set(status, "CapEff") == own("CapEff") & capabilities
        && set(status, "CapPrm") == own("CapPrm") & capabilities
        && set(status, "CapBnd") == own("CapBnd") & capabilities
        && set(status, "CapInh") == 0
        && set(status, "CapAmb") == 0
        && status["NoNewPrivs"] == "1"
}

/// Two guests with a file that has a twin.
fn twins(lab: &Lab) -> [Guest; 2] {
    lab.twins(&[("/usr/f", File::new(content(1)))])
}

#[test]
fn all_threads_of_plan_keep_only_what_they_need() {
    if !has_strace() {
        skip!("strace is not here");
    }
    let lab = lab!(Disk::Own);
    let [web, db] = twins(&lab);
    let (own, foreign) = (lab.path("own"), lab.path("foreign"));
    for dir in [&own, &foreign] {
        std::fs::create_dir(dir).unwrap();
    }
    std::os::unix::fs::chown(&foreign, Some(1234), Some(1234)).unwrap();
    for (dir, more) in [(own, 0), (foreign, DAC_OVERRIDE | FOWNER)] {
        let plan = dir.join("plan.json");
        let args = ["plan", "-o", plan.to_str().unwrap(), &web.arg(), &db.arg()];
        let mut held = Held::new("flistxattr", &args);
        // As soon as there are helpers, nobody may have more.
        let threads = held.threads(|threads| threads.len() > 1);
        for thread in &threads {
            assert!(is_confined(thread, READING | more), "{dir:?}: {thread:#?}");
        }
        held.ends_with(0);
        assert!(Planned::read(&plan).link("db", "/usr/f").is_some());
    }
}

#[test]
fn other_readers_keep_only_what_they_need() {
    if !has_strace() {
        skip!("strace is not here");
    }
    let lab = lab!(Disk::Own);
    let [web, db] = twins(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    let (plan, base) = (plan.path.to_str().unwrap(), lab.base());
    let in_place = READING | FOWNER;
    let base = base.to_str().unwrap();
    let cases: [(&[&str], &str, u64); 5] = [
        (&["verify", plan], "flistxattr", in_place),
        (&["verify", "--base", base], "flistxattr", in_place),
        (&["status", "--base", base], "open_tree", in_place),
        (
            &["explain", "--plan", plan, "web:/usr/f"],
            "open_tree",
            in_place,
        ),
        (&["show", plan], "lseek", 0),
    ];
    for (args, call, capabilities) in cases {
        let mut held = Held::new(call, args);
        held.threads(|threads| {
            !threads.is_empty()
                && threads
                    .iter()
                    .all(|thread| is_confined(thread, capabilities))
        });
        held.ends_with(0);
    }
}

/// Views are cloned first, because a kernel may forbid that afterwards; then the walls; then helpers, which inherit them.
#[test]
fn plan_confines_itself_between_the_views_and_the_threads() {
    if !has_strace() {
        skip!("strace is not here");
    }
    let lab = lab!(Disk::Own);
    let [web, db] = twins(&lab);
    let trace = lab.path("trace");
    let calls =
        "trace=open_tree,landlock_create_ruleset,landlock_restrict_self,capset,clone,clone3";
    let done = Command::new("strace")
        .args(["-f", "-o", trace.to_str().unwrap(), "-e", calls, BIN])
        .args(["plan", "-o", lab.path("plan.json").to_str().unwrap()])
        .args([web.arg(), db.arg()])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let text = std::fs::read_to_string(&trace).unwrap();
    if text.contains("ENOSYS") || text.contains("EOPNOTSUPP") {
        skip!("this kernel has no Landlock");
    }
    let lines = |call: &str| -> Vec<usize> {
        let found = text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains(call));
        found.map(|(number, _)| number).collect()
    };
    let (views, walls) = (lines("open_tree("), lines("landlock_restrict_self("));
    let (given_up, threads) = (lines("capset("), lines("clone"));
    assert_eq!(
        (views.len(), walls.len(), given_up.len()),
        (2, 1, 1),
        "{text}"
    );
    let wall = text.lines().nth(walls[0]).unwrap();
    assert!(wall.trim_end().ends_with("= 0"), "{wall}");
    assert!(views[1] < walls[0], "{text}");
    assert!(given_up[0] < threads[0] && walls[0] < threads[0], "{text}");
}

/// A scrub may write two things of its base, and stands between its walls before it looks at an object.
#[test]
fn a_scrub_may_write_what_it_remembers_and_nothing_else() {
    if !has_strace() {
        skip!("strace is not here");
    }
    let lab = lab!(Disk::Own);
    let [web, db] = twins(&lab);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    let (trace, base) = (lab.path("trace"), lab.base());
    let calls = "trace=landlock_add_rule,landlock_restrict_self,capset,openat,openat2";
    let done = Command::new("strace")
        .args(["-f", "-y", "-o", trace.to_str().unwrap(), "-e", calls, BIN])
        .args(["verify", "--base", base.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    let text = std::fs::read_to_string(&trace).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let at = |call: &str| lines.iter().position(|line| line.contains(call));
    let Some(walls) = at("landlock_restrict_self(") else {
        panic!("it is not confined: {text}");
    };
    if lines[walls].contains("ENOSYS") || lines[walls].contains("EOPNOTSUPP") {
        skip!("this kernel has no Landlock");
    }
    assert!(lines[walls].trim_end().ends_with("= 0"), "{}", lines[walls]);
    let rules = lines.iter().filter(|line| line.contains("add_rule("));
    let mut places: Vec<&str> = rules
        .map(|line| line.split(['<', '>']).nth(3).unwrap())
        .collect();
    places.sort_unstable();
    let wanted = ["lock", "scrub"].map(|name| base.join(name));
    assert_eq!(places.iter().map(Path::new).collect::<Vec<_>>(), wanted);
    let object = lab.objects()[0].file_name().unwrap().to_owned();
    assert!(walls < at(object.to_str().unwrap()).unwrap(), "{text}");
    assert!(at("capset(").unwrap() < at(object.to_str().unwrap()).unwrap());
    assert!(
        base.join("scrub/read").exists(),
        "it remembers what it read"
    );
}

/// An access control list that lets one more user read: `linux/posix_acl_xattr.h`, version 2.
fn list_with(user: u32) -> Vec<u8> {
    let (nobody, read, write) = (u32::MAX, 4_u16, 2_u16);
    let entries = [
        (0x01_u16, read | write, nobody),
        (0x02, read, user),
        (0x04, read, nobody),
        (0x10, read, nobody),
        (0x20, read, nobody),
    ];
    let mut list = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, id) in entries {
        list.extend([tag.to_le_bytes(), rights.to_le_bytes()].concat());
        list.extend(id.to_le_bytes());
    }
    list
}

/// What only root sees or reads is compared all the same.
#[test]
fn what_only_root_may_read_is_compared() {
    const ACL: &str = "system.posix_acl_access";
    let lab = lab!(Disk::Own);
    let [web, db] = ["web", "db"].map(|name| lab.guest(name));
    for (number, guest) in [(1, &web), (2, &db)] {
        let put = |path: &str, file: File| guest.put(path, &file);
        let file = || File::new(content(1));
        put("/usr/plain", file());
        put("/usr/other", File::new(content(2)).owner(1234, 1234));
        put("/usr/closed/in", File::new(content(3)));
        put("/usr/trusted-same", file().xattr("trusted.x", b"same"));
        let differing = File::new(content(4)).xattr("trusted.x", guest.name().as_bytes());
        put("/usr/trusted-differs", differing);
        put(
            "/usr/list-same",
            File::new(content(5)).xattr(ACL, &list_with(1)),
        );
        put(
            "/usr/list-differs",
            File::new(content(6)).xattr(ACL, &list_with(number)),
        );
        put(
            "/usr/nobody",
            File::new(content(7)).owner(1234, 1234).mode(0),
        );
        put(
            "/usr/private",
            File::new(content(8)).owner(1234, 1234).mode(0o600),
        );
        put("/usr/able", File::new(content(9)));
        // Behind the change of owner, which takes it away.
        let may = [&[1, 0, 0, 2, 0, 4][..], &[0; 14]].concat();
        let (able, none) = (guest.host("/usr/able"), rustix::fs::XattrFlags::empty());
        rustix::fs::lsetxattr(&able, "security.capability", &may, none).unwrap();
        let closed = guest.host("/usr/closed");
        std::os::unix::fs::chown(&closed, Some(1234), Some(1234)).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&closed, mode).unwrap();
    }
    let plan = lab.plan(&[&web, &db], &["--skips", "all"]);
    for linked in ["plain", "other", "closed/in", "trusted-same", "list-same"] {
        assert!(
            plan.link("db", format!("/usr/{linked}")).is_some(),
            "{linked}"
        );
    }
    let skipped = [
        ("trusted-differs", "unique"),
        ("list-differs", "unique"),
        ("nobody", "not-world-readable"),
        ("private", "not-world-readable"),
        ("able", "privileged"),
    ];
    for (name, reason) in skipped {
        let line = plan.skip("db", format!("/usr/{name}")).expect(name);
        assert_eq!(line["reason"], reason, "{name}");
    }
    plan.apply().expect(0);
    plan.verify().expect(0);
}

/// Root's plan in somebody else's directory, as `sudo unify plan -o ~/plan.json` makes it, over an older one of theirs.
#[test]
fn a_plan_in_a_foreign_directory() {
    let lab = lab!(Disk::Own);
    let [web, db] = twins(&lab);
    let home = lab.path("home");
    let plan = home.join("plan.json");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(&plan, "old").unwrap();
    for path in [&home, &plan] {
        std::os::unix::fs::chown(path, Some(1234), Some(1234)).unwrap();
    }
    for mode in [0o755, 0o1777] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(&home, mode).unwrap();
        unify(&["plan", "-o", plan.to_str().unwrap(), &web.arg(), &db.arg()]).expect(0);
        assert!(Planned::read(&plan).link("db", "/usr/f").is_some());
        assert_eq!(std::fs::read_dir(&home).unwrap().count(), 1, "no litter");
        std::os::unix::fs::chown(&plan, Some(1234), Some(1234)).unwrap();
    }
}
