//! Files that a private copy would not hide from whoever uses them: locked, watched, open, mounted by themselves. By
//! real programs on real disks; the rest of the guest is shared.

mod as_parted;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::{
    Cgroup, Disk, File, Guest, InCgroup, LONG, Lab, Out, Planned, content, id, line_of, listings,
    shares_blocks, unchanged, unify,
};

/// Uses of all kinds but one in `db`: `flock` stays as long as what it runs, `tail -f` watches what it follows, and
/// perl has read locks of POSIX (`F_SETLK`) and of an open file (`F_OFD_SETLK`), which is nobody's.
const READS: &str = "\
    flock usr/locked sleep 1000 & \
    tail -f usr/watched > /dev/null & echo $! > ../tail; \
    rlock() { exec perl -e 'open F, \"<\", $ARGV[1]; my $all = pack \"ssx4qqix4\", 0, 0, 0, 0, 0; \
        fcntl F, $ARGV[0], $all or die; sleep 1000' $1 $2; }; \
    rlock 6 usr/posix & rlock 37 usr/ofd & \
    exec 4< usr/read 6< usr/owned; \
    usr/sleep 1000 & \
    : > ../ready; while :; do sleep 1; done";

/// The same, and a file is written to.
fn all_uses() -> String {
    READS.replace("exec 4<", "exec 5>> usr/written 4<")
}

const KEPT: [(&str, &str, &str); 6] = [
    ("/usr/locked", "locked", "flock of flock"),
    ("/usr/posix", "locked", "POSIX lock of perl"),
    ("/usr/ofd", "locked", "OFD lock"),
    ("/usr/watched", "watched", "inotify of tail"),
    ("/usr/written", "open-for-writing", "sh"),
    ("/usr/read", "open", "sh"),
];
/// Nobody uses the first; a package owns the second; the third is a program that runs.
const SHARED: [&str; 3] = ["/usr/free", "/usr/owned", "/usr/sleep"];

fn two(lab: &Lab) -> [Guest; 2] {
    let sleep = std::fs::read("/bin/sleep").unwrap();
    ["web", "db"].map(|name| {
        let guest = lab.guest(name);
        guest.dpkg("tool", &[]);
        let list = File::new("/.\n/usr\n/usr/owned\n");
        guest.put("/var/lib/dpkg/info/tool.list", &list);
        for (path, ..) in KEPT {
            guest.put(path, &File::new(content(path)));
        }
        for path in ["/usr/free", "/usr/owned"] {
            guest.put(path, &File::new(content(path)));
        }
        guest.put("/usr/sleep", &File::new(sleep.clone()).mode(0o755));
        guest
    })
}

