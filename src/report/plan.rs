//! What `unify plan` reports when it has written a plan: one screen, for stderr.
//!
//! The first line is a promise to a person who has not read the manual yet, and never changes.

use std::io::{self, Write};
use std::path::Path;

use crate::model::{Escaped, PlannedGuest};

use super::alarms::unprotected;
use super::audit::ONLY;
use super::layout::size::{Sizes, count, counted};
use super::layout::table::{Column, TextTable};
use super::near_misses;
use super::plan_view::{ON_TOP, PlanView};
use super::words::sentence::safe;
use super::words::skip_kinds::by_kind;

const PLAN_ONLY: &str = "PLAN ONLY, nothing was changed.";

/// Pairs of guests that fit on a screen; `unify show` has them all.
const PAIRS: usize = 10;

/// Where a plan went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes<'a> {
    /// To this file.
    To(&'a Path),
    /// To standard output.
    ToStandardOutput,
    /// Nowhere: only the report was wanted.
    Nowhere,
}

/// Writes the report.
pub fn text(
    plan: &PlanView<'_>,
    goes: Goes<'_>,
    sizes: Sizes,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{}", if plan.is_audit() { ONLY } else { PLAN_ONLY })?;
    let alarm = plan.alarm(sizes);
    alarm.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    writeln!(out, "{}\n", scanned(plan, sizes))?;
    unprotected::planned(plan, out)?;
    would(plan, sizes).text(out)?;
    for line in plan.caveats(sizes) {
        writeln!(out, "  ({line})")?;
    }
    writeln!(out, "  ({ON_TOP})")?;
    sharing(plan, sizes, out)?;
    if let Some(line) = near_misses::line(plan, sizes) {
        writeln!(out, "\n  {line}")?;
    }
    let warnings = plan.warnings();
    if !warnings.is_empty() {
        writeln!(out)?;
    }
    warnings
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))?;
    writeln!(out, "\n{}", wrote(plan, goes))
}

/// What a quiet `plan` says: what is shared without protection, what could not be read, and what else asks for a
/// person's hand.
pub fn needs_person(plan: &PlanView<'_>, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    let mut lines = plan.alarm(sizes);
    lines.extend(plan.needs_person());
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    unprotected::planned(plan, out)
}

/// `Scanned 6 guests, 251,904 files, 9.80 GiB; 2 names could not be read and are listed as unreadable`.
/// Why it was chosen; what is missing for better ones is in the plan, and `unify show` tells it.
fn chosen(why: &str) -> &str {
    why.split_once("; ").map_or(why, |(chosen, _)| chosen)
}

fn scanned(plan: &PlanView<'_>, sizes: Sizes) -> String {
    let sum = |field: fn(&PlannedGuest) -> u64| {
        plan.guests.iter().map(field).fold(0, u64::saturating_add)
    };
    let guests = counted(plan.guests.len() as u64, "guest");
    let files = counted(sum(|guest| guest.files), "file");
    let bytes = sizes.of(sum(|guest| guest.bytes));
    let text = format!("Scanned {guests}, {files}, {bytes}");
    match sum(|guest| guest.unread) {
        0 => text,
        unread => {
            let unread = counted(unread, "name");
            format!("{text}; {unread} could not be read, listed as unreadable")
        }
    }
}

fn would(plan: &PlanView<'_>, sizes: Sizes) -> TextTable {
    let totals = plan.tally.totals();
    let mut table = TextTable::new(&[
        ("", Column::Words),
        ("", Column::Number),
        ("", Column::Number),
        ("", Column::Words),
    ]);
    let how = match (plan.is_of_both(), plan.is_of_reflinks()) {
        (true, _) => format!(
            "by hard links and, {} of them, {}, by reflinks",
            counted(totals.reflinks.links, "file"),
            sizes.of(totals.reflinks.saves)
        ),
        (_, true) => {
            "by reflinks: every file stays its own, and nothing is to be protected".to_owned()
        }
        _ => "in allocated blocks, each inode once".to_owned(),
    };
    let saves = format!("{} {how}", plan.promise(sizes));
    table.row([
        "would link".into(),
        count(totals.links),
        sizes.of(totals.bytes),
        saves,
    ]);
    if plan.is_of_reflinks() {
        table.row(memory(plan, sizes));
    } else {
        let protect = match plan.protection() {
            Some(how) => format!("protect = {}: {}", how.mode.code(), safe(chosen(&how.why))),
            None => "if the immutable flag holds there, which is not tried".to_owned(),
        };
        table.row([
            "would flag".into(),
            count(totals.flags),
            String::new(),
            protect,
        ]);
    }
    let mut what = "would skip";
    for (kind, skipped) in by_kind(&plan.skipped()) {
        let (files, bytes) = (count(skipped.files), sizes.of(skipped.bytes));
        table.row([what.into(), files, bytes, kind.words().into()]);
        what = "";
    }
    table
}

