//! The names of directories and papers in a base that are made when they are needed.

/// The directory that `plan` may write in without the lock: files only.
pub const CACHE: &str = "cache";
/// The directory that a scrub may write in without the lock: files only.
pub const SCRUB: &str = "scrub";

/// The paper that says what protects the objects, where that does not stand in themselves.
pub const PROTECTION: &str = "protection";

/// The lock of who moves names.
pub const TURN: &str = "turn";
/// The lock of who is the next to move names.
pub const NEXT_TURN: &str = "turn.next";

/// What guests wrote to shared files, and what of that is older.
pub const WRITES: &str = "writes";
pub const OLDER_WRITES: &str = "writes.1";

/// The copy of the plan that a run executed, among its papers.
pub const PLAN: &str = "plan";
/// The receipt of a run, among its papers.
pub const RECEIPT: &str = "receipt.jsonl";
/// The receipt of its healing, where it was interrupted.
pub const RECOVERED: &str = "recovered.jsonl";
/// The journal of a run, among its papers.
pub const JOURNAL: &str = "journal";
