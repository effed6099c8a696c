//! Who could take the flag off a shared file, and the line that ends it: for a plan, and for a run that could not
//! freeze a guest because of it.

use std::io::{self, Write};

use crate::model::{
    ClearsFlags, FlagClearer, FlagClearing, GuestName, Header, PlannedGuest, Protect,
};

use super::sentence::safe;
use crate::report::layout::size::counted;

/// Guests that have a line of their own; a plan's guests, and the JSON of a run, have them all.
const MOST_GUESTS: usize = 20;

/// Names in the one line for guests of which nothing was found.
const MOST_NAMES: usize = 4;

/// What a reviewer must know of it: a line for each guest that could, and of which it is doubtful; one for all of which
/// nothing is known. Where nothing is flagged there is nothing to take off.
pub fn warnings(guests: &[PlannedGuest], header: &Header) -> Vec<String> {
    let mut lines = could(guests, header);
    let taking_part = asked(guests, header);
    let unknown_end = end(header, ClearsFlags::Unknown);
    let doubtful = told(&taking_part, ClearsFlags::Unknown).map(|(name, one)| {
        let why = safe(&one.why);
        format!("NOT KNOWN: whether {name} could take flags off ({why}){unknown_end}")
    });
    lines.extend(capped(doubtful));
    let strange = taking_part
        .iter()
        .filter(|guest| guest.flag_clearing.is_none());
    let strange: Vec<String> = strange.map(|guest| guest.name.to_string()).collect();
    if !strange.is_empty() {
        let names: Vec<&str> = strange.iter().map(String::as_str).collect();
        let names = listed(&names);
        lines.push(format!(
            "NOT KNOWN: whether {names} could take flags off: no manager's configuration is known{unknown_end}"
        ));
    }
    lines
}

/// A line for each guest that could, with what ends it.
pub fn could(guests: &[PlannedGuest], header: &Header) -> Vec<String> {
    let line = |(name, one): (&GuestName, &FlagClearing)| {
        let remedy = one
            .remedy
            .as_deref()
            .map(|line| format!(": {}", safe(line)));
        let (why, remedy) = (safe(&one.why), remedy.unwrap_or_default());
        let end = end(header, ClearsFlags::Yes);
        format!("COULD TAKE FLAGS OFF: {name} ({why}){remedy}{end}")
    };
    let taking_part = asked(guests, header);
    capped(told(&taking_part, ClearsFlags::Yes).map(line))
}

/// Guests that take part, where anything is flagged.
fn asked<'a>(guests: &'a [PlannedGuest], header: &Header) -> Vec<&'a PlannedGuest> {
    let target = header.target.as_ref();
    let flagged = target.is_some_and(|target| target.protect() == Some(Protect::Immutable));
    let guests = guests
        .iter()
        .filter(|guest| flagged && guest.left_out.is_none());
    guests.collect()
}

fn told<'a>(
    guests: &'a [&'a PlannedGuest],
    answer: ClearsFlags,
) -> impl Iterator<Item = (&'a GuestName, &'a FlagClearing)> {
    let told = guests.iter();
    let told = told.filter_map(|guest| Some((&guest.name, guest.flag_clearing.as_ref()?)));
    told.filter(move |(_, one)| one.answer == answer)
}

fn end(header: &Header, answer: ClearsFlags) -> &'static str {
    let refused = header.policy.flag_clearers.refuse(answer);
    if refused { REFUSED } else { "" }
}

/// What becomes of a guest that the policy refuses.
const REFUSED: &str =
    "; no more of its files are linked (--flag-clearers), and what it shares already stays shared";

/// So many lines, and how many more there are.
fn capped(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    let more = lines.len().saturating_sub(MOST_GUESTS);
    if more > 0 {
        let kind = lines.first().and_then(|line| line.split_once(':'));
        let kind = kind.map_or_else(String::new, |(kind, _)| kind.to_owned());
        lines.truncate(MOST_GUESTS);
        let more = counted(more as u64, "more guest");
        lines.push(format!(
            "{kind}: and {more}, see `flag_clearing` of the plan's guests"
        ));
    }
    lines
}

