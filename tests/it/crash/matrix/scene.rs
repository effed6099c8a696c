//! A small but complete scene: objects that are copied and adopted, attributes, a file of two names, an object that
//! is full and is followed by the next, an inode that two guests share before any run, a third guest that joins flagged
//! objects.

use std::path::PathBuf;

use crate::support::{File, Guest, Lab, Listing, Out, Planned, content, unify_with};

/// An inode may have so few names here: the file of two names in a second guest does not fit any more.
const LIMIT: (&str, &str) = ("UNIFY_MAX_LINKS", "4");

/// A command that is interrupted, and what was done before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// `apply` of two guests, into no base.
    First,
    /// `apply` with a third guest, whose names join flagged objects.
    More,
    /// `undo` of everything.
    Undo,
    /// `gc` of all objects.
    Gc,
    /// `recover` of an `apply` that was killed before its commit.
    RecoverApply,
    /// `recover` of an `undo` that was killed as it dropped.
    RecoverUndo,
}

impl Phase {
    pub const ALL: &[Phase] = &[
        Phase::First,
        Phase::More,
        Phase::Undo,
        Phase::Gc,
        Phase::RecoverApply,
        Phase::RecoverUndo,
    ];
}

/// Three guests, as they shall stay.
pub struct Scene {
    pub lab: Lab,
    pub guests: [Guest; 3],
    pub before: Vec<Listing>,
    options: &'static [&'static str],
}

impl Scene {
    /// Fresh guests, in a part of `lab`.
    pub fn new(lab: &Lab, name: &str, options: &'static [&'static str]) -> Scene {
        let lab = lab.part(name);
        let guests = ["a", "b", "c"].map(|name| lab.guest(name));
        for guest in &guests {
            let one = File::new(content("one")).xattr("user.kept", b"yes");
            guest.put("/usr/share/one", &one.mode(0o755).owner(7, 8));
            guest.put("/usr/lib/two", &File::new(content("two")));
            guest.hard_link("/usr/lib/two", "/usr/lib/names");
            guest.put("/usr/own", &File::new(content(guest.name())));
        }
        let [a, b, c] = &guests;
        for guest in [a, c] {
            guest.put("/usr/lib/shared", &File::new(content("shared")));
        }
        let [from, to] = [a, b].map(|guest| guest.host("/usr/lib/shared"));
        std::fs::hard_link(from, to).unwrap();
        let mut scene = Scene {
            lab,
            guests,
            before: Vec::new(),
            options,
        };
        scene.before = scene.listings();
        scene
    }

    pub fn listings(&self) -> Vec<Listing> {
        let listing = |guest: &Guest| Listing::of(guest.root()).without_directory_times();
        self.guests.iter().map(listing).collect()
    }

    /// Runs a command on the scene.
    pub fn unify(&self, env: &[(&str, &str)], command: &Command) -> Out {
        let env = [&[LIMIT][..], env].concat();
        unify_with(&env, &self.args(command))
    }

    pub fn args(&self, command: &Command) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let base = self.lab.base().to_str().unwrap().to_owned();
        match command {
            Command::Apply(plan) => {
                let mut args = words(&["apply", "--yes"]);
                args.push(plan.to_str().unwrap().to_owned());
                args
            }
            Command::Undo => words(&["undo", "--run", "all", "--yes", "--base", &base]),
            Command::Gc => words(&["gc", "--base", &base]),
            Command::Recover => words(&["recover", "--base", &base]),
        }
    }

    /// A plan of the first `count` guests.
    pub fn plan(&self, count: usize) -> Planned {
        let guests: Vec<&Guest> = self.guests[..count].iter().collect();
        self.lab.plan(&guests, self.options)
    }

    /// Does what comes before the command of this phase, and gives that command. A killed command is killed at call
    /// `cut` of it.
    pub fn begin(&self, phase: Phase, cut: u64) -> Command {
        let kill = format!("{cut}=kill");
        let killed = |command: &Command| drop(self.unify(&[("UNIFY_FAULT", &kill)], command));
        let done = |command: &Command| drop(self.unify(&[], command).expect(0));
        let apply = |count| Command::Apply(self.plan(count).path);
        if phase == Phase::First {
            return apply(2);
        }
        done(&apply(2));
        match phase {
            Phase::First | Phase::More => return apply(3),
            Phase::RecoverApply => killed(&apply(3)),
            Phase::Undo | Phase::RecoverUndo => done(&apply(3)),
            Phase::Gc => done(&Command::Undo),
        }
        match phase {
            Phase::First | Phase::More | Phase::RecoverApply => Command::Recover,
            Phase::Undo => Command::Undo,
            Phase::Gc => Command::Gc,
            Phase::RecoverUndo => {
                killed(&Command::Undo);
                Command::Recover
            }
        }
    }
}

/// A command that changes something.
pub enum Command {
    Apply(PathBuf),
    Undo,
    Gc,
    Recover,
}
