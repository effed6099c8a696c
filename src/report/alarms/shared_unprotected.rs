//! The alarm about files that guests share and that nothing protects: what is so, and what can be done about it.

use crate::model::{Count, GuestName, SharedBy, UnprotectedSharing};

use crate::report::layout::size::{Sizes, counted};
use crate::report::words::sentence::safe;

/// Sets of guests, and guests of one set, that a screen has room for.
const MOST_SETS: usize = 20;
const MOST_GUESTS: usize = 4;

/// Names that a screen has room for.
const MOST_NAMES: usize = 3;

/// The lines, without those that do not apply; none where nothing is shared. From an audit nothing is taken in.
pub fn lines(said: &UnprotectedSharing, is_audit: bool, sizes: Sizes) -> Vec<String> {
    let mut lines = Vec::new();
    let sets = said.guests.iter().take(MOST_SETS);
    lines.extend(sets.map(|by| set(by, sizes)));
    let more = said.guests.len().saturating_sub(MOST_SETS) as u64;
    let more = more.saturating_add(said.more_guests);
    if more > 0 {
        let more = counted(more, "more set");
        lines.push(format!(
            "  and {more} of guests: `summary.unprotected` in the plan has them"
        ));
    }
    if said.taken.files > 0 {
        let taken = amount(said.taken, sizes);
        let by = match is_audit {
            true => "a plan that is applied takes them in, and then they are protected",
            false => {
                "this plan takes them in; apply it, with these guests stopped, and they are protected"
            }
        };
        lines.push(format!("  {taken}: {by}"));
    }
    lines.extend(staying(said, sizes));
    lines.extend(immutable(said, is_audit, sizes));
    lines
}

/// `SHARED WITHOUT PROTECTION: a and b, 12,571 files, 342 MiB: a write in one guest changes the others`.
fn set(by: &SharedBy, sizes: Sizes) -> String {
    let count = Count {
        files: by.files,
        bytes: by.bytes,
    };
    let (guests, files) = (names(&by.guests), amount(count, sizes));
    let whose = match by.guests.len() {
        2 => "the other's",
        _ => "the others'",
    };
    format!("SHARED WITHOUT PROTECTION: {guests}, {files}: a write in one guest changes {whose}")
}

fn names(guests: &[GuestName]) -> String {
    let shown = match guests.len() {
        few if few <= MOST_GUESTS => few,
        _ => MOST_GUESTS - 1,
    };
    let listed: Vec<String> = guests.iter().take(shown).map(ToString::to_string).collect();
    match (guests.len() - shown, listed.split_last()) {
        (0, Some((last, [_, ..]))) => {
            let first = listed[..listed.len() - 1].join(", ");
            format!("{first} and {last}")
        }
        (0, _) => listed.concat(),
        (more, _) => format!("{} and {more} more guests", listed.join(", ")),
    }
}

/// What this plan leaves as it is, and what else can be done.
fn staying(said: &UnprotectedSharing, sizes: Sizes) -> Vec<String> {
    let staying = Count {
        files: said.all.files.saturating_sub(said.taken.files),
        bytes: said.all.bytes.saturating_sub(said.taken.bytes),
    };
    if staying.files == 0 {
        return Vec::new();
    }
    let some: Vec<String> = said
        .staying
        .iter()
        .take(MOST_NAMES)
        .map(|name| safe(name))
        .collect();
    let mut lines = vec![format!(
        "  {} stay shared and unprotected, such as {} (why: unify explain NAME)",
        amount(staying, sizes),
        some.join(", ")
    )];
    if said.outside.files > 0 {
        lines.push(format!(
            "  {} of them have names outside the guests of this plan as well: plan the guests that hold those together with these",
            counted(said.outside.files, "file")
        ));
    }
    lines.push(
        "  to part guests instead of protecting what they share: stop one, and let a whole copy of it take its place (cp -a GUEST COPY)".into(),
    );
    lines
}

