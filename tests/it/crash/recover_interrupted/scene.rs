//! Three guests that share files, and what an interrupted run, a disk or a person left in their base.

use std::path::PathBuf;
use std::process::Command;

use unify::internals::{Record, encode};

use crate::support::{
    File, Guest, Lab, Listing, Out, assert_same, content, id, is_immutable, nlink, unify_with,
};

/// What an interrupted run, a disk or a person left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Names of objects in staging, below a journal that is whole and does not know of them.
    Stray,
    /// The same, and the flags are off: an earlier program was killed as it healed.
    StrayUnflagged,
    /// An apply in the middle of its exchanges.
    Apply,
    /// The same, and the journal is gone.
    ApplyWithoutJournal,
    /// The same, and its last line is torn.
    ApplyWithTornJournal,
    /// The same, and nothing but its first line is left.
    ApplyWithCutJournal,
    /// An apply that was killed with its flags on again, before its commit.
    ApplyFlagged,
    /// An undo that has begun to drop.
    Undo,
    /// The same, and the journal is gone.
    UndoWithoutJournal,
    /// The same, and the journal says that it is over.
    UndoHalfDone,
    /// An undo that is about to set its flags again.
    UndoUnflagged,
}

/// Three guests with two files, of which one has two names; all of them hold names of the objects in the end, or two.
pub struct Scene {
    pub lab: Lab,
    guests: [Guest; 3],
    before: Vec<Listing>,
}

impl Scene {
    /// The guests, before anything is shared.
    pub fn bare(lab: &Lab) -> Scene {
        let lab = lab.part("case");
        let guests = ["a", "b", "c"].map(|name| lab.guest(name));
        for guest in &guests {
            guest.put("/usr/share/one", &File::new(content("one")));
            guest.put("/usr/lib/two", &File::new(content("two")));
            guest.hard_link("/usr/lib/two", "/usr/lib/names");
        }
        let mut scene = Scene {
            lab,
            guests,
            before: Vec::new(),
        };
        scene.before = scene.listings();
        scene
    }

    pub fn new(lab: &Lab) -> Scene {
        let scene = Scene::bare(lab);
        scene.unify(&[], &scene.apply(2, "copy")).expect(0);
        scene
    }

    fn listings(&self) -> Vec<Listing> {
        let listing = |guest: &Guest| Listing::of(guest.root()).without_directory_times();
        self.guests.iter().map(listing).collect()
    }

    pub fn apply(&self, guests: usize, objects: &str) -> Vec<String> {
        let guests: Vec<&Guest> = self.guests[..guests].iter().collect();
        let plan = self.lab.plan(&guests, &["--objects", objects]);
        words(&["apply", "--yes", plan.path.to_str().unwrap()])
    }

    pub fn on_base(&self, args: &[&str]) -> Vec<String> {
        let base = self.lab.base();
        words(&[args, &["--base", base.to_str().unwrap()]].concat())
    }

    fn undo(&self) -> Vec<String> {
        self.on_base(&["undo", "--run", "all", "--yes", "--guest", "c"])
    }

    pub fn unify(&self, env: &[(&str, &str)], args: &[String]) -> Out {
        unify_with(env, args)
    }

    /// Runs a command and kills it there.
    pub fn killed(&self, at: &str, args: &[String]) {
        let out = self.unify(&[("UNIFY_FAULT", &format!("{at}=kill"))], args);
        assert_ne!(out.code, 0, "{at} was not reached");
    }

    /// The same, while a command runs in the middle of it.
    pub fn killed_while(&self, act: &str, call: usize, args: &[String]) {
        let fault = format!("{act}\n{call}=kill");
        let out = self.unify(&[("UNIFY_FAULT", &fault)], args);
        assert_ne!(out.code, 0, "{call} was not reached");
    }

    /// The newest run, and its journal.
    fn run(&self) -> (String, PathBuf) {
        let runs = std::fs::read_dir(self.lab.base().join("runs")).unwrap();
        let names = runs.map(|run| run.unwrap().file_name().into_string().unwrap());
        let number = |name: &String| name.rsplit('-').next().map(str::to_owned);
        let newest = names.max_by_key(number).unwrap();
        let journal = self.lab.base().join("runs").join(&newest).join("journal");
        (newest, journal)
    }

    /// Gives every object a name in the staging directory of the newest run.
    pub fn stray(&self, flags: &str) {
        let staging = self.lab.base().join("staging").join(self.run().0);
        std::fs::create_dir_all(&staging).unwrap();
        for (number, object) in self.lab.objects().iter().enumerate() {
            chattr("-i", object);
            std::fs::hard_link(object, staging.join((number + 100).to_string())).unwrap();
            chattr(flags, object);
        }
    }

    pub fn make(&self, state: State) {
        use State::{
            Apply, ApplyFlagged, ApplyWithCutJournal, ApplyWithTornJournal, ApplyWithoutJournal,
            Stray, StrayUnflagged, Undo, UndoHalfDone, UndoUnflagged, UndoWithoutJournal,
        };
        match state {
            Stray | StrayUnflagged => {}
            Apply | ApplyWithoutJournal | ApplyWithTornJournal | ApplyWithCutJournal => {
                self.killed("exchange#2", &self.apply(3, "copy"));
            }
            ApplyFlagged => self.killed("syncfs#2", &self.apply(3, "copy")),
            Undo | UndoWithoutJournal | UndoHalfDone | UndoUnflagged => {
                self.unify(&[], &self.apply(3, "copy")).expect(0);
                let at = if state == UndoUnflagged {
                    "setflags#3"
                } else {
                    "unlink#2"
                };
                self.killed(at, &self.undo());
            }
        }
        let (_, journal) = self.run();
        let text = std::fs::read(&journal).unwrap();
        let end = text.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        match state {
            Stray => self.stray("+i"),
            StrayUnflagged => self.stray("-i"),
            ApplyWithoutJournal | UndoWithoutJournal => std::fs::remove_file(&journal).unwrap(),
            ApplyWithTornJournal => std::fs::write(&journal, &text[..text.len() - 9]).unwrap(),
            ApplyWithCutJournal => std::fs::write(&journal, &text[..end]).unwrap(),
            UndoHalfDone => {
                let done = encode(&Record::Done { upto: 1 << 40 });
                std::fs::write(&journal, [text, done].concat()).unwrap();
            }
            Apply | ApplyFlagged | Undo | UndoUnflagged => {}
        }
    }

    /// What holds once a recovery has come to its end.
    pub fn judge(&self, what: &str) {
        self.judge_sharing(what, 2);
        let [one, other] = [0, 1].map(|at| id(&self.guests[at].host("/usr/share/one")));
        assert_eq!(one, other, "{what}");
    }

    pub fn judge_sharing(&self, what: &str, objects: usize) {
        for (before, after) in self.before.iter().zip(self.listings()) {
            assert_same(before, &after, what);
        }
        assert_eq!(self.lab.staged(), Vec::<PathBuf>::new(), "{what}: staging");
        let shared = self
            .lab
            .objects()
            .into_iter()
            .filter(|object| nlink(object) > 1);
        let shared: Vec<PathBuf> = shared.collect();
        assert_eq!(shared.len(), objects, "{what}: {shared:?}");
        for object in shared {
            assert!(
                is_immutable(&object),
                "{what}: {object:?} is shared and not flagged"
            );
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn chattr(flags: &str, object: &std::path::Path) {
    let changed = Command::new("chattr").arg(flags).arg(object).status();
    assert!(changed.unwrap().success());
}
