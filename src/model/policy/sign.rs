//! What messages call that by which a shared file is protected.

use super::Protect;

/// What a shared file has while it is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sign {
    /// The immutable flag.
    #[default]
    Flag,
    /// VServer's pair.
    Flags,
    /// The guard's, which the kernel keeps until it restarts.
    Mark,
    /// That of fs-verity. Metadata can be changed all the same, and are watched with it.
    Seal,
    /// Whatever it is: what protects the base is not known.
    Protection,
}

impl Protect {
    /// What it gives a file.
    pub fn sign(self) -> Sign {
        match self {
            Protect::Guard => Sign::Mark,
            Protect::Iunlink => Sign::Flags,
            Protect::Verity => Sign::Seal,
            Protect::Auto | Protect::Immutable | Protect::None => Sign::Flag,
        }
    }
}

impl Sign {
    /// Of one file.
    pub fn its(self) -> &'static str {
        match self {
            Sign::Flag => "its flag",
            Sign::Flags => "its flags",
            Sign::Mark => "its mark",
            Sign::Seal => "its seal",
            Sign::Protection => "its protection",
        }
    }

    /// Of several files.
    pub fn their(self) -> &'static str {
        match self {
            Sign::Flag | Sign::Flags => "their flags",
            Sign::Mark => "their marks",
            Sign::Seal => "their seals",
            Sign::Protection => "their protection",
        }
    }

    /// To be counted: of one file, and of several.
    pub fn counted(self) -> (&'static str, &'static str) {
        match self {
            Sign::Flag => ("flag", "flags"),
            Sign::Flags => ("pair of flags", "pairs of flags"),
            Sign::Mark => ("mark", "marks"),
            Sign::Seal => ("seal", "seals"),
            Sign::Protection => ("protection", "protections"),
        }
    }
}
