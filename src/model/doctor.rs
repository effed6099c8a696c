//! What a host and its file systems can do, as somebody found out by trying.

use std::path::PathBuf;

use super::{Method, Protect};

/// What can be tried. Each is put so that it is good to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ability {
    /// Root with `CAP_SYS_ADMIN` outside of every user namespace: sees all attributes, sets flags, mounts.
    FullRoot,
    /// All processes of the host are to be seen.
    AllProcesses,
    /// The freezer of cgroup v2.
    Freezer,
    /// Landlock keeps a process from writing.
    Landlock,
    /// User namespaces can be made.
    UserNamespaces,
    /// Programs may judge writes: BPF as a Linux security module.
    BpfLsm,
    /// The immutable flag keeps out who comes later.
    ImmutableFlag,
    /// It keeps out what had the file open before, too.
    OlderWriters,
    /// Files without a name (`O_TMPFILE`), which get one later.
    NamelessFiles,
    /// Several names of one file.
    HardLinks,
    /// Two names exchanged in one step (`renameat2`).
    Exchange,
    /// The whole life of a shared name: linked, exchanged, copied back.
    LinkLife,
    /// Files share blocks and stay files of their own (`FIDEDUPERANGE`).
    Reflink,
    /// The guard can mark files here.
    GuardMarks,
    /// Read leases tell of writers (`fcntl`, `F_SETLEASE`).
    Leases,
    /// Project ids, which quotas count by.
    Projects,
    /// fs-verity: content that nobody changes.
    Verity,
    /// Mounts with other owners.
    IdmappedMounts,
    /// Overlays whose layers lie here.
    OverlayMounts,
    /// A private mount of a tree that leaves no trace (`open_tree`, `mount_setattr`).
    PrivateClone,
    /// Files of other users are read without a new access time (`O_NOATIME`).
    NoAccessTimes,
    /// `statx` tells mounts apart.
    MountIds,
    /// Upper and lower case differ in names here.
    CaseSensitive,
    /// Names and content are not encrypted here (fscrypt).
    Unencrypted,
}

impl Ability {
    /// Those of the host, in the order in which they are shown.
    pub const OF_HOST: [Ability; 6] = [
        Ability::FullRoot,
        Ability::AllProcesses,
        Ability::Freezer,
        Ability::Landlock,
        Ability::UserNamespaces,
        Ability::BpfLsm,
    ];

    /// Those of a directory that are tried on scratch files.
    pub const ON_FILES: [Ability; 13] = [
        Ability::GuardMarks,
        Ability::ImmutableFlag,
        Ability::OlderWriters,
        Ability::NamelessFiles,
        Ability::HardLinks,
        Ability::Exchange,
        Ability::LinkLife,
        Ability::Reflink,
        Ability::Leases,
        Ability::Projects,
        Ability::Verity,
        Ability::OverlayMounts,
        Ability::NoAccessTimes,
    ];

    /// Those of a directory for which nothing is written.
    pub const BY_LOOKING: [Ability; 5] = [
        Ability::IdmappedMounts,
        Ability::PrivateClone,
        Ability::MountIds,
        Ability::CaseSensitive,
        Ability::Unencrypted,
    ];

    /// The word for it in JSON; it never changes its meaning.
    pub fn code(self) -> &'static str {
        match self {
            Ability::FullRoot => "full-root",
            Ability::AllProcesses => "all-processes",
            Ability::Freezer => "freezer",
            Ability::Landlock => "landlock",
            Ability::UserNamespaces => "user-namespaces",
            Ability::BpfLsm => "bpf-lsm",
            Ability::ImmutableFlag => "immutable-flag",
            Ability::OlderWriters => "older-writers",
            Ability::NamelessFiles => "nameless-files",
            Ability::HardLinks => "hard-links",
            Ability::Exchange => "exchange",
            Ability::LinkLife => "link-life",
            Ability::Reflink => "reflink",
            Ability::GuardMarks => "guard-marks",
            Ability::Leases => "leases",
            Ability::Projects => "project-ids",
            Ability::Verity => "verity",
            Ability::IdmappedMounts => "idmapped-mounts",
            Ability::OverlayMounts => "overlay-mounts",
            Ability::PrivateClone => "private-clone",
            Ability::NoAccessTimes => "no-access-times",
            Ability::MountIds => "mount-ids",
            Ability::CaseSensitive => "case-sensitive",
            Ability::Unencrypted => "unencrypted",
        }
    }
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrialVerdict {
    /// It works.
    Can,
    /// It works in part: the detail says what does not.
    Partly,
    /// It does not work.
    Cannot,
    /// It could not be tried, which says nothing.
    Untried,
}

