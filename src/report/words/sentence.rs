//! Where a code plus the facts of its line become a sentence, and the only such place.
//!
//! The bare sentences of reasons, refusals and differences are beside their codes in `model`; outcomes have
//! theirs here. Facts come from guests and plans: each is escaped where it is put in, so a sentence is always
//! safe to print. Nothing reads a sentence back.

use crate::model::{
    Action, Escaped, FileLine, Flag, Link, Making, Moved, ObjectId, Outcome, Refusal, RefusalKind,
    Skip, SkipReason, Wrong,
};

use crate::report::layout::size;

/// Why an action stands in a plan, with the note of a reviewer.
pub fn action(action: &Action) -> String {
    match action {
        Action::Link(it) => link(it),
        Action::Reflink(it) => shared(it.into(), ""),
        Action::Flag(it) => flag(it),
        Action::Skip(it) => skip(it),
    }
}

/// Why a file is linked: `same content and metadata as other names`.
pub fn link(link: &Link) -> String {
    let made = match link.makes {
        Some(Making::Copy) => "; the object is a copy of it",
        Some(Making::Adopt) => "; the object is this file itself",
        None => "",
    };
    shared(link.into(), made)
}

/// The reason of a link line of either method, the package, and the note.
fn shared(line: FileLine<'_>, made: &str) -> String {
    let owner = line.owner.map(|owner| {
        let version = owner
            .version
            .as_deref()
            .map(|version| format!(" {version}"));
        format!(
            " ({})",
            safe(&format!("{}{}", owner.package, version.unwrap_or_default()))
        )
    });
    format!(
        "{}{}{made}{}",
        line.reason.sentence(),
        owner.unwrap_or_default(),
        note(line.note)
    )
}

/// Why an object is flagged.
pub fn flag(flag: &Flag) -> String {
    format!("{}{}", flag.reason.sentence(), note(flag.note.as_deref()))
}

/// Why something is left alone: `config file per dpkg (openssh-server)`.
pub fn skip(skip: &Skip) -> String {
    let bare = match skip.reason {
        SkipReason::Excluded => excluded(skip),
        SkipReason::LinkedToKept => linked_to_kept(skip),
        _ => usual(skip),
    };
    format!("{bare}{}", note(skip.note.as_deref()))
}

/// `excluded by --exclude '*.log'`.
fn excluded(skip: &Skip) -> String {
    let per = skip.per.as_deref().map(|per| format!(" {}", safe(per)));
    let rule = skip
        .rule
        .as_deref()
        .map(|rule| format!(" '{}'", safe(rule)));
    match (per, rule) {
        (None, None) => skip.reason.sentence().to_owned(),
        (per, rule) => format!(
            "excluded by{}{}",
            per.unwrap_or_default(),
            rule.unwrap_or_default()
        ),
    }
}

/// `another name of the same file, /etc/x, must stay private`.
fn linked_to_kept(skip: &Skip) -> String {
    let with = skip.with.as_ref().map(|with| format!(", {with},"));
    format!(
        "another name of the same file{} must stay private",
        with.unwrap_or_default()
    )
}

/// The bare sentence, then the source that says so, the package, the rule, the other name and the object.
fn usual(skip: &Skip) -> String {
    let mut text = skip.reason.sentence().to_owned();
    let facts = [
        skip.per.as_deref().map(|per| format!(" per {}", safe(per))),
        skip.package
            .as_deref()
            .map(|package| format!(" ({})", safe(package))),
        skip.rule
            .as_deref()
            .map(|rule| format!(", rule '{}'", safe(rule))),
        skip.with.as_ref().map(|with| format!(", with {with}")),
        skip.object().map(|object| format!(", {}", short(*object))),
    ];
    text.extend(facts.into_iter().flatten());
    text
}