/// What reflinks do not give.
fn memory(plan: &PlanView<'_>, sizes: Sizes) -> [String; 4] {
    [
        "memory".to_owned(),
        String::new(),
        sizes.of(plan.tally.memory()),
        "none is shared: each file keeps a page cache of its own".to_owned(),
    ]
}

/// `web1 and web2 would share 1.34 GiB (88 % of web1, 41 % of web2)`.
fn sharing(plan: &PlanView<'_>, sizes: Sizes, out: &mut dyn Write) -> io::Result<()> {
    let pairs = plan.pairs();
    if !pairs.is_empty() {
        writeln!(out)?;
    }
    for pair in pairs.iter().take(PAIRS) {
        let (a, b) = &pair.shared.guests;
        let bytes = sizes.of(pair.shared.bytes);
        let parts = match pair.percent {
            (Some(part_a), Some(part_b)) => format!(" ({part_a} % of {a}, {part_b} % of {b})"),
            _ => String::new(),
        };
        writeln!(out, "  {a} and {b} would share {bytes}{parts}")?;
    }
    let more = pairs.len().saturating_sub(PAIRS) as u64;
    match more.saturating_add(plan.summary.more_shared) {
        0 => Ok(()),
        more => writeln!(
            out,
            "  and {}: see `unify show`",
            counted(more, "more pair")
        ),
    }
}

/// Where the plan is, and what to do with it.
fn wrote(plan: &PlanView<'_>, goes: Goes<'_>) -> String {
    let content = plan.digest.map_or_else(String::new, |digest| {
        let head: String = digest
            .content
            .to_string()
            .chars()
            .take("sha256:".len() + 8)
            .collect();
        format!(" (content {head}…)")
    });
    let path = match goes {
        Goes::To(path) => path,
        Goes::ToStandardOutput => return format!("Wrote the plan to standard output{content}."),
        Goes::Nowhere => {
            return "Wrote no plan: keep it with -o FILE, or print it with -o -".to_owned();
        }
    };
    let shown = Escaped(path.as_os_str().as_encoded_bytes());
    let word = shell_word(path);
    let totals = plan.tally.totals();
    let next = match (totals.links, totals.flags) {
        _ if plan.guests.iter().any(|guest| guest.image.is_some()) => {
            format!("See   unify show {word}   To apply, unpack the images.")
        }
        _ if plan.is_audit() => {
            format!("See   unify show {word}   To apply, plan without --audit.")
        }
        (0, 0) => format!("Nothing to link: see   unify show {word}"),
        _ => format!("Next: unify show {word}   or   unify apply {word}"),
    };
    format!("Wrote {shown}{content}.  {next}")
}

