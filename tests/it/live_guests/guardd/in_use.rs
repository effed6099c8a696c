//! Files that processes of a guest use as the guest writes to them: what they locked or watched, or have open, stays
//! the shared file, and the base's record says so. Of a write that nobody looked at it does not say that the file was
//! not in use.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::OPEN;
use crate::support::{
    Asking, Cgroup, Disk, File, Guest, InCgroup, Kernel, Lab, content, id, until,
};

/// `flock` stays as long as what it runs, `tail -f` watches what it follows and has it open, and perl has read locks of
/// POSIX (`F_SETLK`) and of an open file (`F_OFD_SETLK`), which is nobody's.
const USES: &str = "\
    flock usr/locked sleep 1000 & \
    tail -f usr/watched > /dev/null & echo $! > ../tail; \
    rlock() { exec perl -e 'open F, \"<\", $ARGV[1]; my $all = pack \"ssx4qqix4\", 0, 0, 0, 0, 0; \
        fcntl F, $ARGV[0], $all or die; sleep 1000' $1 $2; }; \
    rlock 6 usr/posix & rlock 37 usr/ofd & \
    exec 4< usr/read; \
    : > ../ready; while :; do sleep 1; done";

/// In the other guest: its lock on the shared file is no use of the one that writes.
const OTHERS: &str = "flock usr/free sleep 1000 & : > ../others; while :; do sleep 1; done";

const LOCKED: [&str; 3] = ["/usr/locked", "/usr/posix", "/usr/ofd"];
const USED: [(&str, &str, &str); 8] = [
    ("/usr/locked", "locked", "flock of flock"),
    ("/usr/locked", "open", "flock"),
    ("/usr/ofd", "locked", "OFD lock, perhaps of perl"),
    ("/usr/ofd", "open", "perl"),
    ("/usr/posix", "locked", "POSIX lock of perl"),
    ("/usr/posix", "open", "perl"),
    ("/usr/read", "open", "sh"),
    ("/usr/watched", "watched", "inotify of tail"),
];

fn two(lab: &Lab) -> [Guest; 2] {
    let guests = ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        for path in paths() {
            guest.put(path, &File::new(content(path)));
        }
        guest
    });
    lab.plan(&guests.each_ref(), &OPEN).apply().expect(0);
    guests
}

fn paths() -> impl Iterator<Item = &'static str> {
    let used = USED.iter().map(|(path, ..)| *path);
    let mut all: Vec<_> = used.chain(["/usr/free"]).collect();
    all.dedup();
    all.into_iter()
}

