//! What an error is in parts: a code that stays, what it is about, and what to do next. For programs; people are shown
//! the error's own sentence.

use super::{BadUse, CannotHere, EngineError, RefusedPlan};
use crate::base::BaseError;
use crate::ledger::PlanError;
use crate::model::{Escaped, Trouble};
use crate::sys::{Meaning, SysError};

const NEW_PLAN: &str = "make a new plan with `unify plan`";
const OTHER_NAME: &str = "give one of the two another name with NAME=PATH";
const RUNS: &str = "`unify status` lists what the base knows";

impl EngineError {
    /// The parts of this error.
    pub fn trouble(&self) -> Trouble {
        match self {
            EngineError::Sys(error) => machine(error),
            EngineError::Base(error) => base(error),
            EngineError::Plan(error) => plan(error),
            EngineError::PlanFile { path, error } => plan(error).file(path),
            EngineError::PlanRefused(why) => refused(why),
            EngineError::Usage(bad) => bad_use(bad),
            EngineError::CannotHere(lack) => lacking(lack),
            EngineError::NothingSelected => Trouble::new("nothing-selected").hint(
                "select lines that link or flag; `unify show` with the same selectors lists them",
            ),
            EngineError::OutputExists(path) => Trouble::new("exists")
                .file(path)
                .option("--output")
                .hint("name another file, or give --force to replace it"),
            EngineError::NotRead { .. } => Trouble::new("unread"),
            EngineError::BadImage {
                guest,
                is_ambiguous,
                error,
            } => {
                let code = if *is_ambiguous {
                    "ambiguous-archive"
                } else {
                    "bad-image"
                };
                Trouble::new(code).guest(guest).file(&error.path)
            }
            EngineError::Output(_) => Trouble::new("output"),
            EngineError::AnsweredAlready { lock, .. } => Trouble::new("locked")
                .file(lock)
                .hint("one daemon answers for all bases of a host: end the other one first"),
            EngineError::GuestHeld { guest, .. } => Trouble::new("guest-held")
                .guest(guest)
                .hint("wait until the other run is over, and plan again"),
            EngineError::CloneOfRunning { guest, .. } => Trouble::new("guest-running")
                .guest(guest)
                .hint("stop the guest, or give --allow-running"),
            EngineError::ChangedMeanwhile { guest, path }
            | EngineError::NotCopiedWhole { guest, path, .. } => {
                let mut trouble = Trouble::new("not-copied").guest(guest);
                trouble.place.path = Some(path.clone());
                trouble
            }
            EngineError::Stopped => Trouble::new("stopped").hint("run the same command again"),
            EngineError::Halted { base, .. } => Trouble::new("halted")
                .file(base)
                .hint(format!("unify recover --base {}", Escaped::of(base))),
        }
    }
}

fn machine(error: &SysError) -> Trouble {
    let code = match error.meaning() {
        Meaning::Gone => "not-found",
        Meaning::PathChanged => "not-a-directory",
        Meaning::OtherFilesystem => "other-filesystem",
        Meaning::Busy => "busy",
        Meaning::TooManyLinks => "too-many-links",
        Meaning::NoSpace => "no-space",
        Meaning::Denied => "denied",
        Meaning::Exists => "exists",
        Meaning::Unsupported => "unsupported",
        Meaning::Other => "machine",
    };
    let trouble = Trouble::new(code).file(&error.path);
    match error.meaning() {
        Meaning::NoSpace => trouble.hint("make room there, and run the same command again"),
        Meaning::Busy => trouble.hint("wait for the process that uses it, and try again"),
        _ => trouble,
    }
}

fn base(error: &BaseError) -> Trouble {
    match error {
        BaseError::Sys(error) => machine(error),
        BaseError::Missing(path) => Trouble::new("no-base")
            .file(path)
            .hint("`unify apply` makes it; or name another with --base"),
        BaseError::Foreign(path) => Trouble::new("not-a-base")
            .file(path)
            .hint("name the base with --base"),
        BaseError::NoBase { path, likely } => {
            let hint = likely
                .as_ref()
                .map(|likely| format!("--base {}", Escaped::of(likely)));
            let trouble = Trouble::new("not-a-base").file(path);
            trouble.hint(hint.unwrap_or_else(|| "name the base with --base".to_owned()))
        }
        BaseError::Dangling(path) | BaseError::MountPoint(path) => {
            Trouble::new("no-place-for-base")
                .file(path)
                .hint("name another place with --base")
        }
        BaseError::Elsewhere(path) => Trouble::new("base-moved").file(path).hint(format!(
            "unify recover --restored --base {}, if its guests came with it",
            Escaped::of(path)
        )),
        BaseError::Exposed { path, .. } => Trouble::new("base-exposed")
            .file(path)
            .hint("name another base with --base, or change who may write there"),
        BaseError::Locked { path, .. } => Trouble::new("locked")
            .file(path)
            .hint("wait until the other run is over, and try again"),
    }
}

