//! What is odd about roots, as lines of a report: guests of which the same is said share one.

use std::path::Path;

use super::list::some;
use super::sentence::safe;
use crate::model::{Escaped, Header, PlannedGuest, RootNote};
use crate::report::layout::shell::shell_word;
use crate::report::layout::size::{count, counted};

/// Guests that one line names, and lines about one kind of oddity.
const MOST_NAMES: usize = 8;
const MOST_LINES: usize = 20;

/// What is said of some guests, after their names.
#[derive(PartialEq, Eq)]
struct Oddity {
    /// In capitals.
    heading: &'static str,
    says: String,
}

/// A line for each oddity, in the order of the plan.
pub fn warnings(guests: &[PlannedGuest], header: &Header) -> Vec<String> {
    let mut said: Vec<(Oddity, Vec<String>)> = Vec::new();
    for guest in guests {
        for note in &guest.noticed {
            let oddity = oddity(note, guest, header);
            let name = guest.name.to_string();
            match said.iter_mut().find(|(known, _)| *known == oddity) {
                Some((_, names)) => names.push(name),
                None => said.push((oddity, vec![name])),
            }
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for (at, (oddity, names)) in said.iter().enumerate() {
        let same = |(other, _): &&(Oddity, Vec<String>)| other.heading == oddity.heading;
        match said[..at].iter().filter(same).count() {
            ..MOST_LINES => {
                let names = some(names, MOST_NAMES);
                lines.push(format!("{}: {names}: {}", oddity.heading, oddity.says));
            }
            MOST_LINES => {
                let all = said.iter().filter(same).count();
                let more = counted((all - MOST_LINES) as u64, "more line");
                lines.push(format!(
                    "{}: and {more}, see the plan's guests",
                    oddity.heading
                ));
            }
            _ => {}
        }
    }
    lines
}

fn oddity(note: &RootNote, guest: &PlannedGuest, header: &Header) -> Oddity {
    let (heading, says) = match note {
        RootNote::NotARoot { likely } => ("NOT A ROOT", not_a_root(likely)),
        RootNote::NoFiles {} => (
            "EMPTY",
            "there is not one file in it; make sure that the path is right, and that what belongs there is mounted".into(),
        ),
        RootNote::NoPackageDatabase { had } => ("NO DATABASE", no_database(had)),
        RootNote::HalfDeleted { had_files, shared_files } => {
            let (shared, had) = (counted(*shared_files, "shared file"), count(*had_files));
            // Only a base tells that a guest was more than this, and an audit has none.
            let base = header.target.as_ref();
            let base = base.map_or(String::new(), |target| shell_word(&target.base.path));
            let name = shell_word(Path::new(guest.name.as_str()));
            let says = format!(
                "{shared} left of {had}, no etc/ and no package database: it looks like what `rm -rf` leaves of a guest. `unify forget --base {base} {name}` lets go of them, and then it can be removed"
            );
            ("HALF DELETED", says)
        }
        RootNote::OtherName { known_as } => (
            "OTHER NAME",
            format!("the base knows this root as {known_as}, and holds names of it so: undo and status would take the two for two guests; plan it as {known_as}=PATH"),
        ),
        RootNote::NameTaken { root } => (
            "NAME TAKEN",
            format!("the base knows another guest of this name, at {}, which holds names: apply will refuse this plan; give this one another name with NAME=PATH", Escaped::of(root)),
        ),
        RootNote::ContainerStore { manager } => (
            "CONTAINER STORE",
            format!("it lies in the store of {}, whose images and containers have these files in common, and whose tools fail where a file is immutable", safe(manager)),
        ),
        RootNote::OverlayLayer {} => (
            "OVERLAY LAYER",
            "it is a layer of an overlay: what is mounted from it shares what is linked here".into(),
        ),
        RootNote::OnOverlay {} => (
            "ON AN OVERLAY",
            "what is linked lies in its upper layer then, and what lies in lower ones takes up what it did".into(),
        ),
        RootNote::InUse { why } => (
            "IN USE",
            format!("{}; apply refuses its links until that ends", safe(why)),
        ),
    };
    Oddity { heading, says }
}

fn not_a_root(likely: &[String]) -> String {
    let keeps = "rules about paths such as /etc keep nothing private in it";
    match likely {
        [] => format!("it has no usr/, bin/ or etc/: {keeps}; make sure that the path is right"),
        likely => {
            let likely: Vec<String> = likely.iter().map(|path| safe(path)).collect();
            let likely = some(&likely, MOST_NAMES);
            format!(
                "it does not look like the root of a guest, and in it these do: {likely}. {keeps}"
            )
        }
    }
}

fn no_database(had: &[String]) -> String {
    let keeps = "only care rules and patterns keep its config files";
    match had {
        [] => format!("no package database was found, so {keeps}"),
        had => {
            let had: Vec<String> = had.iter().map(|manager| safe(manager)).collect();
            format!(
                "the package database that it had when it was last applied ({}) is gone, so {keeps}",
                had.join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{HOSTILE, Sample, assert_tame};

    fn guest(name: &str, noticed: Vec<RootNote>) -> PlannedGuest {
        PlannedGuest {
            name: crate::report::samples::guest(name),
            noticed,
            ..Sample::small().guests[0].clone()
        }
    }

    fn told(guests: &[PlannedGuest]) -> Vec<String> {
        warnings(guests, &Sample::small().header)
    }

    #[test]
    fn guests_of_which_the_same_is_said_share_a_line() {
        let none = || vec![RootNote::NoPackageDatabase { had: Vec::new() }];
        let guests = [
            guest("a", none()),
            guest("b", vec![RootNote::NoFiles {}]),
            guest("c", none()),
        ];
        let want = [
            "NO DATABASE: a, c: no package database was found, so only care rules and patterns keep its config files",
            "EMPTY: b: there is not one file in it; make sure that the path is right, and that what belongs there is mounted",
        ];
        assert_eq!(told(&guests), want);
        assert_eq!(told(&[guest("a", Vec::new())]), [""; 0]);
    }

    #[test]
    fn a_wreck_is_told_with_the_way_out() {
        let left = RootNote::HalfDeleted {
            had_files: 9_037,
            shared_files: 3_390,
        };
        let want = "HALF DELETED: a: 3,390 shared files left of 9,037, no etc/ and no package database: it looks like what `rm -rf` leaves of a guest. `unify forget --base /srv/guests/.unify a` lets go of them, and then it can be removed";
        assert_eq!(told(&[guest("a", vec![left])]), [want]);
    }

    #[test]
    fn many_lines_are_counted() {
        let note = |n: u32| RootNote::NameTaken {
            root: format!("/srv/{n}").into(),
        };
        let guests: Vec<_> = (0..30)
            .map(|n| guest(&format!("g{n}"), vec![note(n)]))
            .collect();
        let lines = told(&guests);
        assert_eq!(lines.len(), MOST_LINES + 1);
        assert_eq!(
            lines[MOST_LINES],
            "NAME TAKEN: and 10 more lines, see the plan's guests"
        );
    }

    #[test]
    fn nothing_hostile_comes_through() {
        let text = || HOSTILE.to_owned();
        let notes = vec![
            RootNote::NotARoot {
                likely: vec![text()],
            },
            RootNote::NoPackageDatabase { had: vec![text()] },
            RootNote::NameTaken {
                root: HOSTILE.into(),
            },
            RootNote::ContainerStore { manager: text() },
            RootNote::InUse { why: text() },
        ];
        told(&[guest("a", notes)])
            .iter()
            .for_each(|line| assert_tame(line));
    }
}