/// The path as one word of a shell command line.
fn shell_word(path: &Path) -> String {
    let text = Escaped(path.as_os_str().as_encoded_bytes()).to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    let dash = if text.starts_with('-') { "./" } else { "" };
    if !text.is_empty() && text.chars().all(plain) {
        format!("{dash}{text}")
    } else {
        format!("'{dash}{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Action, Shared};
    use crate::report::Tally;
    use crate::report::samples::{
        HOSTILE, Sample, assert_tame, guest, hostile_plan, small_plan, written,
    };

    fn report(sample: &Sample, actions: &[Action], output: Option<&str>) -> String {
        let mut tally = Tally::new(None);
        actions.iter().for_each(|action| tally.take(action));
        let goes = output.map_or(Goes::ToStandardOutput, |path| Goes::To(Path::new(path)));
        written(|out| text(&sample.view(&tally), goes, Sizes::default(), out))
    }

    #[test]
    fn a_small_plan() {
        let want = "PLAN ONLY, nothing was changed.
Scanned 2 guests, 3,000 files, 57.2 MiB

  would link      3  11.4 MiB  7.62 MiB come back in allocated blocks, each inode once
  would flag      1            protect = immutable: the flag works here
  would skip    121  4.77 MiB  for care (config, secrets, state, caches, logs)
                  1       0 B  could not be read or changed meanwhile
              2,870  28.6 MiB  unique, empty or already shared
  (the base's own folders and records come on top of this and are not counted)

  web1 and web2 would share 3.81 MiB (10 % of web1, 20 % of web2)

Wrote plan.json (content sha256:3f3f3f3f…).  Next: unify show plan.json   or   unify apply plan.json
";
        assert_eq!(
            report(&Sample::small(), &small_plan(), Some("plan.json")),
            want
        );
    }

    #[test]
    fn an_audit_offers_nothing_to_apply() {
        let want = "AUDIT ONLY: nothing can be applied from this, and nothing was changed.
Scanned 2 guests, 3,000 files, 57.2 MiB

  would link      3  11.4 MiB  up to 7.62 MiB come back in allocated blocks, each inode once
  would flag      1            if the immutable flag holds there, which is not tried
";
        let text = report(&Sample::audit(), &small_plan(), Some("audit.json"));
        assert!(text.starts_with(want), "{text}");
        let want = "
Wrote audit.json (content sha256:3f3f3f3f…).  See   unify show audit.json   To apply, plan without --audit.
";
        assert!(text.ends_with(want), "{text}");
        assert!(!text.contains("unify apply"), "{text}");
    }

    #[test]
    fn an_empty_plan_offers_nothing_to_apply() {
        let want = "PLAN ONLY, nothing was changed.
Scanned 0 guests, 0 files, 0 B

  would link  0  0 B  0 B come back in allocated blocks, each inode once
  would flag  0       protect = immutable: the flag works here
  (the base's own folders and records come on top of this and are not counted)

Wrote my plan.json (content sha256:3f3f3f3f…).  Nothing to link: see   unify show 'my plan.json'
";
        assert_eq!(report(&Sample::empty(), &[], Some("my plan.json")), want);
    }

    #[test]
    fn trouble_is_told() {
        let text = report(&Sample::troubled(), &small_plan(), None);
        let want = "
RUNNING: web2: apply refuses its 1 link until it is stopped
LEFT OUT: db1: its package database is damaged

Wrote the plan to standard output (content sha256:3f3f3f3f…).
";
        assert!(text.ends_with(want), "{text}");
        assert!(text.contains("57.2 MiB; 1 name could not be read, listed as unreadable\n"));
    }

    #[test]
    fn more_pairs_than_fit_are_counted() {
        let mut sample = Sample::small();
        let pair = |n: u64| Shared {
            guests: (guest("a"), guest(&format!("b{n}"))),
            files: 1,
            bytes: n,
        };
        sample.summary.shared = (0..12).map(pair).collect();
        sample.summary.more_shared = 5;
        let text = report(&sample, &[], None);
        assert!(text.contains("\n  a and b11 would share 11 B\n"), "{text}");
        assert!(
            text.contains("\n  a and b2 would share 2 B\n  and 7 more pairs: see `unify show`\n")
        );
    }

    #[test]
    fn sums_over_guests_stop_at_the_largest() {
        let mut sample = Sample::small();
        for guest in &mut sample.guests {
            guest.files = u64::MAX;
        }
        let text = report(&sample, &[], None);
        let want = "Scanned 2 guests, 18,446,744,073,709,551,615 files, 57.2 MiB";
        assert_eq!(text.lines().nth(1), Some(want));
    }

    #[test]
    fn nothing_hostile_comes_through() {
        assert_tame(&report(&Sample::hostile(), &hostile_plan(), Some(HOSTILE)));
    }

    #[test]
    fn commands_can_be_pasted() {
        assert_eq!(shell_word(Path::new("/a/plan-1.json")), "/a/plan-1.json");
        assert_eq!(shell_word(Path::new("a'b")), "'a'\\''b'");
        assert_eq!(shell_word(Path::new("-rf")), "./-rf");
    }
}
