//! The program starts in bad surroundings: closed descriptors, odd masks, tight limits, no environment, no
//! directory, no room. Guests keep their bytes nevertheless, success means that all is done, and the next run in
//! good order finishes the work.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{
    BIN, Disk, File, Guest, Lab, Listing, Out, Planned, content, edited, fill_disk, id,
    is_immutable, is_long, lift_flags, listings, unchanged,
};

/// What a shell does before it becomes the program, `"$@"`.
type Start = (&'static str, &'static str);

const CLOSED: &[Start] = &[
    ("no standard input", r#"exec "$@" <&-"#),
    ("no standard output", r#"exec "$@" >&-"#),
    ("no standard error", r#"exec "$@" 2>&-"#),
    ("no output at all", r#"exec "$@" >&- 2>&-"#),
    ("no descriptor at all", r#"exec "$@" <&- >&- 2>&-"#),
    (
        "standard output is a closed pipe",
        r#"exec 3> >(:); wait $!; exec "$@" >&3 3>&-"#,
    ),
    (
        "both outputs are closed pipes",
        r#"exec 3> >(:); wait $!; exec "$@" >&3 2>&3 3>&-"#,
    ),
    (
        "standard output is a full device",
        r#"exec "$@" > /dev/full"#,
    ),
    (
        "both outputs are full devices",
        r#"exec "$@" > /dev/full 2>&1"#,
    ),
    ("standard input is a directory", r#"exec "$@" < /"#),
];

const MASKS: &[Start] = &[
    ("umask 000", r#"umask 000; exec "$@""#),
    ("umask 077", r#"umask 077; exec "$@""#),
    ("umask 777", r#"umask 777; exec "$@""#),
];

const LIMITS: &[Start] = &[
    ("16 descriptors", r#"exec prlimit --nofile=16 "$@""#),
    ("24 descriptors", r#"exec prlimit --nofile=24 "$@""#),
    ("40 descriptors", r#"exec prlimit --nofile=40 "$@""#),
    ("64 descriptors", r#"exec prlimit --nofile=64 "$@""#),
    ("files of no byte", r#"exec prlimit --fsize=0 "$@""#),
    ("files of 4 KiB", r#"exec prlimit --fsize=4096 "$@""#),
    ("files of 40 KiB", r#"exec prlimit --fsize=40960 "$@""#),
    ("files of 1 MiB", r#"exec prlimit --fsize=1048576 "$@""#),
    ("one process", r#"exec prlimit --nproc=1 "$@""#),
    // A sixteenth of the usual; what reads the command line takes 300 KiB of it in a build for tests.
    (
        "no core, no locked memory, little stack",
        r#"exec prlimit --core=0 --memlock=0 --stack=524288 "$@""#,
    ),
];

const MEMORY: &[Start] = &[
    ("1 MB of memory", r#"exec prlimit --as=1000000 "$@""#),
    ("8 MB of memory", r#"exec prlimit --as=8000000 "$@""#),
    ("12 MB of memory", r#"exec prlimit --as=12000000 "$@""#),
    ("14 MB of memory", r#"exec prlimit --as=14000000 "$@""#),
    ("16 MB of memory", r#"exec prlimit --as=16000000 "$@""#),
    ("18 MB of memory", r#"exec prlimit --as=18000000 "$@""#),
    ("20 MB of memory", r#"exec prlimit --as=20000000 "$@""#),
    ("40 MB of memory", r#"exec prlimit --as=40000000 "$@""#),
];

const SURROUNDINGS: &[Start] = &[
    ("no HOME", r#"unset HOME; exec "$@""#),
    ("no environment", r#"exec env -i "$@""#),
    ("no TMPDIR", r#"TMPDIR=/none/such exec "$@""#),
    (
        "odd locale and terminal",
        r#"LC_ALL=xx TERM=$'\e[31m' COLUMNS=0 exec "$@""#,
    ),
    (
        "no working directory",
        r#"d=$(mktemp -d); cd "$d"; rmdir "$d"; exec "$@""#,
    ),
    (
        "ignored signals",
        r#"trap '' PIPE HUP CHLD XFSZ IO TERM; exec "$@""#,
    ),
];

/// Runs the program after `start`; ten minutes are a hang. Few descriptors make small batches, and on a busy disk
/// each of them waits for what all processes wrote.
fn run(start: Start, args: &[&str]) -> Out {
    let out = Command::new("timeout")
        .args(["--signal=KILL", "600", "bash", "-c", start.1, "bash", BIN])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Out {
        args: format!("{args:?} ({})", start.0),
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

/// Two guests that share much, and how they looked at first.
struct Scene {
    lab: Lab,
    guests: [Guest; 2],
    before: Vec<Listing>,
}

impl Scene {
    fn new(lab: Lab) -> Scene {
        let guests = ["web", "db"].map(|name| {
            let guest = lab.guest(name);
            for n in 0..60 {
                guest.put(format!("/usr/share/{n}"), &File::new(content(n)));
            }
            guest.put(
                "/usr/odd",
                &File::new(content("odd")).mode(0o604).owner(7, 8),
            );
            guest
        });
        let before = listings(&[&guests[0], &guests[1]]);
        Scene {
            lab,
            guests,
            before,
        }
    }

    fn plan(&self) -> Planned {
        self.lab.plan(&[&self.guests[0], &self.guests[1]], &[])
    }

    #[track_caller]
    fn unchanged(&self, when: &str) {
        unchanged(&[&self.guests[0], &self.guests[1]], &self.before, when);
    }

    fn is_shared(&self) -> bool {
        let [web, db] = &self.guests;
        (0..60).all(|n| {
            let path = format!("/usr/share/{n}");
            id(&web.host(&path)) == id(&db.host(&path))
        })
    }

    fn is_private(&self) -> bool {
        self.lab.objects().is_empty()
            || self
                .lab
                .objects()
                .iter()
                .all(|object| crate::support::nlink(object) == 1)
    }

    /// What is left beside guests and plans.
    fn litter(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.lab.path("")).unwrap();
        let entries = entries.map(|entry| entry.unwrap().path());
        entries
            .filter(|path| path.to_string_lossy().ends_with(".part"))
            .collect()
    }

    /// Everything from plan to gc, each step first after `start` and then in order. `calm`: a step may fail, and
    /// must not be killed or panic.
    #[track_caller]
    fn survives(&self, start: Start, calm: bool) {
        let ran = |args: &[&str]| {
            let out = run(start, args);
            self.unchanged(&out.args);
            assert!(
                !calm || (0..=12).contains(&out.code),
                "{}: {} {}",
                out.args,
                out.code,
                out.stderr
            );
            out
        };
        self.plans(start.0, &ran);
        self.applies(start.0, &ran);
        self.undoes(start.0, &ran);
    }

    fn plans(&self, name: &str, ran: &dyn Fn(&[&str]) -> Out) {
        let path = self.lab.path("start.json");
        std::fs::remove_file(&path).ok();
        let args = self.guests.each_ref().map(Guest::arg);
        let [web, db] = args.each_ref().map(String::as_str);
        let code = ran(&["plan", "-o", path.to_str().unwrap(), web, db]).code;
        assert!(code != 0 || path.exists(), "{name}: success means a plan");
        if code == 0 {
            Planned::read(&path);
            assert_eq!(mode(&path), 0o600, "{name}: the plan is its owner's");
        } else if (0..=12).contains(&code) {
            assert_eq!(self.litter(), Vec::<PathBuf>::new(), "{name}");
        }
        for part in self.litter() {
            std::fs::remove_file(part).unwrap();
        }
    }

    fn applies(&self, name: &str, ran: &dyn Fn(&[&str]) -> Out) {
        let plan = self.plan();
        let path = plan.path.to_str().unwrap();
        let code = ran(&["apply", "--yes", path]).code;
        if code == 0 {
            assert!(self.is_shared(), "{name}: done means done");
            plan.verify().expect(0);
            assert_eq!(too_open(&self.lab.base()), Vec::<String>::new(), "{name}");
        }
        if self.lab.base().exists() {
            self.lab.on_base("recover", &[]).expect(0);
        }
        let plan = self.plan();
        plan.apply().expect(0);
        self.unchanged(&format!("{name}: applied in order"));
        assert!(self.is_shared(), "{name}: the next apply finishes the work");
        plan.verify().expect(0);
        self.lab.receipt();
        ran(&["verify", plan.path.to_str().unwrap()]);
    }

    fn undoes(&self, name: &str, ran: &dyn Fn(&[&str]) -> Out) {
        let base = self.lab.base();
        let base = ["--base", base.to_str().unwrap()];
        ran(&["status", base[0], base[1]]);
        let code = ran(&["undo", base[0], base[1], "--run", "all", "--yes"]).code;
        assert!(
            code != 0 || self.is_private(),
            "{name}: undone means undone"
        );
        self.lab.on_base("recover", &[]).expect(0);
        self.lab
            .on_base("undo", &["--run", "all", "--yes"])
            .expect(0);
        self.unchanged(&format!("{name}: undone in order"));
        assert!(self.is_private(), "{name}: the next undo finishes the work");
        self.lab.receipt();
        self.lab.on_base("gc", &[]).expect(0);
        assert_eq!(self.lab.objects(), Vec::<PathBuf>::new(), "{name}");
        // The next start makes a base of its own.
        std::fs::remove_dir_all(self.lab.base()).unwrap();
    }
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

/// Directories of the base that are not 0700, and papers that are not 0600. Objects have their files' modes.
fn too_open(base: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut dirs = vec![base.to_owned()];
    while let Some(dir) = dirs.pop() {
        if mode(&dir) != 0o700 {
            wrong.push(format!("{} {:o}", dir.display(), mode(&dir)));
        }
        for path in std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                dirs.push(path);
            } else if !path.starts_with(base.join("objects")) && mode(&path) != 0o600 {
                wrong.push(format!("{} {:o}", path.display(), mode(&path)));
            }
        }
    }
    wrong
}

#[test]
fn closed_descriptors() {
    let scene = Scene::new(lab!(Disk::Own));
    CLOSED.iter().for_each(|start| scene.survives(*start, true));
}

#[test]
fn masks() {
    let scene = Scene::new(lab!(Disk::Own));
    MASKS.iter().for_each(|start| scene.survives(*start, true));
}

#[test]
fn limits() {
    survives_every_third_limit(0);
}

#[test]
fn more_limits() {
    survives_every_third_limit(1);
}

#[test]
fn other_limits() {
    survives_every_third_limit(2);
}

/// In three parts, which run beside each other: most of the time is waiting. On a commit the two tightest of each.
fn survives_every_third_limit(first: usize) {
    let scene = Scene::new(lab!(Disk::Own));
    let most = if is_long() { LIMITS.len() } else { 2 };
    let limits = LIMITS.iter().skip(first).step_by(3).take(most);
    limits.for_each(|start| scene.survives(*start, true));
}

/// Where there is no memory the program may end as it has to.
#[test]
fn little_memory() {
    let scene = Scene::new(lab!(Disk::Own));
    MEMORY
        .iter()
        .for_each(|start| scene.survives(*start, false));
}

#[test]
fn surroundings() {
    let scene = Scene::new(lab!(Disk::Own));
    SURROUNDINGS
        .iter()
        .for_each(|start| scene.survives(*start, true));
}

/// A full disk at every moment of a run: for the plan, for the base, for a receipt, for an object.
#[test]
fn no_room() {
    let scene = Scene::new(lab!(Disk::Ext4));
    for kib in [0, 4, 8, 16, 24, 32, 40, 48, 64, 96, 128, 256] {
        let ballast = scene.lab.path("ballast");
        let plain = r#"exec "$@""#;
        let ran = |args: &[&str]| {
            fill_disk(&ballast, kib);
            let out = run(("a full disk", plain), args);
            std::fs::remove_dir_all(&ballast).unwrap();
            scene.unchanged(&format!("{kib} KiB free, {}", out.args));
            assert!(
                (0..=12).contains(&out.code),
                "{kib} KiB free: {} {}",
                out.code,
                out.stderr
            );
            out
        };
        let name = format!("{kib} KiB free");
        scene.plans(&name, &ran);
        scene.applies(&name, &ran);
        scene.undoes(&name, &ran);
    }
}

/// The roots of guests stay open through a run: a batch must be so small that its files can be open beside them.
#[test]
fn many_guests_and_few_descriptors() {
    let lab = lab!(Disk::Own);
    let guests: Vec<Guest> = (0..120).map(|n| lab.guest(&format!("g{n:03}"))).collect();
    for guest in &guests {
        guest.put("/usr/f", &File::new(content(1)));
    }
    let all: Vec<&Guest> = guests.iter().collect();
    let before = listings(&all);
    let plan = lab.plan(&all, &[]);
    let few = ("150 descriptors", r#"exec prlimit --nofile=150:150 "$@""#);
    run(few, &["apply", "--yes", plan.path.to_str().unwrap()]).expect(0);
    let inode = |guest: &Guest| id(&guest.host("/usr/f"));
    assert!(guests.iter().all(|guest| inode(guest) == inode(&guests[0])));
    let base = lab.base();
    let base = base.to_str().unwrap();
    run(few, &["undo", "--yes", "--run", "all", "--base", base]).expect(0);
    unchanged(&all, &before, "after undo");
    run(few, &["gc", "--base", base]).expect(0);
    assert_eq!(lab.objects().len(), 0);
}

/// Lines that protect what is shared already, and no others: not all of their objects can be open at once.
#[test]
fn flag_lines_alone_and_few_descriptors() {
    let scene = Scene::new(lab!(Disk::Own));
    let plan = scene.plan();
    plan.apply().expect(0);
    let edited = edited(&scene.lab, &plan, |lines| {
        lines.retain(|line| !line.contains(r#""action":"link""#));
    });
    let objects = scene.lab.objects();
    lift_flags(&scene.lab.base());
    let few = ("64 descriptors", r#"exec prlimit --nofile=64:64 "$@""#);
    run(few, &["apply", "--yes", edited.to_str().unwrap()]).expect(0);
    assert_eq!(objects.len(), 61);
    assert!(objects.iter().all(|object| is_immutable(object)));
}
