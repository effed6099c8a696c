//! A base remembers the contents that a plan has read. `plan` does not believe this where it may be wrong, and does
//! without it where it is damaged or gone.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Disk, File, Guest, Lab, Planned, content, unify_with};

/// Two guests with a base: one pair is shared already, another has come since, and some files only look alike.
struct Scene {
    lab: Lab,
    guests: [Guest; 2],
}

impl Scene {
    fn new() -> Option<Scene> {
        let lab = Lab::on(Disk::Own)
            .map_err(|why| crate::support::skipped("deciding::digest_cache", &why))
            .ok()?;
        let guests = lab.twins(&[("/usr/shared", File::new(content("shared")))]);
        let scene = Scene { lab, guests };
        scene.plan(&[]).apply().expect(0);
        for ((guest, seed), later) in scene.guests.iter().zip(["one", "two"]).zip(0..) {
            guest.put("/usr/twin", &File::new(content("twin")));
            guest.put("/usr/alike", &File::new(content(seed)));
            // Of one size, with other times: near misses, which are read as well.
            let near = File::new(content("near")).mtime(1_700_000_000 + later, 0);
            guest.put("/usr/near", &near);
        }
        // Younger files are not remembered.
        std::thread::sleep(Duration::from_secs(4));
        Some(scene)
    }

    fn plan(&self, options: &[&str]) -> Planned {
        self.lab.plan(&[&self.guests[0], &self.guests[1]], options)
    }

    fn paper(&self) -> PathBuf {
        self.lab.base().join("cache/digests")
    }

    /// How often a file of a guest was read: papers of the base and databases go other ways.
    fn reads(&self, options: &[&str]) -> usize {
        let (trace, plan) = (self.lab.path("trace"), self.lab.path("traced.json"));
        std::fs::remove_file(&trace).ok();
        let base = self.lab.base();
        let guests = self.guests.each_ref().map(Guest::arg);
        let mut args = vec!["plan", "--base", base.to_str().unwrap(), "-o"];
        args.push(plan.to_str().unwrap());
        args.extend(guests.iter().map(String::as_str));
        args.extend(options);
        unify_with(&[("UNIFY_FAULT_TRACE", trace.to_str().unwrap())], &args).expect(0);
        let calls = std::fs::read_to_string(&trace).unwrap();
        calls.lines().filter(|call| *call == "read").count()
    }
}

/// All that a plan says of what would be done: everything but its header.
fn said(plan: &Planned) -> [&Value; 4] {
    ["guests", "actions", "summary", "digest"].map(|key| &plan.json[key])
}

#[test]
fn what_was_read_is_not_read_again() {
    let Some(scene) = Scene::new() else { return };
    let without = scene.plan(&["--no-cache"]);
    let fresh = scene.reads(&["--no-cache"]);
    assert!(!scene.paper().exists(), "--no-cache remembers nothing");
    assert!(fresh > 0, "the trace shows what is read");
    let first = scene.plan(&[]);
    assert!(scene.paper().exists());
    assert_eq!(mode(&scene.paper()), 0o600);
    assert_eq!(mode(scene.paper().parent().unwrap()), 0o700);
    assert_eq!(
        scene.reads(&[]),
        scene.reads(&[]),
        "the second and the third"
    );
    assert_eq!(scene.reads(&[]), 0);
    assert_eq!(scene.reads(&["--no-cache"]), fresh);
    let again = scene.plan(&[]);
    assert!(again.link("web", "/usr/twin").is_some());
    assert!(again.link("web", "/usr/alike").is_none());
    assert_eq!(said(&without), said(&first));
    assert_eq!(said(&without), said(&again));
    again.apply().expect(0);
    again.verify().expect(0);
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o7777
}

/// Size and time are a guest's to choose; ctime is not.
#[test]
fn a_file_that_was_changed_is_read_again() {
    let Some(scene) = Scene::new() else { return };
    scene.plan(&[]);
    let file = scene.guests[0].host("/usr/twin");
    let before = file.metadata().unwrap();
    std::fs::write(&file, vec![b'x'; usize::try_from(before.len()).unwrap()]).unwrap();
    let times = std::fs::FileTimes::new().set_modified(before.modified().unwrap());
    let open = std::fs::File::options().write(true).open(&file).unwrap();
    open.set_times(times).unwrap();
    drop(open);
    let plan = scene.plan(&[]);
    assert!(plan.link("web", "/usr/twin").is_none(), "{plan:?}");
    assert_eq!(said(&plan), said(&scene.plan(&["--no-cache"])));
}