fn plan(error: &PlanError) -> Trouble {
    let at = |code, line: &u64| Trouble::new(code).line(*line);
    match error {
        PlanError::Text(error) => at("plan-text", &error.line),
        PlanError::Value { line, bad } => {
            let mut trouble = at("plan-value", line);
            trouble.place.field = Some(bad.field.clone()).filter(|field| !field.is_empty());
            trouble
        }
        PlanError::NotAPlan { line } => at("not-a-plan", line),
        PlanError::Version { line, .. } => at("plan-version", line).hint(NEW_PLAN),
        PlanError::Misplaced { line, .. } => at("plan-misplaced", line),
        PlanError::Missing { line, .. } => at("plan-cut-off", line).hint(NEW_PLAN),
        PlanError::GuestTwice { line, guest } => at("plan-guest-twice", line).guest(guest),
        PlanError::UnknownGuest { line, guest } => at("plan-unknown-guest", line).guest(guest),
        PlanError::Order { line } => at("plan-order", line),
    }
}

fn refused(why: &RefusedPlan) -> Trouble {
    match why {
        RefusedPlan::OtherHost => {
            Trouble::new("other-host").hint("make a plan on the host that shall apply it")
        }
        RefusedPlan::OtherOrder => Trouble::new("other-order").hint(NEW_PLAN),
        RefusedPlan::Rewritten => {
            Trouble::new("plan-rewritten").hint("apply it again when nobody writes to it")
        }
        RefusedPlan::ImagePlan => Trouble::new("image-plan")
            .option("--audit")
            .hint("make a plan with `unify plan` and without --audit"),
        RefusedPlan::Ambiguous(_) => Trouble::new("ambiguous-digest")
            .option("--approved")
            .hint("give more digits of the digest that was approved"),
        RefusedPlan::NotApproved { .. } => Trouble::new("not-approved")
            .option("--approved")
            .hint("let this content be approved, or apply the plan that was"),
        RefusedPlan::Edited { .. } => Trouble::new("edited")
            .hint("look at these lines, and give --accept-edits if they are meant"),
        RefusedPlan::NotProvable { .. } => {
            Trouble::new("not-provable").hint("give the line the value that it had, or delete it")
        }
        RefusedPlan::Namesake { name, other } => Trouble::new("namesake")
            .guest(name)
            .file(other)
            .hint(OTHER_NAME),
        RefusedPlan::OtherRoot { name, root } => Trouble::new("other-root")
            .guest(name)
            .file(root)
            .hint(NEW_PLAN),
    }
}

fn report_file(bad: &BadUse) -> Trouble {
    match bad {
        BadUse::Baseline(_) => Trouble::new("baseline").option("--baseline"),
        _ => Trouble::new("report-within-guest"),
    }
}

