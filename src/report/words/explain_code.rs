//! `unify explain CODE`: what a code means, where it stands, what the care rules of that name cover, and what would
//! lead to another verdict.
//!
//! The JSON form is the fields of [`Code`]; `kind` is `unify.explain-code`.

use std::io::{self, Write};

use serde::Serialize;

use crate::model::{FlagReason, IdleReason, LinkReason, RefusalKind, SkipReason, nearest_of};
use crate::rules::care::{CareRule, Covers, table};

use crate::report::layout::json;

/// What is known about a code. Some stand in plans and in receipts, and mean the same there.
#[derive(Debug, Serialize)]
pub struct Code {
    kind: &'static str,
    code: &'static str,
    meanings: Vec<CodeMeaning>,
    /// What the care rules of this code cover, and which source says so.
    rules: Vec<String>,
}

#[derive(Debug, Serialize)]
struct CodeMeaning {
    /// Where it stands: `skip`, `link`, `flag` or `refusal`.
    stands_in: &'static str,
    sentence: &'static str,
    change: [&'static str; 1],
}

/// Explains a code; `Err` names the nearest ones.
pub fn code(text: &str) -> Result<Code, Vec<&'static str>> {
    let rows: Vec<CodeRow> = codes()
        .into_iter()
        .filter(|(code, ..)| *code == text)
        .collect();
    let Some((code, ..)) = rows.first().copied() else {
        return Err(nearest(text));
    };
    let meaning = |(_, stands_in, sentence, change)| CodeMeaning {
        stands_in,
        sentence,
        change: [change],
    };
    let covered = table().iter().filter(|rule| rule.reason.code() == code);
    Ok(Code {
        kind: "unify.explain-code",
        code,
        meanings: rows.into_iter().map(meaning).collect(),
        rules: covered.flat_map(covers).collect(),
    })
}

impl Code {
    /// For people.
    pub fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for meaning in &self.meanings {
            let CodeMeaning {
                stands_in,
                sentence,
                change,
            } = meaning;
            writeln!(out, "{} ({stands_in}): {sentence}", self.code)?;
            writeln!(out, "  what would change it: {}", change.concat())?;
        }
        self.rules
            .iter()
            .try_for_each(|rule| writeln!(out, "    {rule}"))
    }

    /// For programs.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::write_line(out, self)
    }
}

fn covers(rule: &CareRule) -> Vec<String> {
    let source = |what: String| format!("{what}  [{}]", rule.source);
    match rule.covers {
        Covers::Names(names) => names
            .iter()
            .map(|name| source((*name).to_owned()))
            .collect(),
        Covers::UnreadableNames(names) => names
            .iter()
            .map(|name| source(format!("{name} if not readable by everybody")))
            .collect(),
        Covers::Files(test) => vec![source(format!("any file that is {}", test.words))],
        Covers::Used(_, words) => vec![source(format!("any file with {words}"))],
    }
}

/// The names of all codes, each once.
pub fn all() -> Vec<&'static str> {
    let mut all: Vec<&str> = codes().into_iter().map(|(code, ..)| code).collect();
    all.sort_unstable();
    all.dedup();
    all
}

type CodeRow = (&'static str, &'static str, &'static str, &'static str);

/// Every code there is, with its sentence and what would change the verdict.
fn codes() -> Vec<CodeRow> {
    let skip = |r: &SkipReason| (r.code(), "skip", r.sentence(), change_reason(*r));
    let link = |r: &LinkReason| {
        (
            r.code(),
            "link",
            r.sentence(),
            "delete the line, or turn the word link into skip",
        )
    };
    let flag = |r: &FlagReason| {
        (
            r.code(),
            "flag",
            r.sentence(),
            "delete the line: the shared file is then not protected",
        )
    };
    let refusal = |r: &RefusalKind| (r.code(), "refusal", r.sentence(), change_refusal(*r));
    let idle = |r: &IdleReason| (r.code(), "choice", r.sentence(), change_idle(*r));
    let mut all: Vec<CodeRow> = SkipReason::ALL.iter().map(skip).collect();
    all.extend(LinkReason::ALL.iter().map(link));
    all.extend(FlagReason::ALL.iter().map(flag));
    all.extend(RefusalKind::ALL.iter().map(refusal));
    all.extend(IdleReason::ALL.iter().map(idle));
    all.push((
        "near-miss",
        "report",
        "files of equal content that only their metadata keeps apart",
        "equal metadata (unify show --near-misses PLAN lists what differs), or --ignore mtime where only the time does",
    ));
    all
}