/// Why an action was refused: `changed since the plan: ctime, content`.
pub fn refusal(refusal: &Refusal) -> String {
    let kind = refusal_kind(refusal.kind());
    match refusal {
        Refusal::Changed { fields }
        | Refusal::DiffersFromObject { fields }
        | Refusal::SourceChanged { fields } => {
            format!("{kind}{}", listed(fields))
        }
        Refusal::Locked { by } | Refusal::Watched { by } | Refusal::Open { by } => {
            format!("{kind}: {}", safe(by))
        }
        Refusal::UsesUnknown { why } => format!("{kind}: {}", safe(why)),
        Refusal::MountedElsewhere { at } => format!("{kind}, {}", safe(at)),
        Refusal::GuestRunning { who } => format!("{kind}: {}", safe(who)),
        Refusal::HolderRunning { guest, who } => format!("{kind}: {guest}, {}", safe(who)),
        Refusal::HolderUnknown { names } | Refusal::NamesElsewhere { names } => {
            format!("{kind}: {names} of them")
        }
        Refusal::TooLargeToFreeze { most } => format!("{kind}: more than {}", size::iec(*most)),
        Refusal::BeingMaintained {}
        | Refusal::Gone {}
        | Refusal::SourceGone {}
        | Refusal::DiffersFromSource {}
        | Refusal::Unchangeable {}
        | Refusal::NoCopyOnWrite {}
        | Refusal::NothingShareable {}
        | Refusal::NoRoom {}
        | Refusal::OwnBlocks {}
        | Refusal::PathChanged {}
        | Refusal::OpenForWriting {}
        | Refusal::MountedOver {}
        | Refusal::OtherFilesystem {}
        | Refusal::CannotCross {}
        | Refusal::DamagedObject {}
        | Refusal::NoObject {}
        | Refusal::RootChanged {}
        | Refusal::NotShared {} => kind.to_owned(),
    }
}

/// What all refusals of this kind have in common.
pub fn refusal_kind(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::HolderUnknown => {
            "names of the object are in no guest that the base can find (plan and apply the guest that was moved)"
        }
        kind => kind.sentence(),
    }
}

/// Why the machine said no, by its own word and, where that tells a person little, what it means.
pub fn failure(cause: &str) -> String {
    let means = match cause {
        "Operation not permitted" => {
            ": a flag of the file or of its directory (lsattr), or a security module, forbids it"
        }
        "Permission denied" => ": a security module forbids it, or rights are missing",
        "Invalid cross-device link" => {
            ": it lies on another file system or mount, or in another project, than the base"
        }
        "Text file busy" | "Device or resource busy" => ": a process uses it",
        "Structure needs cleaning" => ": the file system is damaged, fsck it",
        _ => "",
    };
    format!("{}{means}", safe(cause))
}

/// What became of an action.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { made, saved, mtime } => done(*made, *saved, mtime.is_some()),
        Outcome::AlreadyDone => "nothing was left to do".to_owned(),
        Outcome::Refused(why) => format!("refused: {}", refusal(why)),
        Outcome::Failed(why) => format!("failed: {}", safe(why)),
    }
}

fn done(made: Option<Making>, saved: u64, own_time: bool) -> String {
    let made = match made {
        Some(Making::Copy) => ", the object was copied from this file",
        Some(Making::Adopt) => ", this file became the object",
        None => "",
    };
    let saved = match saved {
        0 => String::new(),
        bytes => format!(", {} came back", size::iec(bytes)),
    };
    let time = if own_time {
        ", its own modification time was kept for undo"
    } else {
        ""
    };
    format!("done{made}{saved}{time}")
}

/// What is wrong with a name, an object or the base.
pub fn wrong(wrong: &Wrong) -> String {
    let kind = wrong.kind().sentence();
    match wrong {
        Wrong::ObjectDamaged(fields) => format!("{kind}{}", listed(fields)),
        Wrong::Stranger(what) | Wrong::Unreadable(what) => format!("{kind}: {}", safe(what)),
        Wrong::Orphaned(package) => format!("{kind}; {} had it", safe(package)),
        Wrong::LeftInStaging(name) => format!("{kind}: {}; run `unify recover`", safe(name)),
        Wrong::NotFlagged(sign) => format!("the object is without {}", sign.its()),
        Wrong::NotTheObject
        | Wrong::WrittenSince
        | Wrong::ReplacedSince
        | Wrong::SourceWritten
        | Wrong::BlocksApart
        | Wrong::BytesChanged
        | Wrong::NameGone
        | Wrong::ObjectGone
        | Wrong::ReachesDamage
        | Wrong::RootChanged => kind.to_owned(),
    }
}

/// An object's name for people: the first 12 of its 64 hex digits, and the generation if it is not the first.
pub fn short(object: ObjectId) -> String {
    let head: String = object
        .content
        .to_string()
        .chars()
        .take("sha256:".len() + 12)
        .collect();
    match object.generation {
        0 => format!("{head}…"),
        n => format!("{head}….{n}"),
    }
}

