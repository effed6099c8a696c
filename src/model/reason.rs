//! Why: stable codes for people, scripts and tests. `engine` never decides by one.
//!
//! Three macros make the enums of this room that have codes, so that the list of all codes, which tests go through, is
//! the list of the variants.

/// Makes an enum of bare codes. The sentence that follows a code is its documentation.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal : $sentence:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[doc = $sentence] #[serde(rename = $code)] $variant,)+ }

        impl $name {
            /// Every code, for help texts, schemas and tests.
            #[allow(dead_code, reason = "for some of these enums only a test goes through it")]
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The code as it stands in plans, receipts and answers.
            pub fn code(self) -> &'static str {
                match self { $($name::$variant => $code),+ }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}
pub(super) use codes;

/// Makes an enum of codes with a sentence each.
macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $code:literal : $sentence:literal,)+ }) => {
        $crate::model::reason::codes! { $(#[$doc])* $name { $($variant = $code: $sentence,)+ } }

        impl $name {
            /// The bare sentence for people; `report` adds the facts of the line.
            pub fn sentence(self) -> &'static str {
                match self { $($name::$variant => $sentence),+ }
            }
        }
    };
}
pub(super) use reasons;

/// Makes an enum whose variants have facts, and the enum of its codes: the kind of such a value.
macro_rules! kinds {
    (
        $(#[$doc:meta])* $name:ident
        $(#[$kind_doc:meta])* $kind:ident {
            $(
                $(#[$variant_doc:meta])*
                $variant:ident $({ $($(#[$fact_doc:meta])* $fact:ident: $type:ty,)* })? $(($only:ty))?
                    = $code:literal : $sentence:literal,
            )+
        }
    ) => {
        $crate::model::reason::reasons! { $(#[$kind_doc])* $kind { $($variant = $code: $sentence,)+ } }

        $(#[$doc])*
        pub enum $name {
            $($(#[$variant_doc])* $variant $({ $($(#[$fact_doc])* $fact: $type,)* })? $(($only))?,)+
        }

        impl $name {
            /// Which kind it is of, without the facts.
            pub fn kind(&self) -> $kind {
                match self { $($name::$variant { .. } => $kind::$variant),+ }
            }
        }
    };
}
pub(super) use kinds;

reasons! {
    /// Why a name may be linked.
    LinkReason {
        Identical = "identical": "same content and metadata as other names",
        IdenticalObject = "identical-object": "same content and metadata as an object that is already in the base",
        SharedInode = "shared-inode": "one inode with names in other guests already, and nothing protects it",
        SameContent = "same-content": "same content as another file, whose blocks it can have as well",
    }
}

reasons! {
    /// Why an object is flagged.
    FlagReason {
        ProtectShared = "protect-shared": "a shared file must not be changed by one guest for all",
    }
}

reasons! {
    /// Why a name is left alone. The order of the variants is that of the plan's summary.
    SkipReason {
        ConfigFile = "config-file": "config file",
        ConfigSidecar = "config-sidecar": "kept beside a config file by the package manager",
        Diverted = "diverted": "diverted by the administrator or a package",
        ModeOverride = "mode-override": "owner or mode set by the administrator (statoverride)",
        Etc = "etc": "configuration directory",
        MachineIdentity = "machine-identity": "identity of this machine",
        RandomSeed = "random-seed": "random seed",
        Secret = "secret": "key or other secret",
        UserDatabase = "user-database": "users and groups of this guest",
        PackageState = "package-state": "state of the package manager",
        Cache = "cache": "cache",
        Log = "log": "log, spool or mail",
        NetworkIdentity = "network-identity": "network identity or lease",
        Database = "database": "database in use",
        LockFile = "lock-file": "lock or process-id file",
        History = "history": "history of a person's commands",
        CloudInit = "cloud-init": "state of cloud-init",
        Var = "var": "variable data",
        Home = "home": "home directory or served data",
        Runtime = "runtime": "runtime, temporary or foreign directory",
        BootState = "boot-state": "state of the boot loader",
        NotWorldReadable = "not-world-readable": "not readable by everybody",
        WorldWritable = "writable-by-others": "writable by group or others",
        Privileged = "privileged": "setuid, setgid or with capabilities",
        Empty = "empty": "empty file, nothing to gain",
        TooSmall = "too-small": "smaller than --min-size",
        TooSparse = "too-sparse": "has far more holes than data",
        MoreThanStored = "more-than-stored": "its guest has far more bytes in files than this file system stores",
        Excluded = "excluded": "excluded by a pattern",
        LinkedToKept = "linked-to-kept": "another name of the same file must stay private",
        NamesOutside = "names-outside": "has hard links outside the guests of this plan",
        SharedUnprotected = "shared-unprotected": "one inode with names in other guests, and nothing protects it",
        TooManyNames = "too-many-names": "has more hard links than one plan line can name",
        InodeFlags = "inode-flags": "has inode flags that a link would change",
        Project = "project": "the file system lets no file of its project into its directory, or gives that project to no copy",
        Encrypted = "encrypted": "encrypted by its guest's directory, which lets no name cross",
        ImmutableFile = "immutable-file": "immutable, so that it can get no other blocks",
        NoCopyOnWrite = "no-copy-on-write": "set to be written in place, which sharing blocks would end",
        SwapFile = "swap-file": "in use as swap",
        InlineData = "inline-data": "so small that it lies beside the metadata, where nothing can be shared",
        NoData = "no-data": "has no data on the disk: only holes, or room that was set aside",
        TooFragmented = "too-fragmented": "in more pieces than are worth sharing",
        FixedDirectory = "fixed-directory": "its directory is immutable or append-only, so no name in it can be moved",
        FlagClearer = "flag-clearer": "its guest could take the flag off a shared file",
        BeingMaintained = "being-maintained": "its guest is being maintained",
        MountedOver = "mounted-over": "something is mounted on this name",
        Locked = "locked": "a process holds a lock on it",
        Watched = "watched": "a process watches it for changes",
        OpenForWriting = "open-for-writing": "a process has it open for writing",
        Open = "open": "a process has it open, and no package owns it",
        MountedElsewhere = "mounted-elsewhere": "it is mounted by itself at another name",
        OtherFilesystem = "other-filesystem": "on another file system than the guest's root",
        Subvolume = "subvolume": "in a subvolume of its own, which a plan takes as a guest of its own",
        Unreadable = "unreadable": "could not be read",
        ChangedWhileReading = "changed-while-reading": "changed while it was read",
        BlocksShared = "blocks-shared": "has all its blocks in common with other files already",
        OwnGuest = "own-guest": "equal to files of its own guest only, see --within",
        AlreadyShared = "already-shared": "already refers to an object",
        Unique = "unique": "no other name has this content and metadata",
        Held = "held": "held back by the reviewer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_are_the_json() {
        let mut seen = std::collections::BTreeSet::new();
        for reason in SkipReason::ALL {
            assert!(seen.insert(reason.code()), "{reason} twice");
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
        }
    }
}