/// An attribute changes ctime, and is judged anew by every plan.
#[test]
fn an_attribute_is_seen() {
    let Some(scene) = Scene::new() else { return };
    scene.plan(&[]);
    let file = scene.guests[0].host("/usr/twin");
    rustix::fs::setxattr(&file, "user.note", b"mine", rustix::fs::XattrFlags::empty()).unwrap();
    assert!(scene.plan(&[]).link("web", "/usr/twin").is_none());
}

#[test]
fn a_damaged_memory_is_none() {
    let Some(scene) = Scene::new() else { return };
    let good = scene.plan(&[]);
    let paper = scene.paper();
    let bytes = std::fs::read(&paper).unwrap();
    let mut flipped = bytes.clone();
    // Within the SHA-256 of the last record.
    let at = bytes.len() - 112 + 60;
    flipped[at] ^= 1;
    let damages: [&[u8]; 4] = [
        &flipped,
        &bytes[..bytes.len() - 1],
        b"",
        b"unify digests 2\n",
    ];
    for damage in damages {
        std::fs::write(&paper, damage).unwrap();
        assert_eq!(said(&scene.plan(&[])), said(&good));
        assert_eq!(std::fs::read(&paper).unwrap(), bytes, "it is made anew");
    }
    std::fs::remove_file(&paper).unwrap();
    std::os::unix::fs::symlink(scene.lab.path("elsewhere"), &paper).unwrap();
    assert_eq!(said(&scene.plan(&[])), said(&good), "behind a link");
    assert!(!scene.lab.path("elsewhere").exists());
}

/// It may change once more within the same tick of the clock.
#[test]
fn a_file_that_is_young_is_not_remembered() {
    let Some(scene) = Scene::new() else { return };
    // Where a plan is slow the files are old when it reads them: that proves nothing.
    let is_proved = (0..10).any(|_| {
        let since = Instant::now();
        for guest in &scene.guests {
            std::fs::remove_file(guest.host("/usr/young")).ok();
            guest.put("/usr/young", &File::new(content("young")));
        }
        scene.plan(&[]);
        let was_young = since.elapsed() < Duration::from_secs(2);
        let is_read = scene.reads(&[]) > 0;
        assert!(is_read || !was_young, "it was remembered");
        was_young
    });
    assert!(is_proved, "every plan took longer than files are young");
}

/// A plan keeps what it read in a base that another run, called off, is taking away: it is taken away or it stays, and
/// is never half a base.
#[test]
fn a_base_that_goes_while_a_plan_writes_in_it_is_gone_or_whole() {
    if !cfg!(feature = "faults") {
        crate::support::skipped(
            "deciding::digest_cache",
            "built without the feature `faults`",
        );
        return;
    }
    let mut met = 0;
    for call in ["list", "unlink", "rmdir", "rename"] {
        for nth in 1..12 {
            let lab = lab!(Disk::Own);
            let [web, db] = lab.twins(&[("/usr/f", File::new(content(1)))]);
            let plan = lab.plan(&[&web, &db], &[]);
            let cache = lab.base().join("cache");
            let write = format!(
                "test -d {0} && (test -d {1} || mkdir {1}) && echo kept > {1}/digests.1.part && touch {2}",
                lab.base().display(),
                cache.display(),
                lab.path("met").display()
            );
            let fault = format!("{call}#{nth}=run:{write}");
            let apply = ["apply", plan.path.to_str().unwrap()];
            // Without a terminal no person can agree.
            unify_with(&[("UNIFY_FAULT", &fault)], &apply).expect(2);
            met += u32::from(lab.path("met").exists());
            let left = std::fs::read_dir(lab.guests()).unwrap();
            let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
            let whole = lab.base().join("format").exists();
            assert!(whole || !lab.base().exists(), "{fault}: {left:?}");
            plan.apply().expect(0);
            let left = std::fs::read_dir(lab.guests()).unwrap();
            assert_eq!(
                left.count(),
                3,
                "{fault}: nothing but two guests and the base"
            );
        }
    }
    assert!(met > 4, "the directory was written in {met} times");
}