/// Text of a guest, a plan or the machine, made safe to print.
pub fn safe(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

fn note(note: Option<&str>) -> String {
    note.map_or_else(String::new, |note| format!(": {}", safe(note)))
}

fn listed(fields: &[Moved]) -> String {
    let names: Vec<String> = fields.iter().map(ToString::to_string).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(": {}", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Left, Time};
    use crate::report::samples::{flag_line, guest, link_line, object, path};

    fn skipped(reason: SkipReason, fill: impl FnOnce(&mut Skip)) -> String {
        let mut line = Skip::new(guest("web2"), path("/etc/x"), reason);
        fill(&mut line);
        skip(&line)
    }

    #[test]
    fn skips_tell_the_facts_of_their_line() {
        let config = skipped(SkipReason::ConfigFile, |line| {
            line.per = Some("dpkg".into());
            line.package = Some("openssh-server".into());
        });
        assert_eq!(config, "config file per dpkg (openssh-server)");
        let excluded = skipped(SkipReason::Excluded, |line| {
            line.per = Some("--exclude".into());
            line.rule = Some("*.log".into());
        });
        assert_eq!(excluded, "excluded by --exclude '*.log'");
        let kept = skipped(SkipReason::LinkedToKept, |line| {
            line.with = Some(path("/etc/y"));
        });
        assert_eq!(
            kept,
            "another name of the same file, /etc/y, must stay private"
        );
        let unread = skipped(SkipReason::Unreadable, |line| {
            line.note = Some("permission denied".into());
        });
        assert_eq!(unread, "could not be read: permission denied");
        let shared = skipped(SkipReason::AlreadyShared, |line| {
            line.left = Left::Name {
                guest: guest("web2"),
                path: path("/etc/x"),
                object: Some(object(0xab)),
                size: None,
            };
        });
        assert_eq!(shared, "already refers to an object, sha256:abababababab…");
    }

    #[test]
    fn every_reason_without_facts_is_its_bare_sentence() {
        for reason in SkipReason::ALL {
            assert_eq!(skipped(*reason, |_| ()), reason.sentence(), "{reason}");
        }
    }

    #[test]
    fn links_and_flags_tell_what_they_make_and_their_notes() {
        let mut line = link_line("web1", "/usr/bin/perl", 4096);
        assert_eq!(link(&line), "same content and metadata as other names");
        line.makes = Some(Making::Copy);
        line.note = Some("fine\u{1b}[2J".into());
        let want =
            "same content and metadata as other names; the object is a copy of it: fine\\x1b[2J";
        assert_eq!(link(&line), want);
        let want = "a shared file must not be changed by one guest for all";
        assert_eq!(action(&Action::Flag(flag_line(2))), want);
    }

    #[test]
    fn refusals_name_the_fields_and_the_guests() {
        let fields = vec![Moved::Ctime, Moved::Content];
        let changed = Refusal::Changed { fields };
        assert_eq!(refusal(&changed), "changed since the plan: ctime, content");
        let differs = Refusal::DiffersFromObject { fields: vec![] };
        assert_eq!(refusal(&differs), "differs from the object");
        let who = "pid 7 (a\nb)".to_owned();
        let running = Refusal::HolderRunning {
            guest: guest("db1"),
            who,
        };
        let want = "a guest that holds the object is running: db1, pid 7 (a\\nb)";
        assert_eq!(refusal(&running), want);
        assert_eq!(refusal(&Refusal::Gone {}), "does not exist any more");
    }

    #[test]
    fn outcomes() {
        let time = Some(Time { sec: 1, nsec: 0 });
        let all = Outcome::Done {
            made: Some(Making::Adopt),
            saved: 4096,
            mtime: time,
        };
        let want = "done, this file became the object, 4.00 KiB came back, its own modification time was kept for undo";
        assert_eq!(outcome(&all), want);
        let plain = Outcome::Done {
            made: None,
            saved: 0,
            mtime: None,
        };
        assert_eq!(outcome(&plain), "done");
        assert_eq!(outcome(&Outcome::AlreadyDone), "nothing was left to do");
        let refused = Outcome::Refused(Refusal::NoObject {});
        assert_eq!(outcome(&refused), "refused: the object is not in the base");
        assert_eq!(outcome(&Outcome::Failed("a\rb".into())), "failed: a\\rb");
    }

    #[test]
    fn differences() {
        let damaged = Wrong::ObjectDamaged(vec![Moved::Mode]);
        assert_eq!(
            wrong(&damaged),
            "the object is not what its name says: mode"
        );
        let left = Wrong::LeftInStaging("7\u{7f}".into());
        let want = "left behind in the base's staging area: 7\\x7f; run `unify recover`";
        assert_eq!(wrong(&left), want);
    }
}
