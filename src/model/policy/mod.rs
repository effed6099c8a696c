//! Everything that a user may choose, as data: it stands in the plan, so nothing reads the command line again.

mod idle;
mod method;
mod moved;
mod sign;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Digest, GuestName, SkipReason};

pub use idle::{ChoiceKind, IdleChoice, IdleReason};
pub use method::{MethodChoice, PlanMethods, SharingMethod};
pub use moved::ProtectionMove;
pub use sign::Sign;

/// The choices under which a plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Metadata that need not be equal.
    pub ignore: Vec<Ignored>,
    /// Match only names with equal paths (vunify's model) instead of any names (vhashify's).
    pub same_path: bool,
    /// Files below this many bytes are left alone.
    pub min_size: u64,
    /// Care rules that were switched off.
    pub allow: Vec<SkipReason>,
    /// Include and exclude patterns, first match wins.
    pub patterns: Vec<Pattern>,
    /// Whether an object may be the inode of a stopped guest.
    pub objects: Objects,
    /// Which skips are listed.
    pub skips: SkipDetail,
    /// What becomes of a guest whose package database is damaged.
    pub on_damaged_database: OnDamaged,
    /// Whether package databases are asked.
    pub package_databases: DatabaseUse,
    /// What becomes of guests that could take the flag off a shared file.
    #[serde(skip_serializing_if = "FlagClearers::is_default", default)]
    pub flag_clearers: FlagClearers,
    /// How files shall be shared. Plans of earlier programs do not say it: they share by hard links.
    #[serde(skip_serializing_if = "MethodChoice::is_default", default)]
    pub method: MethodChoice,
    /// Do equal files of one guest share blocks, too? Of reflinks only.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub within: bool,
    /// Do files that care rules call configuration share blocks, too? Of reflinks only.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub reflink_config: bool,
    /// The file that some of these choices came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PolicySource>,
}

/// What holds where nothing is chosen.
impl Default for Policy {
    fn default() -> Policy {
        Policy {
            ignore: Vec::new(),
            same_path: false,
            min_size: 0,
            allow: Vec::new(),
            patterns: Vec::new(),
            objects: Objects::Adopt,
            skips: SkipDetail::Summary,
            on_damaged_database: OnDamaged::default(),
            package_databases: DatabaseUse::default(),
            flag_clearers: FlagClearers::default(),
            method: MethodChoice::default(),
            within: false,
            reflink_config: false,
            file: None,
        }
    }
}

/// Where choices came from that were not typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySource {
    /// Its path as it was given.
    pub path: String,
    /// The digest of its content.
    pub content: Digest,
}

/// What becomes of a guest whose package database is damaged: what it calls configuration is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDamaged {
    /// It takes no part.
    #[default]
    ExcludeGuest,
    /// The damaged database is not believed; care rules, patterns and other databases decide.
    CareRulesOnly,
}

/// Could what runs in a guest take the immutable flag off a shared file?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClearsFlags {
    /// It could not.
    No,
    /// It is not known.
    Unknown,
    /// It could.
    Yes,
}

/// What becomes of a guest in which a process could take the immutable flag off a shared file: it could then write for
/// all guests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlagClearers {
    /// The plan says so, and links its files like those of all others.
    #[default]
    Warn,
    /// None of its files is linked.
    Refuse,
    /// The same for guests of which it is not known.
    RefuseUnknown,
}

impl FlagClearers {
    /// Are the files of a guest with this answer kept private?
    pub fn refuse(self, answer: ClearsFlags) -> bool {
        match self {
            FlagClearers::Warn => false,
            FlagClearers::Refuse => answer == ClearsFlags::Yes,
            FlagClearers::RefuseUnknown => answer != ClearsFlags::No,
        }
    }

    fn is_default(&self) -> bool {
        *self == FlagClearers::Warn
    }
}

/// Are the package databases of a guest asked?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// Those that it has.
    #[default]
    Use,
    /// None: only care rules and patterns decide.
    Ignore,
}

/// The use of package databases, for all guests and for single ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseUse {
    /// For guests that are not named.
    pub all: Asked,
    /// For these guests.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub guests: BTreeMap<GuestName, Asked>,
}

impl DatabaseUse {
    /// Are those of this guest asked?
    pub fn of(&self, guest: &GuestName) -> Asked {
        self.guests.get(guest).copied().unwrap_or(self.all)
    }
}

/// Metadata that the user lets differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ignored {
    /// Modification time. The names get the object's; `undo` gives each its own back.
    Mtime,
}

/// Where objects come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objects {
    /// Adopt the inode of a stopped guest where that is safe, else copy.
    Adopt,
    /// Always a fresh private copy.
    Copy,
}

/// How much of what is left alone is listed line by line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SkipDetail {
    /// Directories as one line, unique files only counted.
    Summary,
    /// Every file has its line.
    All,
}

