//! A command that only reads gives up all other rights before it reads what a guest wrote, and sees as much as before.
//! `strace` holds it in the middle of the work; unit tests beside the code try what Landlock denies.

use std::path::Path;
use std::process::Command;

use crate::support::{BIN, Disk, Held, Planned, Status, capability_set, status_of, two_guests};

/// `linux/capability.h`
const DAC_OVERRIDE: u64 = 1 << 1;
const DAC_READ_SEARCH: u64 = 1 << 2;
const FOWNER: u64 = 1 << 3;
const SYS_ADMIN: u64 = 1 << 21;
const MAC_ADMIN: u64 = 1 << 33;
const READING: u64 = DAC_READ_SEARCH | SYS_ADMIN | MAC_ADMIN;

/// What this test itself may do: no process gets more rights by giving some up.
fn own(name: &str) -> u64 {
    capability_set(
        &status_of(&std::fs::read_to_string("/proc/self/status").unwrap()),
        name,
    )
}

fn is_confined(status: &Status, capabilities: u64) -> bool {
    capability_set(status, "CapEff") == own("CapEff") & capabilities
        && capability_set(status, "CapPrm") == own("CapPrm") & capabilities
        && capability_set(status, "CapBnd") == own("CapBnd") & capabilities
        && capability_set(status, "CapInh") == 0
        && capability_set(status, "CapAmb") == 0
        && status["NoNewPrivs"] == "1"
}

/// Behind the walls; a thread that looked who is inside was there before, and has ended.
fn has_helpers(threads: &[Status]) -> bool {
    threads.len() > 1 && threads.iter().any(|thread| thread["NoNewPrivs"] == "1")
}

#[test]
fn all_threads_of_plan_keep_only_what_they_need() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    let [own, audits, foreign] = ["own", "audits", "foreign"].map(|name| lab.path(name));
    for dir in [&own, &audits, &foreign] {
        std::fs::create_dir(dir).unwrap();
    }
    std::os::unix::fs::chown(&foreign, Some(1234), Some(1234)).unwrap();
    let cases = [
        (own, &[][..], 0),
        (audits, &["--audit"], 0),
        (foreign, &[], DAC_OVERRIDE | FOWNER),
    ];
    for (dir, options, more) in cases {
        let plan = dir.join("plan.json");
        let (web, db) = (web.arg(), db.arg());
        let args = ["plan", "-o", plan.to_str().unwrap(), &web, &db];
        // As soon as there are helpers, no thread may have more.
        let args = [&args[..], options].concat();
        let threads = Held::threads("flistxattr", &args, has_helpers);
        for thread in &threads {
            assert!(is_confined(thread, READING | more), "{dir:?}: {thread:#?}");
        }
        assert!(Planned::read(&plan).link("db", "/usr/f").is_some());
    }
}

#[test]
fn other_readers_keep_only_what_they_need() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    let plan = lab.plan(&[&web, &db], &[]);
    plan.apply().expect(0);
    let (plan, base) = (plan.path.to_str().unwrap(), lab.base());
    let in_place = READING | FOWNER;
    let base = base.to_str().unwrap();
    let narrow = lab.path("narrow.json");
    let narrow = narrow.to_str().unwrap();
    let guests = [web.arg(), db.arg()];
    let files = guests.each_ref().map(|guest| format!("{guest}:/usr/f"));
    let cases: [(&[&str], &str, u64); 9] = [
        (&["verify", plan], "flistxattr", in_place),
        (&["verify", "--base", base], "flistxattr", in_place),
        (&["status", "--base", base], "open_tree", in_place),
        (
            &["explain", "--plan", plan, "web:/usr/f"],
            "open_tree",
            in_place,
        ),
        (&["show", plan], "lseek", 0),
        // Where the links of guests are asked.
        (
            &["cut", plan, "-o", narrow, "--force", "--path", "/usr/f"],
            "open_tree,openat2,readlinkat",
            in_place,
        ),
        (&["diff", plan, plan], "lseek", 0),
        (&["diff", &guests[0], &guests[1]], "open_tree", in_place),
        (&["diff", &files[0], &files[1]], "open_tree", in_place),
    ];
    for (args, call, capabilities) in cases {
        let confined = |thread: &Status| is_confined(thread, capabilities);
        Held::threads(call, args, |threads| {
            !threads.is_empty() && threads.iter().all(confined)
        });
    }
}

/// Views are cloned first, because a kernel may forbid that afterwards; then the walls; then helpers, which
/// inherit them.
#[test]
fn plan_confines_itself_between_the_views_and_the_threads() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    let trace = lab.path("trace");
    let calls =
        "trace=open_tree,landlock_create_ruleset,landlock_restrict_self,capset,clone,clone3,exit";
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
    // The thread that looked who is inside has ended before.
    let wall = walls[0].min(given_up[0]);
    let before = |all: &[usize]| all.iter().filter(|line| **line < wall).count();
    assert_eq!(before(&threads), before(&lines(" exit(")), "{text}");
    assert!(before(&threads) < threads.len(), "{text}");
}

/// A scrub may write two things of its base, and is confined before it looks at an object.
#[test]
fn a_scrub_may_write_what_it_remembers_and_nothing_else() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
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

/// Each wall that a kernel does not have is named, whichever others stand.
#[test]
fn what_a_kernel_does_not_give_is_named() {
    traced!();
    let lab = lab!(Disk::Own);
    let [web, db] = two_guests(&lab);
    let trace = lab.path("trace");
    let walls = [
        ("landlock_restrict_self", "no Landlock"),
        ("capset", "no giving up root's capabilities"),
        ("open_tree", "no private read-only mounts"),
    ];
    for (call, word) in walls {
        let done = Command::new("strace")
            .args(["-f", "-qq", "-o", trace.to_str().unwrap()])
            .args(["-e", &format!("trace={call}")])
            .args(["-e", &format!("inject={call}:error=ENOSYS"), BIN])
            .args(["plan", "--no-cache", &web.arg(), &db.arg()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        if !std::fs::read_to_string(&trace)
            .unwrap()
            .contains("INJECTED")
        {
            skip!("{call} is not called here");
        }
        assert!(done.status.success(), "{call}: {said}");
        let told = said.lines().find(|line| line.contains("more rights"));
        let told = told.unwrap_or_else(|| panic!("{call}: {said}"));
        assert!(told.contains(word), "{call}: {told}");
    }
}
