//! Shared files that lost what protects them: what `plan`, `status` and `recover` say of them, above everything else.

use std::io::{self, Write};

use crate::model::{Escaped, GuestName, Sign, Status};
use crate::report::PlanView;
use crate::report::layout::size::{count, counted};
use crate::report::words::list::some;

/// So many guests are named.
const NAMED: usize = 20;

/// `UNPROTECTED: 7,499 shared files are without their flags, so a write in one guest changes the others' (c2, c3): run
/// ...`.
pub fn line(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let files = status.objects.unprotected;
    if files == 0 {
        return Ok(());
    }
    let open = status
        .guests
        .iter()
        .filter(|guest| guest.unprotected_names > 0);
    let guests = who(open.map(|guest| &guest.name));
    let base = Escaped::of(&status.base);
    writeln!(
        out,
        "UNPROTECTED: {}{guests}: run `unify recover --base {base}`",
        without(files, status.sign)
    )
}

/// What `plan` says of the whole base, and of this plan's part in mending it.
pub fn planned(plan: &PlanView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let files = plan.summary.flags_lost;
    let Some(target) = plan.header.target.as_ref().filter(|_| files > 0) else {
        return Ok(());
    };
    let base = Escaped::of(&target.base.path);
    let flags = plan.tally.totals().flags;
    let here = match flags {
        0 => String::new(),
        _ => " apply of this plan sets those that it has as flag lines;".to_owned(),
    };
    writeln!(
        out,
        "UNPROTECTED: {}:{here} `unify recover --base {base}` sets all, and finds what was changed\n",
        without(files, plan.sign())
    )
}

/// What it means that so many shared files are without what protects them.
fn without(files: u64, sign: Sign) -> String {
    let (its, are, was) = match files {
        1 => (sign.its(), "is", "its metadata were"),
        _ => (sign.their(), "are", "their metadata were"),
    };
    let files = counted(files, "shared file");
    match sign {
        Sign::Flag | Sign::Flags | Sign::Mark | Sign::Protection => {
            format!("{files} {are} without {its}, so a write in one guest changes the others'")
        }
        // A seal does not come off; owner, mode and times under it do.
        Sign::Seal => format!(
            "{files} {are} without {its}, or {was} changed: what one guest changes the others have, too"
        ),
    }
}

/// ` (c2, c3)`; nothing where nobody is known.
pub fn who<'a>(guests: impl Iterator<Item = &'a GuestName>) -> String {
    let names: Vec<String> = guests.map(ToString::to_string).collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" ({})", some(&names, NAMED))
}

/// What `recover` did about it.
pub fn set_again<'a>(
    files: u64,
    sign: Sign,
    guests: impl Iterator<Item = &'a GuestName>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if files == 0 {
        return Ok(());
    }
    let (has, its, was) = match files {
        1 => ("has", sign.its(), "was"),
        _ => ("have", sign.their(), "were"),
    };
    let (files, who) = (counted(files, "shared file"), who(guests));
    match sign {
        Sign::Flag | Sign::Flags | Sign::Protection => writeln!(
            out,
            "{files} {has} {its} again, which no run had taken off: until now a write in one guest changed the others'{who}."
        ),
        // After a boot that is so of all of them, and nobody has done anything.
        Sign::Mark => writeln!(
            out,
            "{files}{who} {has} {its} again: the kernel loses marks when it restarts, and when the guard is unloaded. What was written to in between is named below."
        ),
        Sign::Seal => writeln!(
            out,
            "{files} {was} without {its}, or had changed metadata, by no run{who}. All are sealed now; what is not as it was made is named below."
        ),
    }
}

/// What it is called, counted: `3 marks set again`.
pub fn counted_again(set: u64, sign: Sign) -> String {
    let (one, many) = sign.counted();
    let thing = if set == 1 { one } else { many };
    format!("{} {thing} set again", count(set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Protect;
    use crate::report::samples::{guest, written};

    /// What is said under each protection of one file and of several.
    #[test]
    fn each_protection_has_its_word() {
        for (by, one, many, set) in [
            (Protect::Immutable, "its flag", "their flags", "2 flags"),
            (
                Protect::Iunlink,
                "its flags",
                "their flags",
                "2 pairs of flags",
            ),
            (Protect::Guard, "its mark", "their marks", "2 marks"),
            (Protect::Verity, "its seal", "their seals", "2 seals"),
        ] {
            let sign = by.sign();
            assert!(without(1, sign).contains(&format!("file is without {one}")));
            assert!(without(2, sign).contains(&format!("files are without {many}")));
            assert_eq!(counted_again(2, sign), format!("{set} set again"));
            let web = guest("web");
            let again = written(|out| set_again(2, sign, [&web].into_iter(), out));
            assert!(again.contains(many) && again.contains("(web)"), "{again}");
            assert_eq!(again.contains("flag"), many.contains("flag"), "{again}");
        }
    }

    /// The kernel forgets all marks when it restarts: nobody took them off, and no guest need have written.
    #[test]
    fn marks_are_missing_after_a_boot() {
        let web = guest("web");
        let again = |sign| written(|out| set_again(2, sign, [&web].into_iter(), out));
        let said = again(Sign::Mark);
        assert!(
            said.starts_with("2 shared files (web) have their marks again: "),
            "{said}"
        );
        assert!(said.contains("when it restarts"), "{said}");
        for untrue in ["flag", "taken off", "changed the others"] {
            assert!(!said.contains(untrue), "{said}");
            assert!(again(Sign::Flag).contains(untrue));
        }
    }

    /// Under a seal the content is what it was, and metadata may not be.
    #[test]
    fn what_a_seal_leaves_open_is_said() {
        let said = without(1, Sign::Seal);
        assert!(said.contains("or its metadata were changed"), "{said}");
        assert!(!said.contains("a write"), "{said}");
    }
}