/// Starts all of them, and waits until all uses have begun.
fn start(lab: &Lab, cgroup: &Cgroup, [web, db]: &[Guest; 2]) -> [InCgroup; 2] {
    let processes = [
        cgroup.start(web.root(), USES),
        cgroup.start(db.root(), OTHERS),
    ];
    let tail = || fs::read_to_string(lab.path("guests/tail")).unwrap_or_default();
    let watches = || {
        let infos = fs::read_dir(format!("/proc/{}/fdinfo", tail().trim()));
        let mut infos = infos.into_iter().flatten().flatten();
        infos.any(|info| {
            let text = fs::read_to_string(info.path());
            text.is_ok_and(|text| text.contains("inotify wd:"))
        })
    };
    let files = LOCKED.map(|path| web.host(path)).into_iter();
    let inodes = files.chain([db.host("/usr/free")]);
    let inodes: Vec<_> = inodes.map(|file| format!(":{} ", id(&file).1)).collect();
    let locks = || {
        let all = fs::read_to_string("/proc/locks").unwrap();
        inodes.iter().all(|inode| all.contains(inode))
    };
    let ready = ["guests/ready", "guests/others"].map(|name| lab.path(name));
    for _ in 0..12_000 {
        if ready.iter().all(|file| file.exists()) && watches() && locks() {
            return processes;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the guests did not come to use their files");
}

fn writers(lab: &Lab) -> Value {
    let status = lab.on_base("status", &["--json"]).expect(0).json();
    status["writers"].clone()
}

/// All that a guest wrote to at once.
fn write_to_all(kernel: &mut Kernel, web: &Guest) {
    let files: Vec<PathBuf> = paths().map(|path| web.host(path)).collect();
    let asked: Vec<u32> = files
        .iter()
        .map(|file| kernel.ask(&Asking::to(file)))
        .collect();
    for _ in asked {
        let (_, word) = kernel.answer().unwrap();
        assert_eq!(word, "LookAgain", "{}", kernel.said());
    }
}

/// Writes to all of them, and gives what is recorded; `None` where the machine started processes faster than they can
/// be looked at.
fn recorded(disk: &Lab, attempt: usize) -> Option<(Lab, Value)> {
    let lab = disk.part(&attempt.to_string());
    let guests = two(&lab);
    let cgroup = Cgroup::new(&format!("in-use-{attempt}")).unwrap();
    let _processes = start(&lab, &cgroup, &guests);
    let mut kernel = Kernel::start(&lab, &[], &[]);
    write_to_all(&mut kernel, &guests[0]);
    for _ in 0..100 {
        let writers = writers(&lab);
        if writers["guests"][0]["unlooked"] == 0 {
            assert_eq!(kernel.end(), Some(0));
            return Some((lab, writers));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    None
}

#[test]
fn what_a_guest_uses_as_it_writes_is_recorded() {
    armed!();
    drop(cgroup!("in-use"));
    let disk = memory_lab!(Disk::Ext4);
    let (start, most) = (Instant::now(), Duration::from_secs(300));
    let (lab, writers) = (0..)
        .take_while(|_| start.elapsed() < most)
        .find_map(|attempt| recorded(&disk, attempt))
        .unwrap();
    let mut found = Vec::new();
    for file in writers["used"].as_array().unwrap() {
        assert_eq!(file["guest"], "web");
        assert_eq!(file["exclude"], file["path"]);
        let path = file["path"].as_str().unwrap();
        for one in file["uses"].as_array().unwrap() {
            let [code, by] = ["code", "who"].map(|key| one[key].as_str().unwrap());
            found.push((path, code, by));
        }
    }
    // Whether what is watched is open as well is for the watcher to say.
    found.retain(|one| *one != ("/usr/watched", "open", "tail"));
    assert_eq!(found, USED, "{writers}");
    let said = lab.on_base("status", &[]).expect(0).stdout;
    let sentence =
        "web wrote to /usr/locked while a process inside it held a lock on it (flock of flock)";
    assert!(said.contains(sentence), "{said}");
    assert!(said.contains("exclude = \"/usr/locked\""), "{said}");
}

/// The number of the first look's first call, where nothing is written before: what the daemon begins with makes it as
/// well.
fn first_look(lab: &Lab) -> usize {
    let trace = lab.path("first-trace");
    let env = [("UNIFY_FAULT_TRACE", trace.to_str().unwrap())];
    assert_eq!(Kernel::start(lab, &env, &[]).end(), Some(0));
    1 + procs(&trace)
}

fn procs(trace: &Path) -> usize {
    let all = fs::read_to_string(trace).unwrap();
    all.lines().filter(|call| *call == "proc").count()
}

/// A look that fails says nothing: the write is not one of a file that nobody used.
#[test]
fn what_nobody_could_look_at_is_unknown() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, _] = two(&lab);
    let fault = format!("proc#{}+=EPERM", first_look(&lab));
    let mut kernel = Kernel::start(&lab, &[("UNIFY_FAULT", &fault)], &[]);
    kernel.write(&web.host("/usr/free"), b"x");
    kernel.says("it is not known who used what");
    let writers = writers(&lab);
    assert_eq!(writers["guests"][0]["unlooked"], 1, "{writers}");
    assert_eq!(writers["used"].as_array().unwrap().len(), 0);
    let said = lab.on_base("status", &[]).expect(0).stdout;
    assert!(said.contains("of 1 write it is not known"), "{said}");
    assert_eq!(kernel.end(), Some(0));
}

/// Nobody waits for a look, and there is one at a time.
#[test]
fn a_look_delays_no_writer() {
    armed!();
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let (trace, goes_on) = (lab.path("trace"), lab.path("goes-on"));
    let first = first_look(&lab);
    let held = format!("proc#{first}=run:{}", until(&goes_on));
    let env = [
        ("UNIFY_FAULT", held.as_str()),
        ("UNIFY_FAULT_TRACE", trace.to_str().unwrap()),
    ];
    let mut kernel = Kernel::start(&lab, &env, &[]);
    kernel.write(&web.host("/usr/free"), b"x");
    for _ in 0..6000 {
        if procs(&trace) == first {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(procs(&trace), first, "{}", kernel.said());
    for (guest, path) in [(&web, "/usr/read"), (&db, "/usr/read"), (&db, "/usr/free")] {
        kernel.write(&guest.host(path), b"x");
    }
    kernel.settled(&lab);
    assert_eq!(procs(&trace), first);
    fs::write(&goes_on, "").unwrap();
    assert_eq!(kernel.end(), Some(0));
}
