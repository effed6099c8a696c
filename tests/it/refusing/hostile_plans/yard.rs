//! Two guests, things beside them that no run may touch, and a real plan to make hostile ones of.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{
    BIN, File, Guest, Lab, Listing, Out, content, listings, nlink, unchanged, unify,
};

/// Longest time that any plan may keep `apply` busy.
const PATIENCE: &str = "600";

/// What `apply` is given.
pub enum Hostile {
    /// A file with these bytes.
    Bytes(Vec<u8>),
    /// Something that is there already.
    At(PathBuf),
}

impl From<String> for Hostile {
    fn from(text: String) -> Hostile {
        Hostile::Bytes(text.into_bytes())
    }
}

impl From<Vec<u8>> for Hostile {
    fn from(bytes: Vec<u8>) -> Hostile {
        Hostile::Bytes(bytes)
    }
}

/// The scene.
pub struct Yard {
    pub lab: Lab,
    pub web: Guest,
    pub db: Guest,
    /// A plan for both guests as they are now.
    pub plan: String,
    guests: Vec<Listing>,
    outside: Outside,
}

/// Everything beside guests and base: what it is, and how many names each file has.
#[derive(Debug, PartialEq, Eq)]
struct Outside {
    canary: Listing,
    names: Vec<u64>,
    beside: Vec<PathBuf>,
}

impl Yard {
    pub fn new(lab: Lab) -> Yard {
        let latin = OsStr::from_bytes(b"/usr/caf\xe9");
        let [web, db] = ["web", "db"].map(|name| {
            let guest = lab.guest(name);
            for (n, path) in ["/usr/a", "/usr/b", "/usr/c"].into_iter().enumerate() {
                guest.put(path, &File::new(content(n)));
            }
            guest.put("/usr/two", &File::new(content("two")));
            guest.hard_link("/usr/two", "/usr/two.more");
            guest.put(latin, &File::new(content("latin")));
            guest.put("/etc/passwd", &File::new(content("passwd")));
            guest.put("/usr/own", &File::new(content(guest.name())));
            guest.put("/usr/like-a", &File::new(content(0)).mode(0o600));
            guest.symlink("a", "/usr/link");
            guest.symlink("../../canary", "/usr/out");
            guest.fifo("/usr/lost/fifo");
            guest.dir("/usr/empty");
            guest.dir("/usr/\u{1b}[31m");
            guest
        });
        furnish_canary(&lab.guests().join("canary"));
        rustix::fs::mknodat(
            rustix::fs::CWD,
            lab.path("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        std::os::unix::fs::symlink(db.root(), lab.path("link-to-db")).unwrap();
        let guests = listings(&[&web, &db]);
        let outside = Outside::of(&lab);
        let mut yard = Yard {
            lab,
            web,
            db,
            plan: String::new(),
            guests,
            outside,
        };
        yard.plan_anew();
        yard
    }

    /// The path of a thing beside the guests, as text.
    pub fn canary(&self, name: &str) -> String {
        let path = self.lab.guests().join("canary").join(name);
        path.into_os_string().into_string().unwrap()
    }

    /// Gives the plan to `apply`; fails if it brings about anything that no plan may.
    #[track_caller]
    pub fn apply(&self, name: &str, hostile: &Hostile, options: &[&str]) -> Out {
        let path = match hostile {
            Hostile::At(path) => path.clone(),
            Hostile::Bytes(bytes) => {
                let path = self.lab.path("hostile.json");
                std::fs::write(&path, bytes).unwrap();
                path
            }
        };
        let out = apply(&path, options);
        let how = format!("{name} {options:?}: {} {}", out.code, out.stderr);
        assert!(out.code >= 0 && out.code != 137, "it hangs: {how}");
        assert_ne!(out.code, 101, "it panics: {how}");
        for text in [&out.stdout, &out.stderr] {
            let raw = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(raw, None, "a raw control character is printed: {how}");
        }
        unchanged(&[&self.web, &self.db], &self.guests, &how);
        assert_eq!(Outside::of(&self.lab), self.outside, "{how}");
        out
    }

    /// Undoes what a plan that was executed did, and plans again, because change times changed.
    #[track_caller]
    pub fn reset(&mut self) {
        for base in self.bases() {
            let on_base = |command| [command, "--base", base.to_str().unwrap()];
            unify(&[&on_base("undo")[..], &["--run", "all", "--yes"]].concat()).expect(0);
            unify(&on_base("gc")).expect(0);
            if base != self.lab.base() {
                std::fs::remove_dir_all(&base).unwrap();
            }
        }
        assert_eq!(self.lab.objects(), Vec::<PathBuf>::new());
        unchanged(&[&self.web, &self.db], &self.guests, "after undo");
        self.plan_anew();
    }

    /// The base, and those beside it that a plan was allowed to name.
    fn bases(&self) -> Vec<PathBuf> {
        let beside = std::fs::read_dir(self.lab.guests()).unwrap();
        let beside = beside.map(|entry| entry.unwrap().path());
        beside.filter(|path| is_base(path)).collect()
    }

    fn plan_anew(&mut self) {
        let planned = self.lab.plan(&[&self.web, &self.db], &[]);
        self.plan = std::fs::read_to_string(&planned.path).unwrap();
        std::fs::remove_file(&planned.path).unwrap();
    }
}

/// The same file as one of the guests', and other things that a plan could try to draw in.
fn furnish_canary(top: &Path) {
    std::fs::create_dir_all(top.join("sub")).unwrap();
    for name in ["a", "sub/b", "shadow"] {
        std::fs::write(top.join(name), content(0)).unwrap();
    }
    let time = std::time::UNIX_EPOCH + std::time::Duration::new(1_700_000_000, 123_456_789);
    let same = std::fs::File::options().write(true).open(top.join("a"));
    same.unwrap().set_modified(time).unwrap();
    std::fs::hard_link(top.join("shadow"), top.join("shadow.more")).unwrap();
}

impl Outside {
    fn of(lab: &Lab) -> Outside {
        let top = lab.guests().join("canary");
        let names = ["a", "sub/b", "shadow"].map(|name| nlink(&top.join(name)));
        let mut beside: Vec<PathBuf> = [lab.guests(), lab.path("")]
            .iter()
            .flat_map(|dir| std::fs::read_dir(dir).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| !is_base(path) && path.extension().is_none_or(|e| e != "json"))
            .collect();
        beside.sort();
        Outside {
            canary: Listing::of(&top),
            names: names.to_vec(),
            beside,
        }
    }
}

fn is_base(path: &Path) -> bool {
    path.join("format").exists()
}

fn apply(plan: &Path, options: &[&str]) -> Out {
    let out = Command::new("timeout")
        .args(["--signal=KILL", PATIENCE, BIN, "apply", "--yes"])
        .args(options)
        .arg(plan)
        .current_dir("/")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .expect("`timeout` of coreutils runs the program");
    Out {
        args: format!("apply --yes {options:?} {}", plan.display()),
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}