/// One include or exclude pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Include or exclude.
    pub kind: PatternKind,
    /// The one guest that it is for; all where none is named.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub guest: Option<GuestName>,
    /// A glob over the absolute path inside the guest.
    pub glob: String,
    /// Does `*` match a slash? True in lists of the original (`fnmatch` without flags).
    pub star_crosses_slash: bool,
    /// Where it was given: `--exclude`, or a file's name and line.
    pub from: String,
}

impl Pattern {
    /// A pattern as a person writes it: `GUEST:/GLOB` is for one guest, any other text for all. A name with a colon
    /// before a slash in it is written with `[:]`.
    pub fn of(kind: PatternKind, text: &str, star_crosses_slash: bool, from: &str) -> Pattern {
        let (guest, glob) = match split_guest(text) {
            Some((guest, glob)) => (Some(guest), glob),
            None => (None, text),
        };
        Pattern {
            kind,
            guest,
            glob: glob.to_owned(),
            star_crosses_slash,
            from: from.to_owned(),
        }
    }

    /// Is it for this guest?
    pub fn is_for(&self, guest: &GuestName) -> bool {
        self.guest.as_ref().is_none_or(|one| one == guest)
    }

    /// As it was written.
    pub fn text(&self) -> String {
        match &self.guest {
            Some(guest) => format!("{guest}:{}", self.glob),
            None => self.glob.clone(),
        }
    }
}

/// The guest that a pattern names, and its glob. A name of glob characters is no guest's.
fn split_guest(text: &str) -> Option<(GuestName, &str)> {
    let colon = text.find(":/")?;
    let (name, glob) = (text.get(..colon)?, text.get(colon + 1..)?);
    let plain = !name.contains(['*', '?', '[', '\\']);
    let guest = GuestName::new(name).ok().filter(|_| plain)?;
    Some((guest, glob))
}

/// What a match of a [`Pattern`] means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PatternKind {
    /// May be shared, whatever later patterns and the path rules say; never overrides a package's config files.
    Include,
    /// Left alone.
    Exclude,
}

/// How objects shall be protected, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protect {
    /// The best that this host can do; never [`Protect::None`].
    Auto,
    /// Marks in the kernel: immutable but unlinkable.
    Guard,
    /// VServer's pair of flags: immutable but unlinkable.
    Iunlink,
    /// fs-verity: nobody changes the content, names come and go, and whoever may changes the metadata.
    Verity,
    /// The immutable flag.
    Immutable,
    /// Nothing: an in-place write by one guest changes the file for all.
    None,
}

impl Protect {
    /// All of them.
    pub const ALL: [Protect; 6] = [
        Protect::Auto,
        Protect::Guard,
        Protect::Iunlink,
        Protect::Verity,
        Protect::Immutable,
        Protect::None,
    ];

    /// The word for it in plans and papers.
    pub fn code(self) -> &'static str {
        match self {
            Protect::Auto => "auto",
            Protect::Guard => "guard",
            Protect::Iunlink => "iunlink",
            Protect::Verity => "verity",
            Protect::Immutable => "immutable",
            Protect::None => "none",
        }
    }

    /// What this word means, if it is one.
    pub fn from_code(code: &str) -> Option<Protect> {
        Protect::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// How objects will be protected, as decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// What was asked for.
    pub asked: Protect,
    /// What will be done: never `auto`.
    pub mode: Protect,
    /// Why this mode, as a sentence.
    pub why: String,
}

/// What is done about guests that run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Running {
    /// What concerns them is refused.
    #[default]
    Refuse,
    /// They are frozen for moments, where that can be done.
    Freeze {
        /// How long a moment should be at most.
        at_most: Duration,
    },
}

impl Running {
    /// They are frozen, for as long as is meant where nothing is said.
    pub const FREEZE: Running = Running::Freeze {
        at_most: Duration::from_millis(100),
    };

    /// How long a moment should be at most; `None` where nothing is frozen.
    pub fn at_most(self) -> Option<Duration> {
        match self {
            Running::Refuse => None,
            Running::Freeze { at_most } => Some(at_most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_may_name_a_guest() {
        let of = |text| {
            let pattern = Pattern::of(PatternKind::Exclude, text, false, "--exclude");
            assert_eq!(pattern.text(), text);
            let guest = pattern.guest.map(|guest| guest.to_string());
            (guest.unwrap_or_default(), pattern.glob)
        };
        let is = |guest: &str, glob: &str| (guest.to_owned(), glob.to_owned());
        assert_eq!(of("web1:/usr/share/doc"), is("web1", "/usr/share/doc"));
        assert_eq!(of("web1:/a:/b"), is("web1", "/a:/b"));
        for all in [
            "/a:/b",
            "*:/x",
            "libc6:amd64.list",
            "w[:]/x",
            ":/x",
            "a/b:/x",
        ] {
            assert_eq!(of(all), is("", all));
        }
    }
}