impl TrialVerdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            TrialVerdict::Can => "yes",
            TrialVerdict::Partly => "partly",
            TrialVerdict::Cannot => "no",
            TrialVerdict::Untried => "untried",
        }
    }
}

/// A trial: how it ended, and what was seen, or why it did not work; empty where there is no more to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// How it ended.
    pub verdict: TrialVerdict,
    /// What was seen.
    pub detail: String,
}

impl Trial {
    /// It works.
    pub fn can(detail: impl Into<String>) -> Trial {
        Trial::of(TrialVerdict::Can, detail)
    }

    /// It works in part.
    pub fn partly(detail: impl Into<String>) -> Trial {
        Trial::of(TrialVerdict::Partly, detail)
    }

    /// It does not work.
    pub fn cannot(detail: impl Into<String>) -> Trial {
        Trial::of(TrialVerdict::Cannot, detail)
    }

    /// It could not be tried.
    pub fn untried(detail: impl Into<String>) -> Trial {
        Trial::of(TrialVerdict::Untried, detail)
    }

    fn of(verdict: TrialVerdict, detail: impl Into<String>) -> Trial {
        let detail = detail.into();
        Trial { verdict, detail }
    }
}

/// What was tried, and how that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedAbility {
    /// What was tried.
    pub ability: Ability,
    /// How it ended.
    pub trial: Trial,
}

/// What can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// `--protect` with this mode.
    Protect(Protect),
    /// Files shared by this method.
    Method(Method),
}

/// Whether it can be had, and what decides that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prospect {
    /// What can be had.
    pub offer: Offer,
    /// Can it?
    pub verdict: TrialVerdict,
    /// What stands in the way, or is not known.
    pub because: Vec<Ability>,
}

/// One directory that was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExaminedPlace {
    /// The directory, without links.
    pub path: PathBuf,
    /// The root that it is, or lies in: nothing is written into a guest.
    pub guest: Option<PathBuf>,
    /// Where scratch files were made; `None` where there were none.
    pub tried_in: Option<PathBuf>,
    /// What the kernel calls its file system.
    pub filesystem: String,
    /// What was tried.
    pub tried: Vec<TriedAbility>,
    /// What that makes possible.
    pub prospects: Vec<Prospect>,
}

/// What a host and some directories can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// What is the same for all directories.
    pub host: Vec<TriedAbility>,
    /// The security modules that the kernel asks, in their order; `None` where it does not tell.
    pub security_modules: Option<String>,
    /// Each directory.
    pub places: Vec<ExaminedPlace>,
}

impl Examination {
    /// Could something not be tried?
    pub fn has_untried(&self) -> bool {
        let places = self.places.iter().flat_map(|place| &place.tried);
        let mut all = self.host.iter().chain(places);
        all.any(|tried| tried.trial.verdict == TrialVerdict::Untried)
    }

    /// Is there a directory where files can be shared by no method?
    pub fn has_useless_place(&self) -> bool {
        self.places.iter().any(ExaminedPlace::is_useless)
    }
}

impl ExaminedPlace {
    /// Can files be shared by no method here?
    pub fn is_useless(&self) -> bool {
        let mut methods = self.prospects.iter();
        !methods.any(|prospect| {
            matches!(prospect.offer, Offer::Method(_)) && prospect.verdict != TrialVerdict::Cannot
        })
    }
}