fn bad_use(bad: &BadUse) -> Trouble {
    match bad {
        BadUse::PlanWithinGuest(path) => Trouble::new("plan-within-guest")
            .file(path)
            .option("--output")
            .hint("write the plan outside of all guests and of the base"),
        BadUse::ReportWithinGuest(path) | BadUse::Baseline(path) => report_file(bad).file(path),
        BadUse::PolicyNotText(file) => Trouble::new("policy").file(file.as_ref()),
        BadUse::Policy(_) => Trouble::new("policy").option("--policy"),
        BadUse::UnknownRun(_) => Trouble::new("unknown-run").option("--run").hint(RUNS),
        BadUse::UnknownGuest(guest) => Trouble::new("unknown-guest").guest(guest).hint(RUNS),
        BadUse::GuestGone { .. }
        | BadUse::BeingMaintained { .. }
        | BadUse::NoSuchPackage { .. }
        | BadUse::PackagesUnknown { .. }
        | BadUse::NotInPlan { .. } => of_guest(bad),
        BadUse::RootIsLink { name, root, .. } => {
            Trouble::new("root-is-link").guest(name).file(root)
        }
        BadUse::NoSuchGuest { known, .. } => Trouble::new("unknown-guest")
            .option("--guest")
            .hint(format!("there are {}", known.join(", "))),
        BadUse::NoPlanOfRun(_) => {
            Trouble::new("no-plan-of-run").hint("choose names by --guest and --path")
        }
        BadUse::WalkedByRun | BadUse::WalkedToLook | BadUse::FromDisk(_) => walked(bad),
        BadUse::NoPath(_) => Trouble::new("no-path"),
        BadUse::GuestNotPlanned { name, .. } => Trouble::new("unknown-guest").guest(name),
        BadUse::GuestName(_) => Trouble::new("guest-name").hint("name the guest with NAME=PATH"),
        BadUse::NamelessInput
        | BadUse::InputGone(_)
        | BadUse::WhichImage { .. }
        | BadUse::ImageNeedsAudit(_) => bad_image(bad),
        BadUse::CloneExists(_)
        | BadUse::GivenTwice(_)
        | BadUse::NoCommonPlace(..)
        | BadUse::BaseInStore { .. }
        | BadUse::HostRoot(_)
        | BadUse::NotADirectory { .. }
        | BadUse::NotARoot { .. }
        | BadUse::PackedImage { .. }
        | BadUse::SameDirectory(..)
        | BadUse::Nested(..) => bad_place(bad),
        BadUse::SameName { name, other, .. } | BadUse::Namesake { name, other } => {
            Trouble::new("namesake")
                .guest(name)
                .file(other)
                .hint(OTHER_NAME)
        }
        BadUse::Pattern(_) | BadUse::PatternWithoutSlash { .. } => Trouble::new("pattern"),
        BadUse::NoBase { .. } => Trouble::new("no-base")
            .option("--base")
            .hint("name the base with --base DIR, or in UNIFY_BASE"),
        BadUse::ManyBases(_) => Trouble::new("many-bases")
            .option("--base")
            .hint("name one of them with --base DIR, or in UNIFY_BASE"),
    }
}

/// Guests whose names are found by a walk, in a command that cannot take them so.
fn walked(bad: &BadUse) -> Trouble {
    let usage = Trouble::new("usage");
    match bad {
        BadUse::WalkedByRun => usage.option("--run").hint("--run all"),
        BadUse::FromDisk(what) => usage.option("--from-disk").hint(*what),
        _ => usage
            .option("--guest")
            .hint("give --dry-run with names of guests alone"),
    }
}

/// Images that are not said clearly, or not where something shall be linked.
fn bad_image(bad: &BadUse) -> Trouble {
    match bad {
        BadUse::NamelessInput => Trouble::new("guest-name").hint("name the guest: NAME=-"),
        BadUse::InputGone(guest) => Trouble::new("input-gone")
            .guest(guest)
            .hint("plan the image as a file"),
        BadUse::WhichImage { name, .. } => Trouble::new("which-image")
            .guest(name)
            .hint("oci:PATH:NAME, or --platform"),
        BadUse::ImageNeedsAudit(path) => Trouble::new("image-needs-audit")
            .file(path)
            .option("--audit")
            .hint("give --audit, or unpack the image"),
        _ => Trouble::new("usage"),
    }
}

/// What is wrong with the guest that is meant, or with what was said of it.
fn of_guest(bad: &BadUse) -> Trouble {
    match bad {
        BadUse::NotInPlan { name, near, known } => {
            let hint = match near.as_str() {
                "" => format!("the plan has {}", known.join(", ")),
                near => format!("did you mean {near}?"),
            };
            Trouble::new("unknown-guest").guest(name).hint(hint)
        }
        BadUse::GuestGone { name, root } => Trouble::new("guest-gone").guest(name).file(root),
        BadUse::BeingMaintained { name, .. } => Trouble::new("being-maintained")
            .guest(name)
            .hint(format!("unify refreeze {name}")),
        BadUse::NoSuchPackage { guest, .. } => Trouble::new("unknown-package")
            .guest(guest)
            .option("--packages"),
        BadUse::PackagesUnknown { guest, .. } => Trouble::new("packages-unknown")
            .guest(guest)
            .option("--packages")
            .hint("choose files with --path, or thaw --all"),
        _ => Trouble::new("usage"),
    }
}

