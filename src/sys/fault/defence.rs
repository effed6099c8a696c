//! The defences that a test can switch off.

/// A defence that tests can switch off, one at a time. Each is one of the threats' answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name is what is left out")]
pub enum Weak {
    PlainRename,
    NoLease,
    LeaseReleasedEarly,
    NoLastLook,
    NoMountCheck,
    AdoptAlways,
    SizeOnlyCompare,
    ShortDigest,
    DropBeforeSync,
    JournalWithoutSync,
    BlockingOpen,
    PathInsteadOfDescriptor,
    NoCtime,
    ThawWhileRunning,
    NoLookAfterFlag,
    RestoreTimesAlways,
}