/// `a, b, c and 12 more`.
fn listed(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().copied().take(MOST_NAMES).collect();
    match (names.len().saturating_sub(MOST_NAMES), shown.split_last()) {
        (0, Some((last, rest))) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        (0, _) => shown.join(""),
        (more, _) => format!("{} or {more} more", shown.join(", ")),
    }
}

/// After a run: what ends it, for each guest that could not be frozen because of it.
pub fn text(clearers: &[FlagClearer], out: &mut dyn Write) -> io::Result<()> {
    if clearers.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nNot frozen, because a process in it may take flags off files:"
    )?;
    for one in clearers.iter().take(MOST_GUESTS) {
        writeln!(out, "  {}: {}", one.guest, safe(&one.remedy))?;
    }
    match clearers.len().saturating_sub(MOST_GUESTS) {
        0 => Ok(()),
        more => writeln!(
            out,
            "  and {}: see --json",
            counted(more as u64, "more guest")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FlagClearers;
    use crate::report::samples::{HOSTILE, Sample, assert_tame, written};

    fn guest(name: &str, answer: ClearsFlags, manager: Option<&str>) -> PlannedGuest {
        let clearing = FlagClearing {
            answer,
            why: format!("why {name}"),
            manager: manager.map(str::to_owned),
            remedy: (answer == ClearsFlags::Yes).then(|| "write it".to_owned()),
        };
        PlannedGuest {
            name: crate::report::samples::guest(name),
            flag_clearing: Some(clearing).filter(FlagClearing::is_known),
            ..Sample::small().guests[0].clone()
        }
    }

    fn warned(guests: &[PlannedGuest], flag_clearers: FlagClearers) -> Vec<String> {
        let mut header = Sample::small().header;
        header.policy.flag_clearers = flag_clearers;
        warnings(guests, &header)
    }

    #[test]
    fn each_kind_has_its_line() {
        use ClearsFlags::{No, Unknown, Yes};
        let guests = [
            guest("a", Yes, Some("lxc")),
            guest("b", No, Some("lxc")),
            guest("c", Unknown, Some("lxc")),
            guest("d", Unknown, None),
            guest("e", Unknown, None),
        ];
        let want = [
            "COULD TAKE FLAGS OFF: a (why a): write it",
            "NOT KNOWN: whether c could take flags off (why c)",
            "NOT KNOWN: whether d or e could take flags off: no manager's configuration is known",
        ];
        assert_eq!(warned(&guests, FlagClearers::Warn), want);
        let refused = warned(&guests, FlagClearers::Refuse);
        assert_eq!(refused[0], format!("{}{REFUSED}", want[0]));
        assert_eq!(refused[1..], want[1..]);
        let doubted = warned(&guests, FlagClearers::RefuseUnknown);
        assert!(
            doubted.iter().all(|line| line.ends_with(REFUSED)),
            "{doubted:?}"
        );
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let many = |answer, manager| -> Vec<PlannedGuest> {
            let names = (0..25).map(|n| format!("g{n}"));
            names.map(|name| guest(&name, answer, manager)).collect()
        };
        let could = warned(&many(ClearsFlags::Yes, Some("lxc")), FlagClearers::Warn);
        let want =
            "COULD TAKE FLAGS OFF: and 5 more guests, see `flag_clearing` of the plan's guests";
        assert_eq!((could.len(), could[20].as_str()), (21, want));
        let strange = warned(&many(ClearsFlags::Unknown, None), FlagClearers::Warn);
        let want = "NOT KNOWN: whether g0, g1, g2, g3 or 21 more could take flags off: no manager's configuration is known";
        assert_eq!(strange, [want]);
    }

    #[test]
    fn nobody_asked_and_nothing_hostile() {
        assert_eq!(
            warned(&Sample::small().guests, FlagClearers::Refuse),
            [""; 0]
        );
        let mut hostile = guest("a", ClearsFlags::Yes, None);
        let clearing = hostile.flag_clearing.as_mut().unwrap();
        (clearing.why, clearing.remedy) = (HOSTILE.into(), Some(HOSTILE.into()));
        let clearer = FlagClearer {
            guest: hostile.name.clone(),
            remedy: HOSTILE.into(),
        };
        assert_tame(&warned(&[hostile], FlagClearers::Warn).join("\n"));
        assert_tame(&written(|out| text(&[clearer], out)));
    }
}