/// Directories that can be no guest, or no base, or not together.
fn bad_place(bad: &BadUse) -> Trouble {
    match bad {
        BadUse::CloneExists(path) => Trouble::new("exists")
            .file(path)
            .hint("name a directory that does not exist yet"),
        BadUse::GivenTwice(path) => Trouble::new("given-twice").file(path),
        BadUse::NoCommonPlace(..) => Trouble::new("no-common-place").option("--base"),
        BadUse::BaseInStore { root, .. } => {
            Trouble::new("base-in-store").file(root).option("--base")
        }
        BadUse::HostRoot(path) => Trouble::new("host-root").file(path),
        BadUse::NotADirectory { given, remedy, .. } => {
            Trouble::new("not-a-directory").file(given).hint(*remedy)
        }
        BadUse::NotARoot { given, .. } | BadUse::PackedImage { given, .. } => {
            Trouble::new("not-a-root")
                .file(given)
                .hint("name the root in it, or give --not-a-root")
        }
        BadUse::SameDirectory(path, _) => Trouble::new("given-twice").file(path),
        BadUse::Nested(path, _) => Trouble::new("nested").file(path),
        _ => Trouble::new("usage"),
    }
}

fn lacking(lack: &CannotHere) -> Trouble {
    let code = Trouble::new;
    match lack {
        CannotHere::Protect(_) | CannotHere::NothingHolds | CannotHere::ProtectAsPlanned { .. } => {
            code("cannot-protect").option("--protect")
        }
        CannotHere::OtherProtection { base, .. } => {
            (code("cannot-protect").file(base)).option("--protect")
        }
        CannotHere::ProtectionGone { base, .. } => code("protection-gone")
            .file(base)
            .hint("load the guard, or move the base with `unify protect immutable`"),
        CannotHere::NoMove { base, .. } => code("cannot-protect").file(base),
        CannotHere::CannotMount { image, remedy, .. } => {
            code("cannot-mount").file(image).hint(*remedy)
        }
        CannotHere::Guard(_) => code("cannot-guard"),
        CannotHere::GuardInUse(_) => code("guard-in-use").option("--leave-unprotected"),
        CannotHere::Sharing { place, .. } => code("cannot-share").file(place),
        CannotHere::Reflink { place, .. } => code("cannot-reflink").file(place).option("--method"),
        CannotHere::BlocksApart { one, .. } => code("other-filesystem").file(one),
        CannotHere::EncryptedBase(path) => code("encrypted-base")
            .file(path)
            .hint("name a base outside of that directory with --base"),
        CannotHere::OtherMount { guest: one, .. } | CannotHere::GuestsApart { one, .. } => {
            code("other-mount")
                .file(one)
                .hint("plan guests of different file systems apart, each with a base there")
        }
        CannotHere::ReadOnly(path) => code("read-only").file(path).hint("mount it writable"),
        CannotHere::OtherMountThanBase(guest) => code("other-mount").file(guest),
        CannotHere::NotRoot { command, .. } | CannotHere::NotPrivileged(command) => {
            code("not-privileged").hint(format!("run {command} as root of the host"))
        }
        CannotHere::GuestUnread { name, path, .. } => {
            let mut trouble = code("guest-unread").guest(name);
            trouble.place.path = Some(path.clone());
            trouble
        }
        CannotHere::HiddenProcesses(_) => {
            code("hidden-processes").hint("run it on the host, in its first PID namespace")
        }
        CannotHere::BaseShared { base, .. } => code("base-exposed").file(base),
        CannotHere::NoRoom { .. } => {
            code("no-space").hint("make room, or undo a part with --guest or --path")
        }
        CannotHere::NoRoomToClone { place, .. } | CannotHere::NoNamesToClone { place, .. } => {
            code("no-space")
                .file(place)
                .hint("make room there, and run the same command again")
        }
        CannotHere::NoThreads { .. } => code("no-threads").option("--jobs"),
        CannotHere::GuestTooLarge { name, .. } => code("guest-too-large").guest(name),
        CannotHere::IdentityNotFound(guest) => code("identity-not-found")
            .guest(guest)
            .option("--keep-identity"),
        CannotHere::NothingShared { base, .. } => code("nothing-shared").file(base),
    }
}
