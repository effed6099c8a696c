//! What `recover --restored` found: which guests are here, and what is not accounted for.

use std::io::{self, Write};

use crate::model::{Escaped, TakenOver};
use crate::report::layout::size::{count, counted};
use crate::report::layout::table::{Column, TextTable};
use crate::report::words::sentence::safe;

/// So many guests are shown; `--json` has all.
const SHOWN: usize = 20;

/// For people; how much was protected again is said already.
pub fn text(taken: &TakenOver, set_again: &str, out: &mut dyn Write) -> io::Result<()> {
    if taken.settled {
        writeln!(out, "Taken over: the base is at home here from now on.")?;
    }
    let guests = counted(taken.guests.len() as u64, "guest");
    writeln!(out, "Found {guests} by the names that refer to objects:")?;
    let mut table = TextTable::new(&[
        ("guest", Column::Name),
        ("shared names", Column::Number),
        ("new to the base", Column::Number),
        ("root", Column::Words),
    ]);
    for guest in taken.guests.iter().take(SHOWN) {
        table.row([
            guest.name.to_string(),
            count(guest.names),
            count(guest.learned),
            Escaped::of(&guest.root).to_string(),
        ]);
    }
    table.text(out)?;
    more(taken.guests.len(), out)?;
    if taken.guests.iter().any(|guest| guest.learned > 0) {
        writeln!(
            out,
            "  of names that are new it is not known which were names of one file, nor their own times: an undo makes each a file of its own, with the time of the shared one"
        )?;
    }
    writeln!(out, "{set_again}")?;
    not_found(taken, out)?;
    for cgroup in &taken.frozen {
        let shown = safe(cgroup);
        writeln!(
            out,
            "FORGOTTEN: a run had frozen cgroup {shown} where the base was made; look whether it stands still"
        )?;
    }
    Ok(())
}

fn not_found(taken: &TakenOver, out: &mut dyn Write) -> io::Result<()> {
    for guest in &taken.guests {
        if guest.unread > 0 {
            let unread = counted(guest.unread, "name");
            writeln!(out, "UNREAD: {}: {unread} could not be read", guest.name)?;
        }
    }
    for lost in taken.lost.iter().take(SHOWN) {
        let root = Escaped::of(&lost.root);
        writeln!(
            out,
            "NOT FOUND: {}, last at {root}: give {}=PATH if it is here",
            lost.name, lost.name
        )?;
    }
    more(taken.lost.len(), out)?;
    if taken.unknown_names > 0 {
        let (names, objects) = (
            counted(taken.unknown_names, "name"),
            counted(taken.unknown_objects, "object"),
        );
        writeln!(
            out,
            "UNKNOWN: {names} of {objects} in no guest that was found: give each guest that may hold them as NAME=PATH; until then these objects stay protected, and undo refuses what shares them"
        )?;
    }
    Ok(())
}

fn more(all: usize, out: &mut dyn Write) -> io::Result<()> {
    match all.saturating_sub(SHOWN) as u64 {
        0 => Ok(()),
        more => writeln!(out, "  and {} more: see --json", count(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ReceiptGuest, TakenGuest};
    use crate::report::samples::{HOSTILE, assert_tame, guest, written};

    fn sample() -> TakenOver {
        TakenOver {
            settled: true,
            frozen: Vec::new(),
            guests: vec![TakenGuest {
                name: guest("web1"),
                root: "/restore/web1".into(),
                names: 1200,
                learned: 2,
                unread: 0,
            }],
            lost: Vec::new(),
            unknown_objects: 0,
            unknown_names: 0,
        }
    }

    #[test]
    fn what_was_found_and_what_was_not() {
        let want = "Taken over: the base is at home here from now on.
Found 1 guest by the names that refer to objects:
  guest  shared names  new to the base  root
  web1          1,200                2  /restore/web1
  of names that are new it is not known which were names of one file, nor their own times: an undo makes each a file of its own, with the time of the shared one
10 flags set again
";
        assert_eq!(
            written(|out| text(&sample(), "10 flags set again", out)),
            want
        );
        let mut part = sample();
        part.unknown_objects = 1;
        part.unknown_names = 2;
        part.frozen = vec![HOSTILE.into()];
        part.guests[0].root = HOSTILE.into();
        part.guests[0].unread = 1;
        part.lost = vec![ReceiptGuest {
            name: guest("db"),
            root: HOSTILE.into(),
        }];
        let said = written(|out| text(&part, "0 flags set again", out));
        assert_tame(&said);
        for word in [
            "UNREAD: web1",
            "NOT FOUND: db",
            "UNKNOWN: 2 names of 1 object ",
            "FORGOTTEN",
        ] {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
}
