//! Names that a guest made itself: it moved a directory, or linked a file anew. They are found without a search,
//! however many names the guest has.

use std::path::PathBuf;

use super::OPEN;
use crate::support::{Disk, File, Guest, Kernel, Lab, content, id, nlink, unify};

const FILES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Two guests that share files, and a daemon whose calls are counted.
struct Counted {
    web: Guest,
    db: Guest,
    kernel: Kernel,
    trace: PathBuf,
    /// Where the other guest has what is shared.
    theirs: &'static str,
}

impl Counted {
    fn of(lab: &Lab) -> Counted {
        let [web, db] = ["web", "db"].map(|name| {
            let guest = lab.guest(name);
            for (at, file) in FILES.into_iter().enumerate() {
                guest.put(format!("/usr/lib/x/{file}"), &File::new(content(at)));
            }
            guest.hard_link("/usr/lib/x/a", "/usr/lib/x/a2");
            guest.dir("/usr/other");
            guest.hard_link("/usr/lib/x/a", "/usr/other/a3");
            guest
        });
        lab.plan(&[&web, &db], &OPEN).apply().expect(0);
        let trace = lab.path("trace");
        let env = [("UNIFY_FAULT_TRACE", trace.to_str().unwrap())];
        let kernel = Kernel::start(lab, &env, &[]);
        Counted {
            web,
            db,
            kernel,
            trace,
            theirs: "/usr/lib/x",
        }
    }

    /// A search makes a view of its guest.
    fn searches(&self) -> usize {
        let all = std::fs::read_to_string(&self.trace).unwrap();
        all.lines().filter(|call| *call == "view").count()
    }

    /// The guest writes by the first of these names, which are all that its file has: they stay one file.
    #[track_caller]
    fn writes(&mut self, names: &[&str]) {
        let place = self.theirs;
        let theirs = |db: &Guest| FILES.map(|file| db.read(format!("{place}/{file}")));
        let before = theirs(&self.db);
        let files: Vec<PathBuf> = names.iter().map(|name| self.web.host(name)).collect();
        self.kernel.write(&files[0], b"more");
        for file in &files {
            assert_eq!(id(file), id(&files[0]), "{}", self.kernel.said());
        }
        assert_eq!(nlink(&files[0]), names.len() as u64);
        assert!(theirs(&self.db) == before, "the other guest's have changed");
    }
}

fn rename(guest: &Guest, old: &str, new: &str) {
    std::fs::rename(guest.host(old), guest.host(new)).unwrap();
}

fn link(guest: &Guest, old: &str, new: &str) {
    std::fs::hard_link(guest.host(old), guest.host(new)).unwrap();
}

fn own_names(disk: Disk) {
    armed!();
    let lab = lab!(disk);
    let mut both = Counted::of(&lab);
    // A directory above was moved: of the names that lay there, one is written to, and one is beside it.
    rename(&both.web, "/usr/lib", "/usr/moved");
    both.writes(&["/usr/moved/x/a", "/usr/moved/x/a2", "/usr/other/a3"]);
    // What was learned leads to the next, and a name that is new besides is beside it or is the one that is written to.
    link(&both.web, "/usr/moved/x/b", "/usr/moved/x/b-too");
    both.writes(&["/usr/moved/x/b", "/usr/moved/x/b-too"]);
    link(&both.web, "/usr/moved/x/c", "/far");
    both.writes(&["/far", "/usr/moved/x/c"]);
    // Moved, and renamed.
    rename(&both.web, "/usr/moved/x/d", "/usr/other/of-another-name");
    both.writes(&["/usr/other/of-another-name"]);
    assert_eq!(both.searches(), 0, "it was searched");
    // The other guest has moved what is the same there, and has one more name: that is nothing to this one, which is
    // searched once, and the other one is not.
    rename(&both.db, "/usr/lib", "/usr/lib2");
    both.theirs = "/usr/lib2/x";
    std::fs::hard_link(both.db.host("/usr/lib2/x/e"), lab.path("of-no-guest")).unwrap();
    both.writes(&["/usr/moved/x/e"]);
    assert_eq!(both.searches(), 1);
    both.kernel.settled(&lab);
    let said = both.kernel.said();
    assert!(!said.contains("denied"), "{said}");
    assert_eq!(both.kernel.end(), Some(0));
}

#[test]
fn a_guest_s_own_names_need_no_search_on_ext4() {
    own_names(Disk::Ext4);
}

#[test]
fn a_guest_s_own_names_need_no_search_on_xfs() {
    own_names(Disk::Xfs);
}

/// A root that the record knows under two names of a guest is one guest, and its names are counted once.
#[test]
fn a_root_under_two_names_is_one_guest() {
    armed!();
    let lab = lab!(Disk::Ext4);
    let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
    lab.plan(&[&web, &db], &OPEN).apply().expect(0);
    // Replaced by what is equal, it is shared again, and recorded under the other name.
    web.put("/usr/new", &File::new(content(1)));
    rename(&web, "/usr/new", "/usr/f");
    let alias = format!("alias={}", web.root().display());
    let (base, plan) = (lab.base(), lab.path("alias.json"));
    let base = ["plan", "--base", base.to_str().unwrap()];
    let guests = ["-o", plan.to_str().unwrap(), &alias, &db.arg()];
    unify(&[&base[..], &OPEN, &guests].concat()).expect(0);
    unify(&["apply", "--yes", plan.to_str().unwrap()]).expect(0);
    assert_eq!(
        (id(&web.host("/usr/f")), nlink(&web.host("/usr/f"))),
        (id(&db.host("/usr/f")), 3)
    );
    let mut kernel = Kernel::start(&lab, &[], &[]);
    // Counted twice, the names would be as many as there are, and this one would be left on what is shared.
    web.dir("/far");
    link(&web, "/usr/f", "/far/h");
    kernel.write(&web.host("/usr/f"), b"more");
    let [f, far] = ["/usr/f", "/far/h"].map(|name| id(&web.host(name)));
    assert_eq!(f, far, "{}", kernel.said());
    assert_eq!(db.read("/usr/f"), content(1));
    assert_eq!(kernel.end(), Some(0));
}
