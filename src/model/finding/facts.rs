//! What was found, as facts. None holds a secret, a digest of one, or a path of the host.

use crate::model::{GuestName, GuestPath, Moved, Owner, WhyStale};

/// What kind of secret a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretKind {
    /// The private key by which a machine is known to those who log in.
    HostKey,
    /// Any other private key.
    PrivateKey,
    /// The number of the machine.
    MachineId,
    /// What random numbers begin with.
    RandomSeed,
    /// The key that encrypts credentials of services.
    CredentialKey,
    /// Keys of a Kerberos service.
    Keytab,
}

impl SecretKind {
    /// As it stands in answers and baselines.
    pub fn code(self) -> &'static str {
        match self {
            SecretKind::HostKey => "host-key",
            SecretKind::PrivateKey => "private-key",
            SecretKind::MachineId => "machine-id",
            SecretKind::RandomSeed => "random-seed",
            SecretKind::CredentialKey => "credential-key",
            SecretKind::Keytab => "keytab",
        }
    }
}

/// Why a name is no good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameFault {
    /// It is not UTF-8.
    NotText,
    /// It holds control characters.
    Control,
    /// It is longer than other file systems allow.
    TooLong,
    /// Another name in the directory differs in the case of letters only.
    Case(GuestPath),
}

impl NameFault {
    /// As it stands in answers and baselines.
    pub fn code(&self) -> &'static str {
        match self {
            NameFault::NotText => "not-utf-8",
            NameFault::Control => "control-characters",
            NameFault::TooLong => "too-long",
            NameFault::Case(_) => "case-only",
        }
    }
}

/// What a guest has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The guest.
    pub guest: GuestName,
    /// What it has there, such as a mode and capabilities.
    pub value: String,
}

/// A path, and bytes that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPath {
    /// The path.
    pub path: GuestPath,
    /// Bytes.
    pub bytes: u64,
}

/// What became of the files of a directory, or of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DriftChange {
    /// Files that the golden guest lacks.
    pub added: u64,
    /// Files that only the golden guest has.
    pub removed: u64,
    /// Files with another content, owner or mode.
    pub changed: u64,
    /// Some of them.
    pub paths: Vec<GuestPath>,
}

/// By what files that drifted are put together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftPart {
    /// A package that has another version, or that only one of the two has.
    Package {
        /// Its name.
        name: String,
        /// The version in the golden guest; `None` where it is not there.
        golden: Option<String>,
        /// The version in the other.
        here: Option<String>,
    },
    /// A directory, where packages do not explain it.
    Directory(GuestPath),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindingFacts {
    /// Guests have one secret.
    SameSecret(SecretKind),
    /// A secret is part of an image.
    Baked(SecretKind),
    /// A file of a package has another content, or is gone.
    Modified {
        /// Whose file it is.
        package: Owner,
        /// The digest that the package names, with its kind in front.
        expected: String,
        /// The digest that was found.
        found: String,
    },
    /// No package has the file.
    Unowned {
        /// Its length.
        bytes: u64,
        /// A package that has files in the directory.
        near: Option<String>,
    },
    /// A program's rights.
    Rights {
        /// What each guest has.
        sides: Vec<Side>,
        /// The package that brings it.
        package: Option<Owner>,
    },
    /// Two files are equal but for this.
    Differs {
        /// What differs.
        fields: Vec<Moved>,
        /// What each of the two has, where it can be shown.
        sides: Vec<Side>,
        /// Allocated bytes that could come back.
        bytes: u64,
    },
    /// All owners of a guest are those of another plus a constant.
    Shifted {
        /// What must be added to a user id.
        uid: i64,
        /// The same for groups.
        gid: i64,
        /// How many files.
        files: u64,
        /// Their allocated bytes.
        bytes: u64,
    },
    /// Another guest's package calls the file configuration.
    Foreign {
        /// The guest that has the package.
        guest: GuestName,
        /// The package.
        package: Option<String>,
    },
    /// One inode has names in several guests.
    Linked {
        /// Its length.
        bytes: u64,
        /// Is it an object of a base, that has lost its protection?
        is_bare_object: bool,
    },
    /// What two guests share.
    Sharing {
        /// Bytes that both have.
        shared: u64,
        /// Bytes of the smaller of the two.
        of: u64,
        /// The share that was asked for, in thousandths.
        least: u64,
        /// The largest files that only the smaller one has.
        largest: Vec<SharedPath>,
    },
    /// What a guest has alone.
    Budget {
        /// Bytes that no other guest has.
        unique: u64,
        /// Bytes that it may have.
        most: u64,
        /// The largest of these files.
        largest: Vec<SharedPath>,
    },
    /// What is not as in the golden guest.
    Drift {
        /// By what it is put together.
        part: DriftPart,
        /// How much.
        change: DriftChange,
    },
    /// A name is no good.
    Name {
        /// Why.
        fault: NameFault,
        /// The package that brings it.
        package: Option<Owner>,
    },
    /// A plan links a name that a care rule keeps private.
    Linkable {
        /// The code of the care rule.
        care: &'static str,
    },
    /// A line of a plan does not hold.
    Stale(WhyStale),
    /// A database cannot be believed.
    Damaged {
        /// Whose.
        manager: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Something could not be read.
    Unread {
        /// Why.
        why: String,
    },
    /// An exception of the policy.
    Ignore {
        /// The rule that it is about.
        rule: &'static str,
        /// Its line in the policy.
        line: usize,
        /// The path that it is about.
        path: String,
        /// Its last day.
        until: String,
    },
}