fn immutable(said: &UnprotectedSharing, is_audit: bool, sizes: Sizes) -> Option<String> {
    if said.immutable.files == 0 {
        return None;
    }
    let bases: Vec<String> = said.bases.iter().map(|base| safe(base)).collect();
    if is_audit {
        let near = match bases.as_slice() {
            [] => String::new(),
            bases => format!(", maybe {}", bases.join(" or ")),
        };
        return Some(format!(
            "HELD ELSEWHERE: guests share {} that are immutable: a base may hold them already{near}",
            amount(said.immutable, sizes)
        ));
    }
    let whose = if bases.is_empty() {
        "if another base holds them, plan with that one (--base); if it is lost, take the flags off (chattr -i) and plan again".to_owned()
    } else {
        format!(
            "another base may hold them: plan with --base {}",
            bases.join(" or --base ")
        )
    };
    Some(format!(
        "HELD ELSEWHERE: guests share {} that are immutable and no objects of this base; {whose}",
        amount(said.immutable, sizes)
    ))
}

fn amount(count: Count, sizes: Sizes) -> String {
    format!(
        "{}, {}",
        counted(count.files, "file"),
        sizes.of(count.bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::guest;

    fn count(files: u64, bytes: u64) -> Count {
        Count { files, bytes }
    }

    fn by(guests: &[&str], files: u64) -> SharedBy {
        SharedBy {
            guests: guests.iter().map(|name| guest(name)).collect(),
            files,
            bytes: files << 20,
        }
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        assert!(lines(&UnprotectedSharing::default(), false, Sizes::default()).is_empty());
    }

    #[test]
    fn who_shares_what_and_what_becomes_of_it() {
        let said = UnprotectedSharing {
            all: count(1_205, 1_205 << 20),
            taken: count(1_200, 1_200 << 20),
            outside: count(1, 1 << 20),
            guests: vec![by(&["a", "b"], 1_000), by(&["a", "b", "c", "d", "e"], 205)],
            staying: vec!["a:/etc/x".into(), "b:/y\u{1b}".into()],
            ..UnprotectedSharing::default()
        };
        let want = [
            "SHARED WITHOUT PROTECTION: a and b, 1,000 files, 1000 MiB: a write in one guest changes the other's",
            "SHARED WITHOUT PROTECTION: a, b, c and 2 more guests, 205 files, 205 MiB: a write in one guest changes the others'",
            "  1,200 files, 1.17 GiB: this plan takes them in; apply it, with these guests stopped, and they are protected",
            "  5 files, 5.00 MiB stay shared and unprotected, such as a:/etc/x, b:/y\\x1b (why: unify explain NAME)",
            "  1 file of them have names outside the guests of this plan as well: plan the guests that hold those together with these",
            "  to part guests instead of protecting what they share: stop one, and let a whole copy of it take its place (cp -a GUEST COPY)",
        ];
        assert_eq!(lines(&said, false, Sizes::default()), want);
    }

    #[test]
    fn what_another_base_may_hold_is_no_alarm_about_writes() {
        let said = UnprotectedSharing {
            immutable: count(3, 3 << 20),
            bases: vec!["/srv/other/.unify".into()],
            ..UnprotectedSharing::default()
        };
        let want = "HELD ELSEWHERE: guests share 3 files, 3.00 MiB that are immutable and no objects of this base; another base may hold them: plan with --base /srv/other/.unify";
        assert_eq!(lines(&said, false, Sizes::default()), [want]);
        let want = "HELD ELSEWHERE: guests share 3 files, 3.00 MiB that are immutable: a base may hold them already, maybe /srv/other/.unify";
        assert_eq!(lines(&said, true, Sizes::default()), [want]);
        let said = UnprotectedSharing {
            bases: Vec::new(),
            ..said
        };
        let want = "; if another base holds them, plan with that one (--base); if it is lost, take the flags off (chattr -i) and plan again";
        assert!(lines(&said, false, Sizes::default())[0].ends_with(want));
    }
}