/// Starts them, and waits until all uses have begun.
fn start(lab: &Lab, cgroup: &Cgroup, db: &Guest, uses: &str) -> InCgroup {
    let process = cgroup.start(db.root(), uses);
    let tail = || std::fs::read_to_string(lab.path("guests/tail")).unwrap_or_default();
    let watches = || {
        let infos = std::fs::read_dir(format!("/proc/{}/fdinfo", tail().trim()));
        let mut infos = infos.into_iter().flatten().flatten();
        infos.any(|info| {
            let text = std::fs::read_to_string(info.path());
            text.is_ok_and(|text| text.contains("inotify wd:"))
        })
    };
    let locked = KEPT.iter().filter(|(_, code, _)| *code == "locked");
    let inodes = locked.map(|(path, ..)| format!(":{} ", id(&db.host(path)).1));
    let inodes: Vec<String> = inodes.collect();
    let locks = || {
        let all = std::fs::read_to_string("/proc/locks").unwrap();
        inodes.iter().all(|inode| all.contains(inode))
    };
    for _ in 0..12_000 {
        if lab.path("guests/ready").exists() && watches() && locks() {
            return process;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the guest did not come to use its files");
}

fn apply(plan: &Planned) -> Out {
    let path = plan.path.to_str().unwrap();
    unify(&[&["apply", "--yes"], &LONG[..], &[path]].concat())
}

/// While others start very many processes, it may not be known who uses what.
fn plan_that_knows(lab: &Lab, guests: [&Guest; 2]) -> Planned {
    for _ in 0..100 {
        let plan = lab.plan(&guests, &[]);
        let mut said = plan.json["guests"].as_array().unwrap().iter();
        if said.all(|guest| guest.get("uses_unknown").is_none()) {
            return plan;
        }
    }
    panic!("it was never known which files are used");
}

fn is_shared([web, db]: [&Guest; 2], path: &str) -> bool {
    id(&web.host(path)) == id(&db.host(path))
}

fn assert_shared(guests: [&Guest; 2], what: &str) {
    for (path, ..) in KEPT {
        assert!(!is_shared(guests, path), "{what}: {path}");
    }
    for path in SHARED {
        assert!(is_shared(guests, path), "{what}: {path}");
    }
}

#[test]
fn a_plan_leaves_them_alone_and_says_why() {
    for disk in [Disk::Own, Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let [web, db] = two(&lab);
        let cgroup = cgroup!("used");
        let _guest = start(&lab, &cgroup, &db, &all_uses());
        let plan = plan_that_knows(&lab, [&web, &db]);
        for (path, reason, who) in KEPT {
            let skip = plan.skip("db", path).unwrap();
            assert_eq!(
                (&skip["reason"], &skip["note"]),
                (&reason.into(), &who.into())
            );
            assert!(plan.link("web", path).is_none(), "alone it has no twin");
        }
        apply(&plan).expect(0);
        assert_shared([&web, &db], "after apply");
        let show = unify(&["show", plan.path.to_str().unwrap()]).expect(0);
        assert!(
            show.stdout.contains("a process watches it for changes"),
            "{}",
            show.stdout
        );
        let explain = unify(&[
            "explain",
            "--plan",
            plan.path.to_str().unwrap(),
            "db:/usr/locked",
        ]);
        let said = explain.expect(0).stdout;
        assert!(
            said.contains("a process holds a lock on it: flock of flock"),
            "{said}"
        );
    }
}

#[test]
fn apply_refuses_what_has_come_into_use_since_the_plan() {
    for disk in [Disk::Own, Disk::Xfs, Disk::Btrfs] {
        let lab = lab!(disk);
        let [web, db] = two(&lab);
        let cgroup = cgroup!("used-since");
        let plan = lab.plan(&[&web, &db], &[]);
        let before = listings(&[&web, &db]);
        assert!(plan.skip("db", "/usr/locked").is_none());
        let process = start(&lab, &cgroup, &db, &all_uses());
        let out = apply(&plan).expect(4);
        let receipt = lab.receipt();
        for (path, code, who) in KEPT {
            let refusal = &line_of(&receipt, "db", path)["refusal"];
            assert_eq!(refusal["code"], code, "{path}");
            assert!(
                code == "open-for-writing" || refusal["by"] == who,
                "{refusal}"
            );
        }
        assert!(
            out.stderr.contains("a process watches the file"),
            "{}",
            out.stderr
        );
        assert_shared([&web, &db], "while they are used");
        unchanged(&[&web, &db], &before, "after apply");
        drop(process);
        drop(cgroup);
        apply(&plan).expect(0);
        for (path, ..) in KEPT {
            assert!(is_shared([&web, &db], path), "nobody uses {path} any more");
        }
    }
}

/// The administrator knows that nobody minds: what is locked, watched and read is shared, and a choice without effect
/// is told.
#[test]
fn what_the_policy_lets_in_is_shared() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let cgroup = cgroup!("let-in");
    let _guest = start(&lab, &cgroup, &db, &all_uses());
    let codes = ["locked", "watched", "open", "mounted-elsewhere"];
    let allow = codes.map(|code| ["--allow", code]).concat();
    let plan = lab.plan(&[&web, &db], &allow);
    let idle = plan.json["summary"]["without_effect"].as_array().unwrap();
    let idle: Vec<_> = idle.iter().map(|choice| &choice["value"]).collect();
    assert_eq!(idle, ["mounted-elsewhere"]);
    let note = &plan.link("db", "/usr/locked").unwrap()["note"];
    let want = "let in by --allow locked, else private: locked (flock of flock)";
    assert_eq!(note, want);
    apply(&plan).expect(0);
    for (path, code, _) in KEPT {
        let is_let_in = codes.contains(&code);
        assert_eq!(is_shared([&web, &db], path), is_let_in, "{path}");
    }
}

/// Blocks are shared beneath a file that keeps its inode.
#[test]
fn reflinks_need_nothing_of_it() {
    let lab = lab!(Disk::Btrfs);
    let [web, db] = two(&lab);
    let cgroup = cgroup!("reflinks");
    let _guest = start(&lab, &cgroup, &db, &all_uses());
    let before = id(&db.host("/usr/locked"));
    let plan = lab.plan(&[&web, &db], &["--method", "reflink"]);
    for (path, ..) in KEPT {
        assert!(plan.skip("db", path).is_none(), "{path}");
    }
    plan.apply().expect(0);
    assert_eq!(id(&db.host("/usr/locked")), before);
    for (path, ..) in KEPT {
        assert!(shares_blocks(&db.host(path)), "{path}");
    }
}

#[test]
fn a_file_that_is_mounted_by_itself() {
    let lab = lab!(Disk::Own);
    let [web, db] = two(&lab);
    let quiet = lab.plan(&[&web, &db], &[]);
    let other = lab.path("other");
    std::fs::write(&other, "").unwrap();
    let mounted = Mounted::at(&other, &db.host("/usr/free"));
    quiet.apply().expect(4);
    let refusal = line_of(&lab.receipt(), "db", "/usr/free")["refusal"].clone();
    assert_eq!(refusal["code"], "mounted-elsewhere");
    assert_eq!(refusal["at"], format!("at {}", other.display()));
    assert!(!is_shared([&web, &db], "/usr/free"));
    assert!(is_shared([&web, &db], "/usr/owned"));
    let plan = lab.plan(&[&web, &db], &[]);
    assert_eq!(
        plan.skip("db", "/usr/free").unwrap()["reason"],
        "mounted-elsewhere"
    );
    drop(mounted);
    lab.plan(&[&web, &db], &[]).apply().expect(0);
    assert!(is_shared([&web, &db], "/usr/free"));
}

/// A bind mount in our own namespace, which ends with this.
struct Mounted<'p>(&'p Path);

impl Mounted<'_> {
    fn at<'p>(point: &'p Path, file: &Path) -> Mounted<'p> {
        let status = Command::new("mount")
            .arg("--bind")
            .args([file, point])
            .status();
        assert!(status.unwrap().success());
        Mounted(point)
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0).status().ok();
    }
}
