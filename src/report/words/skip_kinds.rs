//! Kinds of reasons: forty codes are too many for the one screen of `unify plan`.

use std::collections::BTreeMap;

use crate::model::{Count, SkipReason};

use crate::report::plan_view::Skipped;

/// What the files that are left alone have in common; reasons are too many for a first look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipKind {
    /// The care rules.
    Care,
    /// What some users may not read, or some may write.
    Access,
    /// Hard links, flags and mounts that a link would break.
    Tied,
    /// What processes and mounts do with it now.
    InUse,
    /// What the user or the reviewer said.
    Asked,
    /// What could not be read.
    Unread,
    /// What has no twin, or has one already.
    NoGain,
    /// A code that this version does not know.
    Other,
}

impl SkipKind {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            SkipKind::Care => "for care (config, secrets, state, caches, logs)",
            SkipKind::Access => "private, writable by others or privileged",
            SkipKind::Tied => "tied to other names, flags or mounts",
            SkipKind::InUse => "in use now (locked, watched, open, mounted)",
            SkipKind::Asked => "as you asked (patterns, sizes, held back)",
            SkipKind::Unread => "could not be read or changed meanwhile",
            SkipKind::NoGain => "unique, empty or already shared",
            SkipKind::Other => "for other reasons",
        }
    }

    fn of(code: &str) -> SkipKind {
        let reason = SkipReason::ALL.iter().find(|reason| reason.code() == code);
        reason.map_or(SkipKind::Other, |reason| SkipKind::of_reason(*reason))
    }

    fn of_reason(reason: SkipReason) -> SkipKind {
        use SkipReason as R;
        match reason {
            R::NotWorldReadable | R::WorldWritable | R::Privileged => SkipKind::Access,
            R::LinkedToKept | R::NamesOutside | R::SharedUnprotected => SkipKind::Tied,
            R::TooManyNames | R::InodeFlags | R::FixedDirectory => SkipKind::Tied,
            R::MountedOver | R::OtherFilesystem | R::Subvolume => SkipKind::Tied,
            R::Locked | R::Watched | R::OpenForWriting | R::Open => SkipKind::InUse,
            R::MountedElsewhere => SkipKind::InUse,
            R::Project | R::Encrypted | R::ImmutableFile | R::NoCopyOnWrite => SkipKind::Tied,
            R::SwapFile => SkipKind::Tied,
            R::TooSmall | R::TooSparse | R::MoreThanStored | R::Excluded | R::Held => {
                SkipKind::Asked
            }
            R::FlagClearer | R::BeingMaintained | R::OwnGuest => SkipKind::Asked,
            R::Unreadable | R::ChangedWhileReading => SkipKind::Unread,
            R::Empty | R::Unique | R::AlreadyShared | R::BlocksShared => SkipKind::NoGain,
            R::InlineData | R::NoData | R::TooFragmented => SkipKind::NoGain,
            R::ConfigFile | R::ConfigSidecar | R::Diverted | R::ModeOverride => SkipKind::Care,
            R::Etc | R::MachineIdentity | R::RandomSeed | R::Secret | R::UserDatabase => {
                SkipKind::Care
            }
            R::PackageState | R::Cache | R::Log | R::NetworkIdentity | R::Database => {
                SkipKind::Care
            }
            R::LockFile | R::History | R::CloudInit | R::Var | R::Home | R::Runtime => {
                SkipKind::Care
            }
            R::BootState => SkipKind::Care,
        }
    }
}

/// The rows of [`PlanView::skipped`], added up by kind.
pub fn by_kind(rows: &[Skipped<'_>]) -> BTreeMap<SkipKind, Count> {
    let mut kinds: BTreeMap<SkipKind, Count> = BTreeMap::new();
    for row in rows {
        let sum = kinds.entry(SkipKind::of(row.code)).or_default();
        sum.files = sum.files.saturating_add(row.count.files);
        sum.bytes = sum.bytes.saturating_add(row.count.bytes);
    }
    kinds
}