/// What gives a choice an effect that has none.
fn change_idle(why: IdleReason) -> &'static str {
    match why {
        IdleReason::MatchesNothing => "a pattern for a name that is there",
        IdleReason::DecidedBefore => "give it before the pattern that decides",
        IdleReason::LeftAloneAnyway => {
            "unify explain with the reasons that are named says what changes those"
        }
        IdleReason::NothingToOverrule => "nothing: such files may be shared without it",
        IdleReason::SharedAlready => {
            "unify undo for these names, and the choice keeps them private from then on"
        }
        IdleReason::NoDatabase => "nothing: there is nothing to be asked",
    }
}

/// What would lead to another verdict than this refusal.
fn change_refusal(refusal: RefusalKind) -> &'static str {
    use RefusalKind as R;
    match refusal {
        R::Changed | R::Gone | R::PathChanged | R::DiffersFromObject | R::NoObject => {
            "make a new plan"
        }
        R::OpenForWriting => "apply again when the writer is done",
        R::Locked | R::Watched | R::Open => {
            "apply again when that process has ended or its guest is stopped; or a plan with --allow and this code"
        }
        R::MountedElsewhere => {
            "unmount it there and apply again; or a plan with --allow and this code"
        }
        R::UsesUnknown => {
            "apply again when whatever watches so much has ended, or the guest is stopped; or a plan with --allow watched"
        }
        R::BeingMaintained => "unify refreeze, when the work in the guest is done",
        R::GuestRunning => "stop the guest, or do what the refusal names, and apply again",
        R::HolderRunning => "stop that guest, or do what the refusal names, and apply again",
        R::HolderUnknown => "plan and apply the guest that was moved or renamed, at its new place",
        R::NamesElsewhere => {
            "apply a plan that has lines for all its names, while all guests that have some are stopped"
        }
        R::SourceChanged | R::SourceGone | R::DiffersFromSource => "make a new plan",
        R::Unchangeable => "take the flag off the file (chattr -i), if nobody needs it",
        R::NoCopyOnWrite => "a copy without the flag (lsattr shows it as C), if nobody needs it",
        R::NothingShareable => "nothing: it takes no block",
        R::NoRoom => "free some room, or raise the quota, and apply again",
        R::OwnBlocks => "nothing: there is nothing to undo",
        R::TooLargeToFreeze => "stop the guest, or give a longer --max-freeze, and apply again",
        R::MountedOver => "unmount it and apply again",
        R::OtherFilesystem => "name a base on that file system with --base",
        R::CannotCross => "a new plan, which leaves such files alone and says why",
        R::DamagedObject => "unify verify names every file that refers to it",
        R::RootChanged => "put the guest back, or plan it at its new place",
        R::NotShared => "nothing: there is nothing to undo",
    }
}

/// What changes the verdict of the care rules; a test compares their list below with the table.
const ALLOW: &str = "--allow with this code switches its care rules off; --include GLOB overrules those on paths for single names";

/// The same of what is not about the file but about what is done with it now.
const ALLOW_USE: &str = "a new plan when its guest is stopped, or the use has ended; or --allow with this code, where nobody minds (unify rules says what the guest would notice)";

/// The same of what is written to: no choice makes `apply` do that.
const ALLOW_WRITTEN: &str = "plan again when the writer has closed it; --allow only puts it into a plan, and apply refuses it until then";

/// What would lead to another verdict than this skip.
pub fn change_reason(reason: SkipReason) -> &'static str {
    use SkipReason as R;
    match reason {
        R::ConfigSidecar | R::Etc | R::MachineIdentity | R::RandomSeed | R::Secret => ALLOW,
        R::UserDatabase | R::PackageState | R::Cache | R::Log | R::NetworkIdentity => ALLOW,
        R::Database | R::LockFile | R::History | R::CloudInit | R::Var | R::Home => ALLOW,
        R::Empty => ALLOW,
        R::Runtime | R::BootState | R::NotWorldReadable | R::WorldWritable | R::Privileged => ALLOW,
        R::ConfigFile | R::Diverted | R::ModeOverride => {
            "--package-databases NAME:ignore stops asking about all files of that guest; a config file is better kept"
        }
        R::Excluded => "take the pattern away, or put an --include in front of it",
        R::TooSmall => "a smaller --min-size",
        R::TooSparse => "nothing: it takes next to no room",
        R::MoreThanStored => {
            "fewer copies in its guest that share their extents, which take no room of their own"
        }
        R::LinkedToKept => "the verdict about the other name of the same file",
        R::NamesOutside => {
            "plan the guest that holds its other names together with this one, if one does"
        }
        R::SharedUnprotected => {
            "what the note of the line says, and a new plan; or a copy of one of the guests (cp -a), which shares nothing with the others"
        }
        R::TooManyNames => "fewer hard links of the file in its guest",
        R::InodeFlags => "take the flag off the file, if nobody needs it",
        R::Project => {
            "give the file the project of its directory (lsattr -p, chattr -p; on XFS xfs_io -c chproj)"
        }
        R::Encrypted => "nothing: encryption ends where its directory ends",
        R::FixedDirectory => "take its flag off (chattr -i, chattr -a), if nobody needs it",
        R::ImmutableFile => "take the flag off the file (chattr -i), if nobody needs it",
        R::NoCopyOnWrite => "a copy without the flag (lsattr shows it as C), if nobody needs it",
        R::SwapFile => "swapoff, and a new plan; a swap file is better left alone",
        R::InlineData => "nothing: such a file takes no block of its own",
        R::NoData => "nothing: it takes no room, or room that nothing is written to",
        R::TooFragmented => {
            "fewer pieces: a copy of the file, or btrfs filesystem defragment or xfs_fsr for it"
        }
        R::BlocksShared => "nothing: nothing would come back",
        R::OwnGuest => "--within",
        R::FlagClearer => {
            "write the line that the plan names for its manager, restart the guest, and plan again; or --flag-clearers warn"
        }
        R::BeingMaintained => "unify refreeze, when the work in the guest is done",
        R::Locked | R::Watched | R::Open | R::MountedElsewhere => ALLOW_USE,
        R::OpenForWriting => ALLOW_WRITTEN,
        R::MountedOver => "unmount what is mounted there, and plan again",
        R::OtherFilesystem => "plan what lies there as a guest of its own, with a base there",
        R::Subvolume => {
            "plan the subvolume as a guest of its own; where it holds whole guests, plan each of these"
        }
        R::Unreadable => "see the note of the line: the machine's own words",
        R::ChangedWhileReading => "stop the guest and plan again",
        R::AlreadyShared => "unify undo, for this guest and path",
        R::Unique => "another file with the same content and metadata",
        R::Held => "a new plan: a reviewer has taken the action out",
    }
}

/// Codes that are a slip away, then those that hold the text or are held by it, then those that begin most alike.
fn nearest(text: &str) -> Vec<&'static str> {
    let mut all: Vec<&'static str> = codes().into_iter().map(|(code, ..)| code).collect();
    all.sort_unstable();
    all.dedup();
    let mut near = nearest_of(text, all.iter().copied(), MOST_NEAR);
    let alike = |code: &str| {
        let same = code.bytes().zip(text.bytes());
        let same = same.take_while(|(a, b)| a == b).count();
        let contains = code.contains(text) || text.contains(code);
        (std::cmp::Reverse(contains), std::cmp::Reverse(same))
    };
    all.sort_by_key(|code| (alike(code), *code));
    all.retain(|code| !near.contains(code));
    near.extend(all);
    near.truncate(MOST_NEAR);
    near
}

/// Near codes that are named.
const MOST_NEAR: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::written;
    use crate::rules::care::is_overridable;

    #[test]
    fn what_the_care_rules_keep_is_allowed_by_its_code() {
        for reason in SkipReason::ALL {
            let allowed = [ALLOW, ALLOW_USE, ALLOW_WRITTEN].contains(&change_reason(*reason));
            assert_eq!(allowed, is_overridable(*reason), "{reason}");
        }
    }

    #[test]
    fn every_code_is_explained() {
        for (code, stands_in, sentence, change) in codes() {
            assert!(
                !stands_in.is_empty() && !sentence.is_empty() && !change.is_empty(),
                "{code}"
            );
            let told = super::code(code).unwrap();
            assert!(written(|out| told.text(out)).contains(sentence));
        }
        assert!(!super::code("secret").unwrap().rules.is_empty());
        assert!(super::code("no-such").is_err());
        assert!(super::code("setuid").unwrap_err().len() <= 5);
        assert!(super::code("config").unwrap_err().contains(&"config-file"));
        assert_eq!(super::code("unqiue").unwrap_err()[0], "unique");
        assert!(super::code("near-miss").is_ok());
        assert_eq!(super::code("near-mis").unwrap_err()[0], "near-miss");
    }
}
